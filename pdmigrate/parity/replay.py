"""Every real page, put through what Harness holds now: whom PagerDuty told at which minute, and who would be told today. Pure.

Grades, never added together. What PagerDuty did is its log's word: who was assigned by the policy, minute by minute, until
somebody answered (parity/course.py). Whether the day can be compared follows from PagerDuty's side alone
(parity/comparable.py). So no change in Harness makes fewer pages comparable.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import paging, rota
from pdmigrate.pagerduty.history import Happened, Incident
from pdmigrate.parity.comparable import Judge, Why
from pdmigrate.parity.past import look_back
from pdmigrate.parity.services import Expected

Grade = Literal["same", "silent", "otherwise", "not_comparable"]
"""silent: it woke nobody then and would wake nobody now, which is not the same as the same people."""
GRADES: tuple[Grade, ...] = get_args(Grade)


@dataclass(frozen=True)
class Replay:
    """One page. then, now: who was told at which minute, and who would be, in emails; both up to the minute `last`.

    why, reason: of one that cannot be compared. misread: PagerDuty did not do what its policy and its own rendering of
    that day say. unexplained: otherwise, and nobody has decided it; explanation: the decisions behind the others.
    """

    incident: Incident
    instant: int
    service: str
    high: bool
    then: paging.Paged
    now: paging.Paged
    last: int
    grade: Grade
    why: Why = ""
    reason: str = ""
    misread: bool = False
    unexplained: bool = False
    explanation: str = ""

    @property
    def parting(self) -> str:
        """The first minute at which both part, and who is told then."""
        return paging.describe_parting(self.then, self.now) if self.grade == "otherwise" else ""


@dataclass(frozen=True, repr=False)
class Replayed:
    """All pages of a time, in order."""

    pages: tuple[Replay, ...]

    def count(self, pages: Iterable[Replay] | None = None) -> dict[str, int]:
        """How many have each grade; every page has exactly one."""
        found = Counter(page.grade for page in (self.pages if pages is None else pages))
        return {grade: found[grade] for grade in GRADES}

    def count_reasons(self) -> dict[str, int]:
        """Why pages cannot be compared, the most frequent first."""
        return dict(Counter(page.why for page in self.pages if page.grade == "not_comparable").most_common())

    @cached_property
    def otherwise(self) -> tuple[Replay, ...]:
        return tuple(page for page in self.pages if page.grade == "otherwise")

    @cached_property
    def unexplained(self) -> tuple[Replay, ...]:
        return tuple(page for page in self.otherwise if page.unexplained)

    @cached_property
    def misread(self) -> tuple[Replay, ...]:
        return tuple(page for page in self.pages if page.misread)

    def choose_telling(self, most: int = 10) -> tuple[Replay, ...]:
        """Of the pages that would go otherwise the most telling: without a decision and to nobody first, of each service one
        before a second. One that went as another of its service did tells nothing more.
        """
        ranked = sorted(self.otherwise, key=lambda p: (not p.unexplained, bool(p.now), -p.instant))
        apart: dict[tuple[str, paging.Paged, paging.Paged], Replay] = {}
        for page in ranked:
            apart.setdefault((page.service, page.then, page.now), page)
        first: dict[str, Replay] = {}
        for page in apart.values():
            first.setdefault(page.service, page)
        rest = [page for page in apart.values() if first[page.service] is not page]
        return tuple([*first.values(), *rest][:most])


def replay_pages(found: Draft, happened: Happened) -> Replayed:
    """Every incident of the history, graded."""
    judge = Judge(found, happened, look_back(found, happened.rotas, happened.since, happened.until))
    return Replayed(tuple(forgive_changes([_replay(judge, one) for one in happened.incidents])))


def _replay(judge: Judge, incident: Incident) -> Replay:
    course, sides = judge.read_course(incident), judge.find_sides(incident.service)
    page = Replay(incident, course.at, incident.service, course.high, course.told, (), course.last, "not_comparable")
    if sides is None:
        return replace(page, why="scope", reason="its service does not move, or is not in PagerDuty any more")
    page = replace(page, now=paging.limit(paging.walk_all(sides.target, course.at), course.last))
    if not judge.found.state.oncall:
        return replace(page, why="unread", reason="Harness has no API to read its policies from")
    judged = judge.judge(course, sides, page.now)
    page = replace(page, why=judged.why, reason=judged.reason, misread=judged.misread)
    return page if page.why else _grade(page, sides.expected)


def _grade(page: Replay, expected: Expected) -> Replay:
    if page.then == page.now:
        return replace(page, grade="same" if page.then else "silent")
    covered = page.now == paging.limit(expected.walk(page.instant, page.high), page.last)
    words = expected.describe(paging.list_instants(page.instant, page.then, page.now)) if covered else ""
    return replace(page, grade="otherwise", unexplained=not words, explanation=words)


def forgive_changes(pages: list[Replay]) -> Iterator[Replay]:
    """Where PagerDuty goes by a policy as it is only since some day, it was another before: those pages are no riddle."""
    groups: dict[str, list[Replay]] = defaultdict(list)
    for page in pages:
        if page.high and page.why in ("", "schedule", "dated", "misread"):
            groups[page.incident.escalation_policy or page.service].append(page)
    since: dict[str, int] = {}
    for policy, group in groups.items():
        riddles = [page.instant for page in group if page.why == "misread"]
        first = min((page.instant for page in group if not page.misread), default=0)
        if riddles and max(riddles) < first:
            since[policy] = first
    for page in pages:
        first = since.get(page.incident.escalation_policy or page.service, 0)
        if page.why == "misread" and first:
            day = f"{rota.to_datetime(first):%Y-%m-%d}"
            words = f"PagerDuty goes by the policy as it is today since {day} at the latest, and did not before"
            yield replace(page, why="policy", reason=words, misread=False)
        else:
            yield page
