"""A shadow night on the embedded pair: a clean one is the same on both sides, and each planted fault is named."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from small_company import cut_down, edit

from pdmigrate import conflicts, decide, load, open_job, parallel, preview
from pdmigrate.errors import UnexplainedDifferenceError, UsageError
from pdmigrate.harness.alert_reading import list_alerts, read_timeline
from pdmigrate.pages import make_page
from pdmigrate.parity.parallel import compare_night
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.harness import accept_invites
from pdmigrate.sandbox.shadow import send_night
from pdmigrate.steps.parallel import SLACK, choose_span
from pdmigrate.workspace.folder import write_json

LOADED = datetime(2025, 10, 6, 12, tzinfo=UTC)
SINCE, UNTIL = datetime(2025, 10, 7, 0, tzinfo=UTC), datetime(2025, 10, 7, 12, tzinfo=UTC)
NOW = UNTIL + timedelta(hours=1)
SERVICES = {"Edge & CDN": "edge_cdn_PSERV02"}


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

    def compare(self, *faults, paging=True, services=SERVICES):
        """The same, with what was read of PagerDuty and of Harness's rules before."""
        self.play(faults, paging, services)
        whole = (self.clean.happened.since, self.clean.happened.until)
        alerts = list_alerts(self.job.target, *whole)
        timelines = {one.id: read_timeline(self.job.target, one.id) for one in alerts}
        night = compare_night(self.clean.draft, self.clean.happened, [*alerts], timelines, (SINCE, UNTIL), NOW)
        return replace(self.clean, night=night)

    def choose(self, number=0, least=5):
        """A page of the clean night that somebody was told of, and nobody answered for some minutes."""
        return [one for one in self.clean.night.pairs if one.then and one.last >= least][number]


@pytest.fixture(scope="module")
def shadow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parallel") / "acme"
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
        yield Shadow(job)


def named(run, pair):
    """What is said of the same incident."""
    [found] = [one for one in run.night.pairs if one.incident and one.incident.id == pair.incident.id]
    return found


def number(pair):
    return pair.incident.number


# --- clean nights ---


def test_a_clean_night_is_the_same_on_both_sides(shadow):
    night = shadow.clean.night
    counts = night.count()
    assert counts["same"] >= 4
    assert counts["same"] + counts["silent"] == sum(counts.values()) == len(night.pairs)
    assert all(pair.seen for pair in night.pairs)
    assert night.count_ways() == {"key": len(night.pairs)}
    assert (night.feed.state, night.feed.came) == ("alive", night.feed.expected)
    assert shadow.clean.error is None
    assert max(len(pair.then) for pair in night.pairs) > 1, "one of them escalated"


def test_quiet_mode_pages_nobody_and_what_is_computed_is_never_called_seen(shadow):
    run = shadow.compare(paging=False)
    seen, clean = run.night.count(), shadow.clean.night.count()
    assert (seen["same"], seen["silent"], seen["not_comparable"]) == (0, 0, len(run.night.pairs))
    assert run.night.count_whys() == {"quiet": len(run.night.pairs)}
    computed = run.night.count_computed()
    assert (computed["same"], computed["silent"], computed["otherwise"]) == (clean["same"], clean["silent"], 0)
    assert run.error is None
    page = make_page(run)
    assert "quiet mode" in page.lead
    assert "(computed, not seen)" in page.lead
    assert page.figures[0].value == "0"


def test_two_clocks_ninety_seconds_apart_are_said_and_no_difference(shadow):
    run = shadow.compare({"kind": "clock", "seconds": 90})
    assert run.night.count() == shadow.clean.night.count()
    assert 90 <= run.night.feed.offset <= 95
    assert "1 minute 3" in {section.title: section.text for section in make_page(run).sections}["The feed"]


# --- faults of the feed ---


def test_an_alert_that_the_feed_dropped_is_only_in_pagerduty(shadow):
    lost = shadow.choose()
    run = shadow.run({"kind": "drop", "incident": number(lost)})
    assert named(run, lost).grade == "only_pagerduty"
    assert run.night.feed.state == "alive"
    with pytest.raises(
        UnexplainedDifferenceError, match=f"incident {number(lost)} of .*no alert of it came to Harness"
    ):
        raise run.error


