"""Beside the six steps, the live proof: a test page per service, asked for by a person, and who was really told of it.

Without that word nothing is sent: it says whom a page would wake now, and what became of earlier ones.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Literal, get_args

from pdmigrate.errors import (
    PartialLoadError,
    PdmigrateError,
    PersonNeededError,
    RefusedError,
    UnexplainedDifferenceError,
    UsageError,
    find_nearest,
)
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import rota
from pdmigrate.oncall.live import Judged, Outcome, PageLog, SentPage, judge
from pdmigrate.oncall.words import format_number
from pdmigrate.pagerduty.records import Service
from pdmigrate.parity.live import Expectation, describe_unknown, expect_page
from pdmigrate.parity.schedules import compare_schedule
from pdmigrate.plan.actions import plan_from_json
from pdmigrate.steps.draft import draft
from pdmigrate.steps.job import Job, find_journal, records_step
from pdmigrate.steps.result import Result
from pdmigrate.steps.sending import Asking, Sending, change_log, read_back, read_log
from pdmigrate.steps.webhooks import check_names, name_way, open_webhook, pages_always

Grade = Literal["seen", "ticked", "not seen", "refused", "not asked"]
GRADES: tuple[Grade, ...] = get_args(Grade)
RED: tuple[Outcome, ...] = ("nobody", "others")


@dataclass(frozen=True)
class Proof:
    """One service. expected: whom a page would reach at this moment; None where nobody knows. held: why none can be sent.

    page: the latest one. names: of people, by their emails.
    """

    service: Service
    way: str
    expected: Expectation | None
    held: str = ""
    page: SentPage | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def judged(self) -> Judged:
        return judge_page(self.page, lambda email: self.names.get(email, email))

    @property
    def grade(self) -> Grade:
        """What Harness shows, what a person says, and what nobody knows are never one."""
        if self.page is None:
            return "not asked"
        if self.judged.outcome:
            return "seen"
        return "refused" if self.page.state == "refused" else "ticked" if self.page.ticked_by else "not seen"

    @property
    def is_red(self) -> bool:
        return self.judged.outcome in RED


def judge_page(page: SentPage | None, name: Callable[[str], str] = str) -> Judged:
    """What is said of a page. name: of a person."""
    if page is None or page.state == "refused":
        return Judged(None, page.note if page else "")
    if page.seen is None:
        return Judged(None, page.note or "it was not read back")
    judged = judge(page.dues, page.seen, name)
    if page.seen.services and not {page.identifier, page.name} & {*page.seen.services}:
        words = f"Harness took it for {', '.join(page.seen.services)}; {judged.words}".strip("; ")
        # whoever was told then says nothing of this service, unless it is bad
        return Judged(judged.outcome if judged.outcome in RED else None, words)
    why = page.why if judged.outcome == "silent" else ""
    return replace(judged, words="; ".join(filter(None, (judged.words, why, page.note))))


@dataclass(frozen=True, repr=False)
class Proved(Result):
    """All services that were asked about. moment: for which `expected` holds. sent: how many pages have left now."""

    step = "prove"
    draft: Draft
    proofs: tuple[Proof, ...]
    moment: datetime
    wait: float
    sent: int = 0

    def count(self) -> dict[str, int]:
        """Services by grade; what was seen is counted by outcome."""
        grades = Counter(proof.grade for proof in self.proofs)
        return {grade: grades[grade] for grade in GRADES}

    def count_outcomes(self) -> dict[str, int]:
        outcomes = Counter(proof.judged.outcome for proof in self.proofs)
        return {outcome: outcomes[outcome] for outcome in get_args(Outcome)}

    @property
    def error(self) -> PdmigrateError | None:
        red = [p for p in self.proofs if p.is_red]
        if red:
            shown = "; ".join(f"{p.service.name}: {p.judged.words}" for p in red[:3])
            more = f"; and {len(red) - 3} more" if len(red) > 3 else ""
            words = format_number(len(red), "test page did", "test pages did")
            return UnexplainedDifferenceError(f"{words} not reach the right people: {shown}{more}. See the page live.")
        refused = [p for p in self.proofs if p.grade == "refused"]
        if refused:
            words = format_number(len(refused), "test page was", "test pages were")
            return PartialLoadError(
                f"{words} refused, the first of {refused[0].service.name}: {refused[0].judged.words}"
            )
        unseen = [p for p in self.proofs if p.grade == "not seen"]
        if unseen:
            words = format_number(len(unseen), "test page was", "test pages were")
            return PersonNeededError(
                f"{words} not seen, the first of {unseen[0].service.name}: {unseen[0].judged.words}. Ask who was told, then tick: "
                "pdmigrate prove DIR --tick SERVICE --by NAME."
            )
        return None

    def summarise(self) -> dict[str, Any]:
        return {"services": self.count(), "outcomes": self.count_outcomes(), "sent": self.sent}


@records_step("prove")
def prove(
    job: Job,
    services: Collection[str] = (),
    asking: Asking | None = None,
    sleep: Callable[[float], None] = time.sleep,
    describe: Callable[[str], None] = lambda words: None,
) -> Proved:
    """Say whom a test page of each service would reach, and what became of earlier ones; send them where a person asks.

    services: names or PagerDuty ids; none means all that move. asking: that person's word; without it nothing is sent.
    describe: is told of each page that leaves. A page is sent once under one plan, unless it is asked for again; what was
    broken off goes on with the services that were not paged yet. Raises RefusedError where the plan is not loaded.
    """
    found = draft(job)
    moving = [s for id, s in found.account.services.items() if id in found.reasons["services"]]
    check_names(job, moving)
    chosen = choose_services(moving, services)
    scheduled = [s for id, s in found.account.all_schedules.items() if id in found.reasons["schedules"]]
    schedules = [compare_schedule(found, one, None) for one in scheduled]
    moment, sent = job.clock(), 0
    instant = rota.to_instant(moment)
    unknown = {s.id: describe_unknown(found, s, schedules, instant) for s in chosen}
    expected = {s.id: None if unknown[s.id] else expect_page(found, s, schedules, instant) for s in chosen}
    held = {s.id: unknown[s.id] or _describe_held(job, found, s, expected[s.id]) for s in chosen}
    if asking is not None:
        if not asking.by.strip():
            raise UsageError("Say who asks for the test pages: --by NAME.")
        plan = find_loaded(job)
        ways = [(service, open_webhook(job, service)) for service in chosen if not held[service.id]]
        with job.hold("test pages"):
            sending = Sending(job, found, schedules, plan, asking, sleep, describe)
            job.under_way.writing = True
            try:
                sending.send_all(ways)
            finally:
                job.under_way.writing = False
        sent = sending.sent
    log = _refresh(job, read_log(job), {service.id for service in chosen})
    users = found.account.users
    names = {email: users[id].name for id, email in found.emails.items() if id in users}
    proofs = tuple(
        Proof(
            service=service,
            way=name_way(job, service),
            expected=expected[service.id],
            held=held[service.id],
            page=log.find(service.id),
            names=names,
        )
        for service in chosen
    )
    return Proved(found, proofs, moment, (asking or Asking("")).wait, sent)


def tick_page(job: Job, name: str, by: str, words: str = "") -> None:
    """A person says that the latest test page of a service has reached the right people. It counts as what it is: a tick."""
    log = read_log(job)
    page = next((p for p in reversed(log.pages) if name.casefold() in (p.service.casefold(), p.name.casefold())), None)
    if page is None or page.state == "refused":
        known = [p.name for p in log.pages]
        raise UsageError(f"No test page of {name} was sent{find_nearest(name, known)}: there is nothing to tick.")
    if not by.strip():
        raise UsageError("Say who has seen it: --by NAME.")
    at = rota.to_instant(job.clock())
    change_log(job, lambda log: log.keep(replace(page, ticked_by=by, ticked_at=at, ticked_words=words)))


def choose_services(moving: Sequence[Service], names: Collection[str]) -> list[Service]:
    """Those that are named, by name or PagerDuty id, or all. Raises UsageError with the nearest name."""
    known = {word.casefold(): s for s in moving for word in (s.id, s.name)}
    for name in names:
        if name.strip().casefold() not in known:
            near = find_nearest(name, [s.name for s in moving])
            raise UsageError(f"No service {name} moves{near}: name one as PagerDuty does, or by its id.")
    wanted = {known[name.strip().casefold()].id for name in names}
    return [s for s in moving if not names or s.id in wanted]


def find_loaded(job: Job) -> str:
    """The digest of the plan that is loaded. Raises RefusedError where none is, or not the latest."""
    journal = find_journal(job.workspace, job.settings)
    if journal is None:
        raise RefusedError("Nothing was loaded yet, so that a test page would prove nothing: run load first.")
    with journal.opened():
        runs = journal.runs()
    latest = runs[-1] if runs else None
    if latest is None or latest.kind != "load":
        what = "What was loaded was taken back" if latest else "Nothing was loaded yet"
        raise RefusedError(f"{what}, so that a test page would prove nothing: run load first.")
    if not latest.finished:
        raise RefusedError(
            "The latest load was broken off, or failed in part: run load again, then ask for test pages."
        )
    plan = plan_from_json(job.workspace.load_state("plan", "conflicts"))
    if plan.target != job.target.address.name:
        raise RefusedError(
            f"The plan is for {plan.target}, the target is {job.target.address.name}: run conflicts again."
        )
    if plan.digest != latest.digest and plan.pending:
        raise RefusedError("The latest plan is not loaded: load it first, or a test page would prove what goes away.")
    return latest.digest


def _describe_held(job: Job, found: Draft, service: Service, expected: Expectation | None) -> str:
    """Why no test page of it can be sent; "" where one can."""
    if found.identifier_of("services", service.id) not in found.state.services:
        return "it is not in Harness"
    if pages_always(job, service) and not (expected and expected.dues):
        return "its paging webhook pages whatever its alert rule says, and it is to page nobody: the general one proves that"
    return "" if name_way(job, service) else "no webhook is named: target.webhook or target.webhooks in migration.yaml"


def _refresh(job: Job, log: PageLog, services: set[str]) -> PageLog:
    """Read again what became of the latest pages, but for those that are over and were read."""
    for page in [log.find(service) for service in services]:
        if page and not (page.ended and page.seen and not page.seen.unread):
            fresh = read_back(job, page)
            log = change_log(job, partial(PageLog.keep, page=fresh)) if fresh != page else log
    return log
