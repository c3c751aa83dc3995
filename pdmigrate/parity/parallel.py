"""A night in which both systems had the same alerts: PagerDuty's incidents beside Harness's alerts, and whom each paged. Pure.

Grades, never added together. What was seen is PagerDuty's log and Harness's timeline. Where Harness pages nobody, since its
feed is in quiet mode, who would have been paged is computed from what Harness holds, and is called computed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, get_args

from pdmigrate.harness.alert_records import Alert, Timeline
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import paging, rota
from pdmigrate.oncall.live import TEST_TITLE
from pdmigrate.oncall.words import format_number
from pdmigrate.pagerduty.history import Happened, Incident
from pdmigrate.parity.comparable import Judge, Sides
from pdmigrate.parity.comparable import Why as PastWhy
from pdmigrate.parity.course import Course
from pdmigrate.parity.explanations import expect_rota, explain_schedule
from pdmigrate.parity.matching import Match, Matched, match_alerts
from pdmigrate.parity.past import look_back
from pdmigrate.parity.schedules import Compared, ScheduleParity, Schedules, find_zone
from pdmigrate.parity.seen import compare_rings, keep_first, list_failed, name_by_email, read_told
from pdmigrate.parity.services import Expected, expect_levels

Grade = Literal["same", "silent", "otherwise", "only_pagerduty", "only_harness", "not_comparable"]
"""silent: it woke nobody on either side."""
GRADES: tuple[Grade, ...] = get_args(Grade)
Why = Literal[PastWhy, "quiet", "doubled", "ambiguous", "fresh", "early"]
"""Why it cannot be compared by what was seen; doubled: of an alert that Harness has once more."""
CHANGED: tuple[Why, ...] = ("urgency", "policy", "schedule", "misread")
"""PagerDuty was another then than when its configuration was read: nobody can say what Harness held, unless it was read before."""
LATE = 60
"""Seconds by which an alert may come later than the others do."""
FRESH = timedelta(minutes=5)
"""What is younger may still be on its way."""
SLACK = timedelta(minutes=30)
"""So long before and after the night both sides are read, so that nothing at its edges looks like one side's only."""


ALONE = (
    "no incident of PagerDuty is matched with it: its sender may have gone over to Harness already, or PagerDuty put it "
    "into another incident"
)
OURS = "a test page of ours, which PagerDuty never had"


@dataclass(frozen=True)
class Pair:
    """An incident and its alert, or one of them alone. at: when it began. service: PagerDuty's id, "" where none is known.

    then, now: who was told at which minute, in emails, up to the minute `last`. logged: whether `then` is known, by
    PagerDuty's log. seen: whether `now` was read from Harness's timeline; else it is computed, and `computed` is the grade
    that it would have. late: seconds by which the alert came later than the others. unexplained: a difference that nobody
    has decided; explanation: the decisions behind the others.
    """

    at: int
    service: str
    incident: Incident | None = None
    alert: Alert | None = None
    way: str = ""
    then: paging.Paged = ()
    now: paging.Paged = ()
    last: int = 0
    logged: bool = True
    seen: bool = False
    late: int = 0
    grade: Grade = "not_comparable"
    why: Why = ""
    reason: str = ""
    computed: Grade | Literal[""] = ""
    unexplained: bool = False
    explanation: str = ""

    @property
    def differs(self) -> bool:
        """Whether both sides have it, and page otherwise, seen or computed."""
        return "otherwise" in (self.grade, self.computed)

    @property
    def is_test(self) -> bool:
        """Whether it is a test page of ours, which Harness alone was sent."""
        return self.incident is None and self.alert is not None and self.alert.title.startswith(TEST_TITLE)


@dataclass(frozen=True)
class Feed:
    """What came by the feed. expected: incidents that should have come. arrived: when the last that did come came; where
    none did, when Harness had its last alert before.

    missed: how many that should have come after it did not. offset: seconds by which Harness's clock and the feed are
    behind PagerDuty's, in the middle; taken away before minutes are compared.
    """

    expected: int = 0
    came: int = 0
    arrived: datetime | None = None
    missed: int = 0
    offset: int = 0

    @property
    def state(self) -> Literal["unproved", "dead", "silent", "alive"]:
        """unproved: nothing should have come. dead: nothing came. silent: nothing since `arrived`."""
        if not self.expected:
            return "unproved"
        return "dead" if not self.came else "silent" if self.missed else "alive"