def test_an_alert_that_comes_twice_is_said_to_be_one_too_many(shadow):
    twice = shadow.choose()
    run = shadow.compare({"kind": "double", "incident": number(twice)})
    assert named(run, twice).grade == "same"
    [more] = [pair for pair in run.night.pairs if pair.why == "doubled"]
    assert more.grade == "only_harness"
    assert f"a further alert of incident {number(twice)}" in more.reason
    assert more.now, "and it paged once more"
    assert run.error


def test_an_alert_of_another_service_is_told_by_both_names(shadow):
    moved = shadow.choose()
    identifier = shadow.clean.draft.identifier_of("services", moved.service)
    other = next(one for one in shadow.clean.draft.state.services.values() if one.identifier != identifier)
    for services, words in (({"kind": "service", "service": other.name}, other.identifier), ({"kind": "service", "service": "Nobody's"}, "no service")):  # fmt: skip
        run = shadow.compare({**services, "incident": number(moved)}, paging=False)
        assert named(run, moved).grade == "otherwise"
        assert named(run, moved).reason == f"it came as an alert of {words}, not of {identifier}"
        assert run.error


def test_a_service_that_the_webhook_does_not_know_by_its_name_is_found(shadow):
    run = shadow.compare(services={})
    apart = {run.draft.account.services[pair.service].name for pair in run.night.pairs if pair.grade == "otherwise"}
    assert apart == {"Edge & CDN"}


def test_an_alert_that_comes_ten_minutes_late_pages_ten_minutes_late(shadow):
    late = shadow.choose()
    for paging in (True, False):
        run = shadow.compare({"kind": "late", "incident": number(late), "seconds": 600}, paging=paging)
        found = named(run, late)
        assert found.grade == ("otherwise" if paging else "not_comparable")
        assert found.computed == ("" if paging else "otherwise")
        assert "its alert came 10 minutes late" in found.reason
        assert found.now == () or found.now[0][0] == 10
        assert found.unexplained


def test_a_feed_that_died_in_the_night_is_said_with_the_moment(shadow):
    later = shadow.clean.night.pairs[6:]
    at = later[0].incident.created_at
    run = shadow.run({"kind": "dead", "at": at.isoformat()})
    feed = run.night.feed
    assert (feed.state, feed.missed) == ("silent", len(later))
    assert feed.arrived < at
    assert "Nothing has come from the feed since" in str(run.error)
    assert "Nothing has come from the feed since" in make_page(run).lead


def test_nothing_from_the_feed_is_red_and_no_agreement(shadow):
    run = shadow.compare({"kind": "dead", "at": (SINCE - timedelta(days=1)).isoformat()})
    counts = run.night.count()
    assert counts["only_pagerduty"] == sum(counts.values())
    assert run.night.feed.state == "dead"
    page = make_page(run)
    assert "Nothing came from the feed" in page.lead
    assert not [figure for figure in page.figures if figure.tone == "good"], "nothing compared is nothing good"
    assert {"bad"} == {figure.tone for figure in page.figures if figure.label == "Brought by the feed"}
    assert run.error.exit_code == 5


def test_a_night_without_incidents_proves_nothing_about_the_feed(shadow):
    since = LOADED - timedelta(days=30)
    run = parallel(shadow.job, since.isoformat(), (since + timedelta(hours=2)).isoformat())
    assert run.night.feed.state == "unproved"
    assert "proves nothing about the feed" in make_page(run).lead
    assert run.error is None


def test_without_a_key_the_service_the_title_and_the_time_tell(shadow):
    keyless = shadow.choose()
    run = shadow.compare({"kind": "no_key", "incident": number(keyless)})
    assert (named(run, keyless).way, named(run, keyless).grade) == ("service, title and time", "same")
    more = [pair for pair in run.night.pairs if pair.why == "doubled"]
    assert len(run.night.pairs) == len(shadow.clean.night.pairs) + len(more)
    assert all("without a key, each event of an incident may become an alert" in pair.reason for pair in more)
    assert run.night.count_ways()["service, title and time"] == 1


