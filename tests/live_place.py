"""A corner of the company, loaded, on a clock that only tests move, to send test pages in."""

from datetime import UTC, datetime, timedelta

from pdmigrate import prove
from pdmigrate.parity.live import expect_page
from pdmigrate.steps.sending import Asking, Sending, read_log
from pdmigrate.steps.webhooks import open_webhook

NOW = datetime(2025, 10, 7, 15, 30, tzinfo=UTC)
EDGE, KUBE, QUIET = "Edge & CDN", "Kubernetes clusters", "Deploy pipeline"
SCOPE = "default/sre/"


class Place:
    """A loaded workspace, its clock, and the embedded Harness behind it."""

    def __init__(self, job):
        self.job, self.now, self.slept = job, NOW, []
        self.app = next(server.app for server in job._servers if "CALLS" in server.app.config)
        self.app.config["CLOCK"] = lambda: self.now.timestamp()
        self.store = self.app.config["STORE"]

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def prove(self, *services, **asking):
        return prove(self.job, services, Asking("ann", **{"wait": 0, "pause": 30, **asking}), sleep=self.sleep)

    def send(self, service, **asking):
        """The same without drafting again: what is planted in Harness changes nothing of what is expected."""
        ways = [
            (one, open_webhook(self.job, one)) for one in self.draft.account.services.values() if one.name == service
        ]
        asked = Asking("ann", **{"wait": 0, **asking})
        Sending(self.job, self.draft, self.schedules, "loaded", asked, self.sleep).send_all(ways)
        return read_log(self.job).find(ways[0][0].id)

    def expect(self, service, instant):
        [one] = [one for one in self.draft.account.services.values() if one.name == service]
        return expect_page(self.draft, one, self.schedules, instant).dues

    def list_alerts(self):
        return self.store.read().get("alerts", [])

    def set(self, **config):
        with self.store.change() as held:
            held["config"] |= config

    def change_rule(self, name, **fields):
        with self.store.change() as held:
            held["oncall"]["alert_rules"][self.key(name)] |= fields

    def find_levels(self, held, service):
        policy = held["oncall"]["services"][self.key(service)]["escalation_policy"]
        return held["oncall"]["escalation_policies"][f"{SCOPE}{policy}"]["levels"]

    def key(self, service):
        return next(k for k, s in self.store.read()["oncall"]["services"].items() if service[:4].lower() in k.lower())


def of(found, service):
    [proof] = [p for p in found.proofs if p.service.name == service]
    return proof