@dataclass(frozen=True, repr=False)
class Night:
    """All of it, in order. Every incident and every alert of the time stands in one pair, once."""

    pairs: tuple[Pair, ...]
    feed: Feed

    def count(self, pairs: Iterable[Pair] | None = None) -> dict[str, int]:
        """How many have each grade."""
        found = Counter(pair.grade for pair in (self.pairs if pairs is None else pairs))
        return {grade: found[grade] for grade in GRADES}

    def count_computed(self, pairs: Iterable[Pair] | None = None) -> dict[str, int]:
        """Of those that cannot be compared by what was seen: the grades that they would have."""
        found = Counter(pair.computed for pair in (self.pairs if pairs is None else pairs) if pair.computed)
        return {grade: found[grade] for grade in GRADES[:3]}

    def count_left(self) -> int:
        """How many are neither seen nor computed on both sides, nor on one side only: nobody knows of them."""
        return sum(p.grade == "not_comparable" and not p.computed for p in self.pairs)

    def count_whys(self) -> dict[str, int]:
        """Why pairs cannot be compared, the most frequent first."""
        return dict(Counter(p.why for p in self.pairs if p.grade == "not_comparable").most_common())

    def count_quiet(self) -> int:
        """Of how many incidents Harness has the alert, and paged nobody, since it came in quiet mode."""
        quiet = [p for p in self.pairs if p.way and p.alert and p.alert.quiet]
        return sum(not p.seen and p.why != "unread" for p in quiet)

    def count_ways(self) -> dict[str, int]:
        """By what incidents and alerts were matched."""
        return dict(Counter(p.way for p in self.pairs if p.way).most_common())

    @cached_property
    def unexplained(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.unexplained)


def compare_night(
    found: Draft,
    happened: Happened,
    alerts: Sequence[Alert],
    timelines: Mapping[str, Timeline],
    span: tuple[datetime, datetime],
    now: datetime,
    before: datetime | None = None,
) -> Night:
    """Every incident and alert that began in the span. happened, alerts: of a longer time. timelines: by alert.

    before: when Harness had its last alert, of whatever origin; told where nothing came.
    """
    night = _Comparer(found, happened, timelines, now).compare(alerts, span)
    return replace(night, feed=replace(night.feed, arrived=before)) if night.feed.state == "dead" else night


