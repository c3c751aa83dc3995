"""A company that was carried over at noon, and the night after it, to be played with faults of the feed and of Harness."""

import copy
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from small_company import cut_down, edit

from pdmigrate import conflicts, load, open_job, parallel, preview
from pdmigrate.harness.alert_reading import list_alerts, read_timeline
from pdmigrate.parity.parallel import compare_night
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.harness import accept_invites
from pdmigrate.sandbox.shadow import send_night
from pdmigrate.workspace.folder import write_json

LOADED = datetime(2025, 10, 6, 12, tzinfo=UTC)
SINCE, UNTIL = datetime(2025, 10, 7, 0, tzinfo=UTC), datetime(2025, 10, 7, 12, tzinfo=UTC)
NOW = UNTIL + timedelta(hours=1)
SERVICES = {"Edge & CDN": "edge_cdn_PSERV02"}


@contextmanager
def carry_over(folder):
    """A job on a small company that was carried over at noon, with a night after it."""
    make_demo_workspace(folder)
    history = {"until": NOW.isoformat(), "day": "2025-10-05", "days": 1, "log_entries": 500}
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(LOADED)) | {"history": history})
    clock = [LOADED]
    with open_job(folder, clock=lambda: clock[0]) as job:
        preview(job)
        conflicts(job)
        assert load(job, "all").error is None
        with edit(job, "harness") as held:
            accept_invites(held)
        clock[0] = NOW
        yield job


class Shadow:
    """A company that was carried over at noon, and the night after it, as often as a test wants to play it."""

    def __init__(self, job):
        self.job = job
        self.clean = self.run()

    def run(self, *faults, paging=True, services=SERVICES):
        """The night once more, with these faults of the feed, compared by the step."""
        self.play(faults, paging, services)
        return parallel(self.job, SINCE.isoformat(), UNTIL.isoformat())

    def play(self, faults, paging, services):
        with edit(self.job, "harness") as held:
            held["alerts"] = []
            held["config"] |= {"feed_quiet": not paging, "page_answered_after": None}
        body = {"harness": self.job.target.address.base_url, "since": SINCE.isoformat(), "until": NOW.isoformat()}
        body |= {"faults": list(faults), "services": services}
        send_night(self.job.source.transport.base_url, body)

    def compare(self, *faults, paging=True, services=SERVICES, found=None, now=NOW):
        """The same, with what was read of PagerDuty and of Harness's rules before."""
        self.play(faults, paging, services)
        return self.read(found, now)

    def read(self, found=None, now=NOW):
        """The night as it was played, or edited since."""
        found = found or self.clean.draft
        whole = (self.clean.happened.since, self.clean.happened.until)
        alerts = list_alerts(self.job.target, *whole)
        timelines = {one.id: read_timeline(self.job.target, one.id) for one in alerts}
        night = compare_night(found, self.clean.happened, [*alerts], timelines, (SINCE, UNTIL), now)
        return replace(self.clean, night=night)

    def run_edited(self, change):
        """The night as it was played, with the events of each alert changed, or dropped."""
        self.play((), True, SERVICES)
        with edit(self.job, "harness") as held:
            for alert in held["alerts"]:
                alert["events"] = [new for event in alert["events"] if (new := change(event))]
        return self.read()

    def choose(self, number=0, least=5):
        """A page of the clean night that somebody was told of, and nobody answered for some minutes."""
        return [one for one in self.clean.night.pairs if one.then and one.last >= least][number]


def named(run, pair):
    """What is said of the same incident."""
    [found] = [one for one in run.night.pairs if one.incident and one.incident.id == pair.incident.id]
    return found


def find_policy(held, shadow, pair):
    identifier = shadow.clean.draft.identifier_of("services", pair.service)
    service = held["oncall"]["services"][f"default/sre/{identifier}"]
    return held["oncall"]["escalation_policies"][f"default/sre/{service['escalation_policy']}"]


def change_rota(shadow, at):
    """Somebody changes a schedule of PagerDuty at that moment: in each layer whoever was first is last. Until then it was as it was."""
    with edit(shadow.job, "pagerduty") as account:
        [schedule] = [one for one in account["schedules"] if one["name"] == "Platform follow-the-sun"]
        former = copy.deepcopy(schedule["schedule_layers"])
        account["past_layers"][schedule["id"]] = [layer | {"end": at.isoformat()} for layer in former]
        for layer in schedule["schedule_layers"]:
            layer["users"].append(layer["users"].pop(0))
    shadow.job._servers[0].app.config.pop("HISTORY")


def number(pair):
    return pair.incident.number