# --- faults in Harness ---


@pytest.fixture
def harness(shadow):
    """Harness's memory, as it was again afterwards."""
    with edit(shadow.job, "harness") as held:
        before = copy.deepcopy(held["oncall"])
    yield shadow
    with edit(shadow.job, "harness") as held:
        held["oncall"] = before


def find_policy(held, shadow, pair):
    identifier = shadow.clean.draft.identifier_of("services", pair.service)
    service = held["oncall"]["services"][f"default/sre/{identifier}"]
    return held["oncall"]["escalation_policies"][f"default/sre/{service['escalation_policy']}"]


@pytest.mark.parametrize("paging", [True, False], ids=["seen", "computed"])
def test_the_wrong_person_paged_in_harness_is_named(harness, paging):
    page = harness.choose()
    right = next(iter(page.then[0][1]))
    wrong = next(who for who in harness.clean.draft.emails.values() if who != right)
    with edit(harness.job, "harness") as held:
        find_policy(held, harness, page)["levels"][0]["targets"] = [{"type": "user", "id": wrong}]
    run = harness.run(paging=paging)
    found = named(run, page)
    assert "otherwise" in (found.grade, found.computed)
    assert found.seen == paging
    assert f"minute 0: paged {right} / paged {wrong}" in found.reason
    assert found.unexplained
    assert right in str(run.error)
    drawing = {section.title: section.drawing for section in make_page(run).sections}["Both sides, where they differ"]
    assert f"Harness, {'seen' if paging else 'computed'}" in drawing


def test_whoever_is_paged_a_level_later_in_harness_is_told_with_the_minute(harness):
    page = harness.choose(least=12)
    with edit(harness.job, "harness") as held:
        policy = find_policy(held, harness, page)
        policy["levels"].insert(0, {"timeout_minutes": 10, "retries": 0, "targets": []})
    found = named(harness.compare(), page)
    assert found.grade == "otherwise"
    assert "minute 0: paged" in found.reason
    assert [minute for minute, _ in found.now][:1] == [10]


def test_a_telephone_that_rings_ten_minutes_late_is_a_difference_though_the_level_is_the_same(harness):
    page = harness.choose(least=12)
    who = next(iter(page.then[0][1]))
    with edit(harness.job, "harness") as held:
        step = {"wait_minutes": 10, "methods": [{"type": "email", "address": who}]}
        held["oncall"]["notification_rules"][who] = {"email": who, "steps": [step]}
    found = named(harness.compare(), page)
    assert found.grade == "otherwise"
    assert f"{who} was notified at minute" in found.reason
    assert "at minute 10 by Harness" in found.reason


def test_somebody_who_cannot_be_reached_is_named(harness):
    page = harness.choose()
    who = next(iter(page.then[0][1]))
    with edit(harness.job, "harness") as held:
        users = held["users"]
        held["users"] = [user for user in users if user["email"] != who]
    try:
        found = named(harness.compare(), page)
    finally:
        with edit(harness.job, "harness") as held:
            held["users"] = users
    assert found.grade == "otherwise"
    assert f"not reached: {who} has not accepted the invitation" in found.reason


def test_a_timeline_that_nobody_can_read_compares_nothing(shadow):
    shadow.play((), True, SERVICES)
    with edit(shadow.job, "harness") as held:
        for alert in held["alerts"]:
            odd = {"eventType": "RESPONDER_CALLED", "timestamp": alert["created"], "eventGroup": "PAGING"}
            alert["events"].append(odd)
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    assert run.night.count_whys() == {"unread": len(run.night.pairs)}
    assert run.night.count()["same"] == 0
    assert "RESPONDER_CALLED" in run.night.pairs[0].reason


def test_an_alert_that_harness_alone_has_is_told(shadow):
    shadow.play((), True, SERVICES)
    with edit(shadow.job, "harness") as held:
        ghost = copy.deepcopy(held["alerts"][3])
        ghost |= {
            "prettyId": "ALERT_sre-999",
            "title": "From elsewhere",
            "deduplicationId": "x",
            "monitoringLink": None,
        }
        held["alerts"].append(ghost)
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    [alone] = [pair for pair in run.night.pairs if pair.grade == "only_harness"]
    assert alone.alert.title == "From elsewhere"
    assert run.error is None, "it may come from a sender that has gone over already"