class _Comparer:
    def __init__(self, found: Draft, happened: Happened, timelines: Mapping[str, Timeline], now: datetime):
        people = found.state.people.values()
        self.timelines = {id: name_by_email(timeline, people) for id, timeline in timelines.items()}
        self.found, self.happened, self.now = found, happened, now
        self.past = look_back(found, happened.rotas, happened.since, happened.until, dated=True)
        self.judge = Judge(found, happened, self.past)
        self.schedules = Schedules(self._look_at(id) for id in found.account.all_schedules)
        self._expected: dict[str, Expected] = {}

    def _look_at(self, id: str) -> ScheduleParity:
        """A schedule in that night: by PagerDuty's own rendering, else by its layers."""
        back, span = self.past.draft, (rota.to_instant(self.happened.since), rota.to_instant(self.happened.until))
        schedule = back.account.all_schedules[id].model_copy(update={"final_schedule": None})
        shown = id in self.past.day
        before = self.past.day[id] if shown else self.judge.today.get(id, rota.Rota())
        explanations = explain_schedule(back, schedule, before, span)
        compared = Compared(*span, before, before, expect_rota(before, explanations), explanations)
        identifier, zone = back.identifier_of("schedules", id), find_zone(back, schedule).key
        return ScheduleParity(id, schedule.name, identifier, zone, compared, not shown, judged=shown)

    def _sides_of(self, id: str) -> Sides | None:
        """None where a service does not move, or is not in Harness."""
        return self.judge.find_sides(id) if self.found.identifier_of("services", id) else None

    def _expect(self, sides: Sides) -> Expected:
        """What was to be done that night: with the schedules as they were."""
        id = sides.service.id
        if id not in self._expected:
            self._expected[id] = expect_levels(self.past.draft, sides.service, sides.policy, self.schedules)
        return self._expected[id]

    # --- what stands beside what ---

    def compare(self, alerts: Sequence[Alert], span: tuple[datetime, datetime]) -> Night:
        incidents = self.happened.incidents
        matched = match_alerts(incidents, alerts, lambda id: self.found.identifier_of("services", id))
        offset = int(matched.offset.total_seconds())
        pairs = [self._compare(one, offset) for one in matched.matches]
        pairs += [self._double(one, alert) for one in matched.matches for alert in one.doubled]
        pairs += [self._only_source(one) for one in matched.only_source]
        pairs += [self._only_target(one) for one in matched.only_target]
        pairs += self._list_ambiguous(matched)
        start, end = map(rota.to_instant, span)
        inside = sorted((pair for pair in pairs if start <= pair.at < end), key=lambda pair: pair.at)
        return Night(tuple(inside), self._watch_feed(inside, offset))

    def _watch_feed(self, pairs: Sequence[Pair], offset: int) -> Feed:
        came = [pair for pair in pairs if pair.way and pair.why != "scope"]
        missing = [pair for pair in pairs if pair.grade == "only_pagerduty"]
        latest = came[-1] if came else None
        missed = sum(pair.at > latest.at for pair in missing) if latest else len(missing)
        arrived = latest.alert.created if latest and latest.alert else None
        return Feed(len(came) + len(missing), len(came), arrived, missed, offset)

    def _begin(self, incident: Incident) -> tuple[Pair, Course]:
        course = self.judge.read_course(incident)
        logged = incident.id not in self.happened.cut
        then = course.told if logged else ()
        return Pair(course.at, incident.service, incident, then=then, last=course.last, logged=logged), course

    def _only_source(self, incident: Incident) -> Pair:
        pair, _ = self._begin(incident)
        if self._sides_of(incident.service) is None:
            return replace(pair, why="scope", reason="its service does not move; no alert of it came")
        if incident.created_at > self.now - FRESH:
            return replace(pair, why="fresh", reason="it is minutes old: the feed may still bring it")
        return replace(pair, grade="only_pagerduty", reason="no alert of it came to Harness", unexplained=True)

    def _only_target(self, alert: Alert) -> Pair:
        told, _ = read_told(self._timeline(alert), alert, 0, self.now)
        ids = [id for id in self.found.account.services if self.found.identifier_of("services", id) in alert.services]
        at, gap = rota.to_instant(alert.created), self._timeline(alert).gap
        pair = Pair(at, "".join(ids[:1]), None, alert, now=told, seen=not gap, grade="only_harness")
        paged = gap or ("it paged somebody" if told else "it paged nobody")
        return replace(pair, reason=_join(OURS if pair.is_test else ALONE, paged))

    def _double(self, one: Match, alert: Alert) -> Pair:
        first = f"incident {one.incident.number or one.incident.id}, which came as {one.alert.id} already"
        keyless = "" if one.way in ("key", "link") else ": without a key, each event of an incident may become an alert"
        pair = replace(self._only_target(alert), service=one.incident.service, why="doubled", unexplained=True)
        return replace(pair, reason=f"a further alert of {first}{keyless}")

    def _list_ambiguous(self, matched: Matched) -> list[Pair]:
        incidents = {one.id: one for one in self.happened.incidents}
        rivals: dict[str, list[Incident]] = {}
        pairs, alerts = [], {}
        for id, some in matched.ambiguous.items():
            names = ", ".join(alert.id for alert in some)
            words = f"by service, title and time it may be {names}: nothing tells which"
            pairs.append(replace(self._begin(incidents[id])[0], why="ambiguous", reason=words))
            for alert in some:
                alerts[alert.id] = alert
                rivals.setdefault(alert.id, []).append(incidents[id])
        for id, alert in alerts.items():
            numbers = ", ".join(f"#{one.number or one.id}" for one in rivals[id])
            words = f"by service, title and time it may be incident {numbers}: nothing tells which"
            pairs.append(replace(self._only_target(alert), grade="not_comparable", why="ambiguous", reason=words))
        return pairs

    # --- one incident and its alert ---

    def _compare(self, one: Match, offset: int) -> Pair:
        pair, course = self._begin(one.incident)
        ahead = round(one.lag.total_seconds()) - offset
        pair = replace(pair, alert=one.alert, way=one.way, late=ahead if abs(ahead) >= LATE else 0)
        sides = self._sides_of(one.incident.service)
        if sides is None:
            return replace(pair, why="scope", reason="its service does not move")
        timeline, identifier = self._timeline(one.alert), self.found.identifier_of("services", one.incident.service)
        gap, (told, last) = timeline.gap, read_told(timeline, one.alert, pair.late, self.now)
        if identifier not in one.alert.services:
            words = f"it came as an alert of {', '.join(one.alert.services) or 'no service'}, not of {identifier}"
            return replace(pair, now=told, seen=not gap, grade="otherwise", reason=words, unexplained=True)
        if not pair.logged:
            return replace(pair, why="unread", reason=self.happened.cut[one.incident.id])
        if course.by_hand:
            return replace(pair, why="hand", reason="a person chose whom PagerDuty told")
        failed = list_failed(timeline)
        if gap or (one.alert.quiet and not told and not failed):
            return self._compute(replace(pair, why="unread" if gap else "quiet", reason=gap), sides, course)
        if one.incident.escalation_policy not in ("", sides.policy.id):
            words = f"PagerDuty went by another policy ({one.incident.escalation_policy}) than the service has"
            return replace(pair, why="policy", reason=words)
        last = min(pair.last, last)
        then = pair.then if timeline.of("level") else keep_first(pair.then)
        pair = replace(pair, then=paging.limit(then, last), now=paging.limit(told, last), last=last, seen=True)
        rings = self._list_rings(pair)
        excused = {person for _, who in pair.then for person in who} - rings.keys() - failed.keys()
        grade, unexplained, words = self._grade(pair, self._expect(sides), course, frozenset(excused))
        if grade == "same" and not pair.now:
            return replace(pair, why="early", reason="somebody answered before either side had notified anybody")
        if grade != "otherwise":
            apart = compare_rings(rings, timeline, one.alert, pair.late)
            return replace(pair, grade="otherwise" if apart else grade, reason=apart, unexplained=bool(apart))
        reason = _join(self._describe(pair), *failed.values())
        return replace(pair, grade=grade, reason=reason, unexplained=unexplained, explanation=words)

    def _timeline(self, alert: Alert) -> Timeline:
        return self.timelines.get(alert.id, Timeline())

    def _list_rings(self, pair: Pair) -> dict[str, int]:
        """The minute at which PagerDuty first notified each, by its log."""
        first: dict[str, int] = {}
        for entry in self.happened.log.get(pair.incident.id, ()) if pair.incident else ():
            minute = max(0, rota.to_instant(entry.created_at) - pair.at) // 60
            if entry.type.startswith("notify") and entry.user and minute <= pair.last:
                first.setdefault(self.found.emails.get(entry.user, entry.user), minute)
        return first

    def _compute(self, pair: Pair, sides: Sides, course: Course) -> Pair:
        """Whom Harness would have paged, by what it holds; nothing where that cannot be read, or says nothing of that time."""
        if not self.found.state.oncall:
            return replace(pair, reason=_join(pair.reason, "Harness has no API to compute it from"))
        shift = round(pair.late / 60)
        walked = paging.walk_all(sides.target, pair.at + pair.late)
        now = paging.limit(tuple((max(0, m + shift), who) for m, who in walked), pair.last)
        judged = self.judge.judge(course, sides, now)
        read_since = self.found.account.taken > course.incident.created_at
        if judged.why and (read_since or judged.why not in CHANGED):
            why = pair.why if pair.why == "unread" else judged.why
            return replace(pair, why=why, reason=_join(pair.reason, judged.reason))
        pair = replace(pair, now=now)
        grade, unexplained, words = self._grade(pair, self._expect(sides), course, frozenset())
        reason = _join(pair.reason, self._describe(pair) if grade == "otherwise" else "")
        return replace(pair, computed=grade, reason=reason, unexplained=unexplained, explanation=words)

    def _grade(self, pair: Pair, expected: Expected, course: Course, excused: rota.People) -> tuple[Grade, bool, str]:
        """The grade, whether nobody has decided it, and the decisions that cover it."""
        if _agrees(pair.then, pair.now, excused):
            return ("same" if pair.then else "silent"), False, ""
        walked = expected.walk(pair.at, course.high)
        leveled = not (pair.seen and pair.alert) or bool(self._timeline(pair.alert).of("level"))
        wanted = paging.limit(walked if leveled else keep_first(walked), pair.last)
        covered = _agrees(wanted, pair.now, excused)
        words = expected.describe(paging.list_instants(pair.at, pair.then, pair.now)) if covered else ""
        return "otherwise", not words, words

    def _describe(self, pair: Pair) -> str:
        late = f"its alert came {format_number(round(abs(pair.late) / 60), 'minute')} {'late' if pair.late > 0 else 'early'}"
        return _join(late if pair.late else "", paging.describe_parting(pair.then, pair.now))


