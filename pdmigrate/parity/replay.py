"""Every real page, put through what Harness holds now: whom PagerDuty told at which minute, and who would be told today. Pure.

Grades, never added together. What PagerDuty did is its log's word: who was assigned by the policy, minute by minute, until
somebody answered. Whether the day can be compared follows from PagerDuty's side alone: what it would do today, with the
schedules as they are now, must be what it did then. So no change in Harness makes fewer pages comparable.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import paging, rota
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.history import Happened, Incident, LogEntry
from pdmigrate.pagerduty.urgency import urgencies_at
from pdmigrate.parity.past import Past, look_back
from pdmigrate.parity.services import (
    SCHEDULE_TYPES,
    Chains,
    Expected,
    expect_levels,
    find_policy,
    list_target_policies,
    source_levels,
    target_levels,
)

Grade = Literal["same", "silent", "otherwise", "not_comparable"]
"""silent: it woke nobody then and would wake nobody now, which is not the same as the same people."""
GRADES: tuple[Grade, ...] = get_args(Grade)
Why = Literal["", "scope", "urgency", "policy", "schedule", "hand", "dated", "unread", "misread"]
"""Why a page cannot be compared."""

LAG = 30
"""Seconds by which PagerDuty's log may be late; what falls so close to an answer is not compared."""
ENDS = ("acknowledge", "resolve", "snooze", "delegate", "urgency_change", "reach_ack", "reach_trigger")
"""Beginnings of the types of log entries after which the policy does not go on by itself."""
ASSIGNS = ("assign_log_entry", "escalate_log_entry")
TURN = "one of "


@dataclass(frozen=True)
class Course:
    """What became of an incident: told, in PagerDuty ids; the last minute that can be compared; by whom it was begun.

    ended: the type of the entry that ended it, "" where nothing did. by_hand: a person chose who was told first.
    """

    told: paging.Paged
    last: int
    ended: str = ""
    by_hand: bool = False
    high: bool = True