def test_since_when_nothing_came_is_told_by_the_last_alert_of_all(shadow):
    shadow.play([{"kind": "dead", "at": (SINCE - timedelta(days=1)).isoformat()}], True, SERVICES)
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    assert "no alert in the week before either" in str(run.error)
    with edit(shadow.job, "harness") as held:
        old = {"prettyId": "ALERT_sre-1", "scope": "default/sre", "title": "old", "quietMode": False, "service": None}
        old |= {
            "description": "",
            "priority": "p4_info",
            "deduplicationId": None,
            "monitoringLink": None,
            "ended": None,
        }
        at = int((SINCE - timedelta(days=2)).timestamp() * 1000)
        held["alerts"] = [old | {"patched": {}, "created": at, "events": []}]
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    assert "The last alert that Harness has, of whatever origin, is of Sat 4 Oct 2025, 20:00" in str(run.error)


def test_a_time_that_is_none_is_refused(shadow):
    with pytest.raises(UsageError, match="tomorrow is no moment: write it as"):
        parallel(shadow.job, "tomorrow")
    with pytest.raises(UsageError, match="no time that is over"):
        parallel(shadow.job, (NOW + timedelta(days=1)).isoformat())


def test_what_begins_at_the_edge_of_the_night_is_matched_beyond_it(shadow):
    """The alert of an incident just before the night comes in it, and is nobody's surprise."""
    pair = shadow.clean.night.pairs[2]
    shadow.play((), True, SERVICES)
    since = pair.incident.created_at + timedelta(seconds=1)
    run = parallel(shadow.job, since.isoformat(), (since + SLACK).isoformat())
    assert "only_harness" not in {one.grade for one in run.night.pairs}
    assert pair.incident.id not in {one.incident.id for one in run.night.pairs}


def test_what_somebody_decided_explains_a_page_that_goes_otherwise(shadow):
    """Low urgency wakes nobody in PagerDuty; somebody decides that it pages in Harness. The last test: it loads once more."""
    quiet = next(pair for pair in shadow.clean.night.pairs if pair.grade == "silent")
    decide(shadow.job, "service_urgency", quiet.service, "page", why="we want to know at once")
    preview(shadow.job)
    conflicts(shadow.job)
    assert load(shadow.job, "all").error is None
    for paging in (True, False):
        run = shadow.run(paging=paging)
        found = named(run, quiet)
        assert "otherwise" in (found.grade, found.computed)
        assert "every alert pages, at any hour, by decision of" in found.explanation
        assert not found.unexplained
        assert run.error is None


@pytest.mark.parametrize(
    "now, night",
    [
        (
            "2026-03-08T14:00+00:00",
            ("2026-03-08T01:00:00+00:00", "2026-03-08T12:00:00+00:00"),
        ),  # the clock goes forward
        ("2026-03-09T11:59+00:00", ("2026-03-08T01:00:00+00:00", "2026-03-08T12:00:00+00:00")),
        ("2026-03-09T12:00+00:00", ("2026-03-09T00:00:00+00:00", "2026-03-09T12:00:00+00:00")),
    ],
)
def test_last_night_is_the_latest_that_is_over_by_the_accounts_clock(now, night):
    span = choose_span("", "", ZoneInfo("America/New_York"), datetime.fromisoformat(now))
    assert tuple(moment.isoformat() for moment in span) == night


def test_what_was_asked_for_is_by_the_accounts_clock_and_never_in_the_future():
    zone = ZoneInfo("America/New_York")
    assert choose_span("2025-10-06T20:00", "2025-10-07T08:00", zone, NOW) == (SINCE, UNTIL)
    assert choose_span("2025-10-06T20:00", "2025-10-09T08:00", zone, NOW) == (SINCE, NOW)
    assert choose_span("", "2025-10-07T08:00", zone, NOW) == (SINCE, UNTIL)