def _join(*words: str) -> str:
    return "; ".join(filter(None, words))


def _agrees(then: paging.Paged, now: paging.Paged, excused: rota.People) -> bool:
    """Whether the same people are told at the same minutes. excused: who need not have been told yet."""
    sides = [dict(side) for side in (then, now)]
    minutes = {minute for side in sides for minute in side}
    pairs = [tuple(side.get(minute, frozenset()) for side in sides) for minute in minutes]
    return all(now <= then and then - now <= excused for then, now in pairs)


def describe_feed(feed: Feed, arrived: str) -> str:
    """What can be said of the feed, in a sentence or two. arrived: when the last alert came, in words."""
    expected, since = format_number(feed.expected, "incident"), format_number(feed.missed, "incident")
    last = f"The last alert that Harness has, of whatever origin, is of {arrived}."
    earlier = last if arrived else "Harness had no alert in the week before either."
    said = {
        "unproved": "PagerDuty had no incident that the feed should have brought: this proves nothing about the feed.",
        "dead": f"Nothing came from the feed, while PagerDuty had {expected}: nothing is compared, and nothing agrees. {earlier}",
        "silent": f"Nothing has come from the feed since {arrived}; PagerDuty has had {since} since.",
        "alive": f"The feed brought {feed.came:,} of {expected}, the last at {arrived}.",
    }
    return said[feed.state]