def read_course(incident: Incident, entries: Sequence[LogEntry], until: int) -> Course:
    """The course by the log. until: the instant up to which the log was read."""
    start, end, ended = rota.to_instant(incident.created_at), until, ""
    told: dict[int, frozenset[str]] = {}
    by_hand = False
    changes = sum(entry.type.startswith("urgency_change") for entry in entries)
    for entry in entries:
        at = rota.to_instant(entry.created_at)
        minute = max(0, at - start + LAG) // 60
        assigns = entry.type in ASSIGNS
        if entry.type.startswith(ENDS) or (assigns and entry.by_hand and minute):
            end, ended = at, entry.type
            break
        if assigns and entry.assignees:
            told[minute] = told.get(minute, frozenset()) | frozenset(entry.assignees)
            by_hand = by_hand or entry.by_hand
    last = max(0, (end - start - LAG) // 60)
    high = (incident.urgency == "high") == (changes % 2 == 0)
    return Course(_limit(tuple(sorted(told.items())), last), last, ended, by_hand, high)


def _limit(paged: paging.Paged, last: int) -> paging.Paged:
    return tuple((minute, people) for minute, people in paged if minute <= last)


def agrees(told: paging.Paged, expected: paging.Paged) -> bool:
    """Whether somebody was told as expected: of targets that take turns any one will do."""
    if [minute for minute, _ in told] != [minute for minute, _ in expected]:
        return False
    return all(who == whom or _is_turn(who, whom) for (_, who), (_, whom) in zip(told, expected, strict=True))


def _is_turn(who: frozenset[str], whom: frozenset[str]) -> bool:
    word = next(iter(whom), "")
    return len(who) == len(whom) == 1 and word.startswith(TURN) and who <= set(word.removeprefix(TURN).split(", "))


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
    ended: str = ""
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


@dataclass(frozen=True)
class _Sides:
    """A service's chains: PagerDuty's with the schedules of today, and of the day; Harness's; and what was decided."""

    service: records.Service
    policy: records.EscalationPolicy
    today: list[paging.PagedLevel]
    day: list[paging.PagedLevel]
    target: Chains
    expected: Expected
    unrendered: tuple[str, ...]


def replay_pages(found: Draft, happened: Happened) -> Replayed:
    """Every incident of the history, graded."""
    return _Player(found, happened).play()


class _Player:
    def __init__(self, found: Draft, happened: Happened):
        self.found, self.happened = found, happened
        self.past: Past = look_back(found, happened.rotas, happened.since, happened.until)
        self.today = self.past.today
        self.until = rota.to_instant(happened.until)
        self._sides: dict[str, _Sides | None] = {}

    def play(self) -> Replayed:
        return Replayed(tuple(forgive_changes([self._replay(one) for one in self.happened.incidents])))

    def _sides_of(self, id: str) -> _Sides | None:
        """The chains of a service; None where it does not move, or has no policy."""
        if id not in self._sides:
            service, back = self.found.account.services.get(id), self.past.draft
            policy = find_policy(self.found, service) if service else None
            known = service is not None and policy is not None and id in self.found.reasons["services"]
            self._sides[id] = self._make_sides(back, service, policy) if known and service and policy else None
        return self._sides[id]

    def _make_sides(self, back: Draft, service: records.Service, policy: records.EscalationPolicy) -> _Sides:
        schedules = [t for rule in policy.escalation_rules for t in rule.targets if t.type in SCHEDULE_TYPES]
        after = self.past.after
        return _Sides(
            service,
            policy,
            source_levels(back, policy, self.today),
            source_levels(back, policy, dict(self.past.day)),
            [target_levels(back, one, after) for one in list_target_policies(back, service)],
            expect_levels(back, service, policy, self.past.schedules),
            tuple(t.summary or t.id for t in schedules if t.id not in self.past.day and not t.deleted_at),
        )

    def _replay(self, incident: Incident) -> Replay:
        instant = rota.to_instant(incident.created_at)
        course = read_course(incident, self.happened.log.get(incident.id, ()), self.until)
        emails = self.found.emails
        told = tuple((m, frozenset(emails.get(p, p) for p in who)) for m, who in course.told) if course.high else ()
        page = Replay(
            incident, instant, incident.service, course.high, told, (), course.last, "not_comparable", course.ended
        )
        sides = self._sides_of(incident.service)
        if sides is None:
            return replace(page, why="scope", reason="its service does not move, or is not in PagerDuty any more")
        now = _limit(paging.walk_all(sides.target, instant), page.last)
        page = replace(page, now=now)
        if not self.found.state.oncall:
            return replace(page, why="unread", reason="Harness has no API to read its policies from")
        why, reason, misread = self._judge(page, sides, course)
        if why:
            return replace(page, why=why, reason=reason, misread=misread)
        return self._grade(replace(page, misread=misread), sides)

    def _judge(self, page: Replay, sides: _Sides, course: Course) -> tuple[Why, str, bool]:
        """Why the page cannot be compared, in words, and whether we do not understand what PagerDuty did."""
        urgency = "high" if page.high else "low"
        known = urgencies_at(sides.service, page.instant)
        if urgency not in known:
            said = f"of {' or '.join(sorted(known))} urgency" if known else "of a service that is disabled"
            return "urgency", f"it was of {urgency} urgency, and would be {said} today", False
        if page.incident.escalation_policy not in ("", sides.policy.id):
            return (
                "policy",
                f"it went by another policy ({page.incident.escalation_policy}) than the service has today",
                False,
            )
        if not page.high:
            return "", "", False
        by_day = _limit(paging.walk(sides.day, page.instant), page.last)
        by_today = _limit(paging.walk(sides.today, page.instant), page.last)
        understood, same = agrees(page.then, by_day), agrees(page.then, by_today)
        misread = not (understood or course.by_hand or sides.unrendered)
        if same:
            dated = self._find_dated(page, sides)
            words = f"what Harness holds of {dated} has dates, and says nothing of days that are over"
            return ("dated", words, misread) if dated else ("", "", misread)
        if understood:
            return "schedule", self._describe_schedules(page, sides), False
        if course.by_hand:
            return "hand", "a person chose who was told", False
        if sides.unrendered:
            return "unread", f"PagerDuty's rendering of that day was not read: {', '.join(sides.unrendered)}", False
        parting = paging.describe_parting(page.then, by_day)
        return "misread", f"PagerDuty did not do what its policy and its rendering of that day say: {parting}", True

    def _list_hung(self, page: Replay, sides: _Sides) -> list[tuple[str, str, list[int]]]:
        """(id, name, instants) of the schedules that the page hangs on."""
        at = _list_instants(page)
        targets = {t.id: t.summary or t.id for rule in sides.policy.escalation_rules for t in rule.targets}
        return [(id, name, at) for id, name in targets.items() if id in self.today]

    def _find_dated(self, page: Replay, sides: _Sides) -> str:
        for id, name, at in self._list_hung(page, sides):
            if any(s <= instant < e for s, e in self.past.dated.get(id, ()) for instant in at):
                return name
        return ""

    def _describe_schedules(self, page: Replay, sides: _Sides) -> str:
        parts = []
        for id, name, at in self._list_hung(page, sides):
            shown = self.past.day.get(id, rota.Rota())
            apart = next((t for t in at if shown.people_at(t) != self.today[id].people_at(t)), None)
            if apart is not None:
                then, now = (", ".join(sorted(who.people_at(apart))) or "nobody" for who in (shown, self.today[id]))
                parts.append(f"{name} had {then} on call, and by its layers of today {now}")
        return "; ".join(parts) or "its schedules were others that day"

    def _grade(self, page: Replay, sides: _Sides) -> Replay:
        if page.then == page.now:
            return replace(page, grade="same" if page.then else "silent")
        expected = sides.expected
        pages = expected.pages(page.high)
        wanted = _limit(paging.walk_all(expected.chains, page.instant), page.last) if pages else ()
        covered = page.now == wanted
        at = _list_instants(page)
        about = [
            x for x in expected.explanations if not x.changes or any(s <= t < e for s, e, *_ in x.changes for t in at)
        ]
        words = "; ".join(dict.fromkeys(x.words for x in about)) if covered else ""
        return replace(page, grade="otherwise", unexplained=not (covered and words), explanation=words)


def _list_instants(page: Replay) -> list[int]:
    """The moments at which somebody is told on either side, and the first."""
    return sorted(page.instant + 60 * minute for minute in {0, *(minute for minute, _ in (*page.then, *page.now))})


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
