"""Sends test pages, one at a time. Each is written down before it leaves and is never sent twice for one asking.

A page under way is watched until somebody answers or the time is over, and is then ended in Harness, also when the step is
stopped: its next level is not woken for a test.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

from pydantic import TypeAdapter

from pdmigrate.errors import SideError
from pdmigrate.harness.alert_reading import end_alert, find_alert, read_timeline
from pdmigrate.harness.client import Harness
from pdmigrate.harness.webhooks import Webhook, write_body
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.live import TEST_TITLE, PageLog, Seen, SentPage
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.oncall.words import format_number
from pdmigrate.pagerduty.records import Service
from pdmigrate.parity.live import expect_page, read_seen
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.steps.job import Job

STATE = "live"
"""The state with all test pages."""
BEAT = 2.0
"""Seconds between two looks at a page that nobody has answered."""
HANDOFF = 60
"""Seconds in which a page is not sent before a handoff: nobody could say whom it was to reach."""
WORDS = "This is a test, asked for by {by}. Nothing is wrong. Please acknowledge it; it is ended within {minutes}."
_LOG = TypeAdapter(PageLog)


@dataclass(frozen=True)
class Asking:
    """A person's word that test pages are to be sent. again: also for services that had one under the same plan.

    wait: minutes for which a page waits for an answer. pause: seconds between one page's end and the next.
    """

    by: str
    again: bool = False
    wait: float = 5.0
    pause: float = 30.0


def read_log(job: Job) -> PageLog:
    """All test pages so far."""
    found = job.workspace.find_state(STATE)
    return _LOG.validate_python(found) if found else PageLog()


def change_log(job: Job, edit: Callable[[PageLog], PageLog]) -> PageLog:
    """Written at once: what was sent must be known after a crash."""
    job.workspace.change_state(STATE, lambda held: asdict(edit(_LOG.validate_python(held) if held else PageLog())))
    return read_log(job)


def read_back(job: Job, page: SentPage) -> SentPage:
    """The page with what the target shows of it now; until its end, where it was ended."""
    if page.state == "refused":
        return page
    until = page.ended or int(job.clock().timestamp())
    if not isinstance(job.target, Harness):
        return replace(page, seen=Seen(until=until, unread=f"{job.target.address.name} shows no alerts"))
    seen = look_at(job.target, page.token, page.intended, until)
    return replace(page, seen=seen, state="sent" if seen.alert else page.state)


def look_at(harness: Harness, token: str, sent: int, until: int) -> Seen:
    """What Harness shows of the page with this token. Never an error: what cannot be read is not seen, and said."""
    alert = None
    try:
        alert = find_alert(harness, token, to_datetime(sent))
        if alert is None:
            return Seen(until=until, unread="Harness shows no alert with this title")
        return read_seen(alert, read_timeline(harness, alert.id), sent, until)
    except SideError as error:
        return Seen(alert.id if alert else "", until=until, unread=str(error).rstrip("."))


@dataclass
class Sending:
    """One asking under way. plan: the digest of what is loaded. sent: how many pages have left."""

    job: Job
    found: Draft
    schedules: Sequence[ScheduleParity]
    plan: str
    asking: Asking
    sleep: Callable[[float], None] = time.sleep
    describe: Callable[[str], None] = lambda words: None
    sent: int = 0
    log: PageLog = field(default_factory=PageLog)

    def send_all(self, ways: Sequence[tuple[Service, Webhook]]) -> None:
        """To each service that the asking has not paged yet. Nothing is sent where there is none."""
        before = read_log(self.job)
        self._end_leftovers(before)
        wanted = before.begin(self.asking.again)
        due = [way for way in ways if way[0].id not in wanted.list_paged(self.plan)]
        if not due and not before.under_way:
            return
        self.log = change_log(self.job, lambda log: log.begin(self.asking.again))
        self.job.progress.begin(self.job.progress.title)  # how much was read before is over
        for number, (service, webhook) in enumerate(self.job.progress.follow("test pages", due)):
            if number:
                self._wait(self.asking.pause, "the next test page")
            self._send_one(service, webhook)
        self.log = change_log(self.job, lambda log: replace(log, under_way=False))

    def _end_leftovers(self, log: PageLog) -> None:
        """Pages of an asking that was broken off may still wake people."""
        for page in log.pages:
            if log.under_way and page.asking == log.number and not page.ended and page.state != "refused":
                self._end(page)

    def _send_one(self, service: Service, webhook: Webhook) -> None:
        self._pass_handoff(service)
        page = self._make_page(service, webhook.kind)
        self._keep(page)
        self.describe(f"{service.name}: a test page for {self._name_first(page)}")
        minutes = format_number(round(self.asking.wait), "minute")
        words = WORDS.format(by=self.asking.by, minutes=minutes)
        self.sent += 1
        try:
            taken, note = webhook.send(write_body(webhook, page.title, words, page.token, page.identifier))
            page = self._keep(replace(page, state=taken, note=note))
            if taken != "refused":
                page = self._watch(page)
        finally:
            if page.state != "refused":
                self._end(page)

    def _make_page(self, service: Service, way: str) -> SentPage:
        instant, token = self._now(), secrets.token_hex(4)
        expected = expect_page(self.found, service, self.schedules, instant)
        return SentPage(
            service=service.id,
            name=service.name,
            identifier=self.found.identifier_of("services", service.id),
            token=token,
            title=f"{TEST_TITLE} {token} of {service.name}: nothing is wrong, please acknowledge",
            way=way,
            by=self.asking.by,
            plan=self.plan,
            asking=self.log.number,
            intended=instant,
            dues=expected.dues,
            why=expected.why,
        )

    def _name_first(self, page: SentPage) -> str:
        """Who is to be told while it is waited for."""
        users = self.found.account.users
        names = {email: users[id].name for id, email in self.found.emails.items() if id in users}
        soon = dict.fromkeys(names.get(due.person, due.person) for due in page.dues if due.minute <= self.asking.wait)
        return ", ".join(soon) or "nobody"

    def _pass_handoff(self, service: Service) -> None:
        """Not in the last minute before somebody else takes over."""

        def expect(instant: int) -> object:
            return expect_page(self.found, service, self.schedules, instant).dues

        if expect(self._now()) != expect(self._now() + HANDOFF):
            self._wait(HANDOFF, "a handoff")

    def _watch(self, page: SentPage) -> SentPage:
        """Until somebody answers, somebody ends it, or the time is over."""
        over = self._now() + 60 * self.asking.wait
        while True:
            page = read_back(self.job, page)
            if self._now() >= over or (page.seen and (page.seen.acknowledged or page.seen.over)):
                return self._keep(page)
            self._wait(min(BEAT, over - self._now()), f"an answer to the test page of {page.name}")

    def _end(self, page: SentPage) -> None:
        """End it in Harness, and read what became of it by then."""
        page = read_back(self.job, page)
        if page.seen and page.seen.alert and isinstance(self.job.target, Harness):
            why = "" if page.seen.over else end_alert(self.job.target, page.seen.alert)
            page = read_back(
                self.job, replace(page, ended=0 if why else self._now(), note=why and f"end it in Harness: {why}")
            )
        if not page.ended:
            self.describe(f"{page.name}: it could not be ended; end it in Harness, or its next level is woken")
        self._keep(page)

    def _keep(self, page: SentPage) -> SentPage:
        self.log = change_log(self.job, lambda log: log.keep(page))
        return page

    def _wait(self, seconds: float, why: str) -> None:
        if seconds > 0:
            self.job.progress.wait(why, seconds)
            self.sleep(seconds)

    def _now(self) -> int:
        return int(self.job.clock().timestamp())
