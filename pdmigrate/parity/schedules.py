"""Schedules before and after: PagerDuty's rendering beside what the target itself says, second by second.

Over the horizon, and apart from it over the days around both next changes of the clock. Three grades, never blurred:
agree and differ where the target was read, unverified where Harness has no API. A difference is explained by an
Explanation for as long as that covers it, and by nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from pdmigrate.harness import rota as harness_rota
from pdmigrate.harness.records import Schedule as TargetSchedule
from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.proof import (
    NOT_CARRIED,
    AnySchedule,
    Fidelity,
    list_evidence,
    next_changes,
    read_shown,
    windows_around,
)
from pdmigrate.mapping.schedules import describe_unread_parts
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.rota import make_rotation, read_entries
from pdmigrate.pagerduty.rota_v3 import render_schedule as render_shifts
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.parity.explanations import (
    Explanation,
    expect_rota,
    explain_schedule,
    render_source,
)

Difference = rota.Difference
Rotas = Mapping[str, rota.Rota]

UNDECIDED = "no decision explains it"


@dataclass(frozen=True)
class Compared:
    """Both sides over one span of instants, in emails. expected: who is to be on call by the answers of people."""

    start: int
    end: int
    before: rota.Rota
    after: rota.Rota
    expected: rota.Rota
    explanations: tuple[Explanation, ...] = ()

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        return rota.differences(self.before, self.after)

    @cached_property
    def unexplained(self) -> tuple[Difference, ...]:
        """Where the target is otherwise than before, and otherwise than anybody decided."""
        parted = [(s, e) for s, e, _, _ in self.differences]
        undecided = rota.intersect_spans(parted, [(s, e) for s, e, _, _ in rota.differences(self.expected, self.after)])
        return rota.differences(self.before.within(undecided), self.after.within(undecided))

    def describe(self, start: int, end: int) -> str:
        """What lies behind a difference from start to end: the decisions that cover it, and whether all of it."""
        return _describe_reasons(
            [x for x in self.explanations if any(s < end and start < e for s, e, _, _ in x.changes)],
            any(s < end and start < e for s, e, _, _ in self.unexplained),
        )


def _describe_reasons(explanations: list[Explanation], undecided: bool) -> str:
    words = list(dict.fromkeys(explanation.words for explanation in explanations))
    if undecided:
        words.append(f"the rest: {UNDECIDED}" if words else UNDECIDED)
    return "; ".join(words)


@dataclass(frozen=True)
class WindowParity:
    """The days around one change of the clock. judged: PagerDuty's own rendering was there to compare.

    held_until: the instant until which the schedule is said to be right; what differs later breaks no promise.
    """

    change: int
    compared: Compared
    judged: bool
    unverified: bool
    held_until: int | None

    @property
    def start(self) -> int:
        return self.compared.start

    @property
    def end(self) -> int:
        return self.compared.end

    @property
    def differences(self) -> tuple[Difference, ...]:
        return () if self.unverified else self.compared.differences

    @property
    def differ(self) -> int:
        """Seconds that differ."""
        return rota.total((s, e) for s, e, _, _ in self.differences)

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """Differences without a decision, before the day until which the schedule is said to be right."""
        if self.unverified:
            return ()
        return tuple(d for d in self.compared.unexplained if self.held_until is None or d[0] < self.held_until)


@dataclass(frozen=True)
class ScheduleParity:
    """One schedule over the horizon. id: PagerDuty's; identifier: Harness's, "" where it has none.

    unverified: the target could not be read, or nothing is known of the before. judged: PagerDuty has rendered it.
    read_otherwise: seconds in which our reading of the target's rotations is not what the target itself answers.
    unread: nothing is known of who is on call before. doubted: which of its dated parts were not read, in words: `before`
    is without them, so that nothing agrees, and what differs from its layers does so in any case.
    """

    id: str
    name: str
    identifier: str
    time_zone: str
    compared: Compared
    is_unverified: bool
    judged: bool
    fidelity: Fidelity = NOT_CARRIED
    windows: tuple[WindowParity, ...] = ()
    read_otherwise: int = 0
    unread: bool = False
    doubted: str = ""
    source: rota.Rota = field(default_factory=rota.Rota)
    """Before, in PagerDuty's ids: two users who are one person in Harness are two here."""

    @property
    def span(self) -> rota.Span:
        return self.compared.start, self.compared.end

    @property
    def before(self) -> rota.Rota:
        return self.compared.before

    @property
    def after(self) -> rota.Rota:
        return self.compared.after

    @property
    def expected(self) -> rota.Rota:
        return self.compared.expected

    @property
    def differences(self) -> tuple[Difference, ...]:
        return () if self.is_unverified else self.compared.differences

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """Differences over the horizon that no answer covers."""
        return () if self.is_unverified else self.compared.unexplained

    @property
    def differ(self) -> int:
        """Seconds."""
        return rota.total((s, e) for s, e, _, _ in self.differences)

    @property
    def agree(self) -> int:
        """Seconds."""
        return 0 if self.is_unverified or self.doubted else self.span[1] - self.span[0] - self.differ

    @property
    def unverified(self) -> int:
        """Seconds."""
        return self.span[1] - self.span[0] - self.differ if self.is_unverified or self.doubted else 0

    def describe_doubted(self) -> str:
        """What of it was not read."""
        return f"the {self.doubted} of {self.name} ({self.id}) were not read"

    @property
    def reason(self) -> str:
        """The decisions behind its differences; that there is none, where one has none; "" where nothing differs."""
        if not self.differ:
            return ""
        return _describe_reasons([x for x in self.compared.explanations if x.changes], bool(self.unexplained))

    @property
    def nobody(self) -> int:
        """Seconds that agree because nobody is on call on either side."""
        if not self.agree:
            return 0
        return rota.total(rota.subtract_spans([self.span], (*self.before.covered(), *self.after.covered())))

    @property
    def gaps_before(self) -> tuple[rota.Span, ...]:
        """When nobody is on call in PagerDuty."""
        return rota.subtract_spans([self.span], self.before.covered())

    @property
    def new_gaps(self) -> tuple[rota.Span, ...]:
        """When nobody is on call in the target, and somebody was before."""
        if self.is_unverified:
            return ()
        return rota.subtract_spans(rota.subtract_spans([self.span], self.after.covered()), self.gaps_before)


class Schedules(tuple[ScheduleParity, ...]):
    """All schedules of one look at both sides. Each is looked up, none is searched for: policies and services are as many."""

    @classmethod
    def of(cls, schedules: Iterable[ScheduleParity]) -> "Schedules":
        return schedules if isinstance(schedules, cls) else cls(schedules)

    @cached_property
    def before(self) -> Rotas:
        """By PagerDuty's id."""
        return {s.id: s.before for s in self}

    @cached_property
    def expected(self) -> Rotas:
        """By PagerDuty's id."""
        return {s.id: s.expected for s in self}

    @cached_property
    def after(self) -> Rotas:
        """By Harness's identifier."""
        return {s.identifier: s.after for s in self if s.identifier}

    @cached_property
    def expected_there(self) -> Rotas:
        """By Harness's identifier."""
        return {s.identifier: s.expected for s in self if s.identifier}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {s.id: place for place, s in enumerate(self)}

    def pick(self, ids: Iterable[str]) -> list[ScheduleParity]:
        """Those with one of these ids of PagerDuty, each once, in their order."""
        return [self[place] for place in sorted({self._places[id] for id in ids if id in self._places})]


def find_end(found: Draft, schedule: AnySchedule) -> int:
    """The instant up to which the target's answer is needed: the horizon's end, or the later change of the clock's."""
    around = windows_around(find_zone(found, schedule), rota.to_instant(found.account.since))
    return max([rota.to_instant(found.account.until), *(end for _, end in around)])


def find_zone(found: Draft, schedule: AnySchedule) -> ZoneInfo:
    """The zone in which the schedule moves; UTC where nobody knows any."""
    return ZoneInfo(found.mapped.zones.get(schedule.id) or "UTC")


def compare_schedule(found: Draft, schedule: AnySchedule, answer: rota.Rota | None) -> ScheduleParity:
    """Compare over the horizon and both changes of the clock.

    answer: who is on call by the target's own answer, from the horizon's start to `find_end`; empty where the schedule is
    not there; None where the target could not be asked.
    """
    span = (rota.to_instant(found.account.since), rota.to_instant(found.account.until))
    zone = find_zone(found, schedule)
    shown = read_shown(schedule)
    known = shown if shown is not None else _render_readable(found, schedule, span)
    around = windows_around(zone, span[0])
    identifier = found.identifier_of("schedules", schedule.id)
    whole = answer or rota.Rota()
    read = answer is not None and known is not None
    compared = _compare(found, schedule, known or rota.Rota(), whole, span)
    changes = zip(around, next_changes(zone, span[0]), strict=True)
    windows = [
        _compare_window(found, schedule, window, change, whole, read) for window, change in changes if identifier
    ]
    return ScheduleParity(
        id=schedule.id,
        name=schedule.name,
        identifier=identifier,
        time_zone=zone.key,
        compared=compared,
        is_unverified=not read,
        judged=shown is not None,
        fidelity=found.mapped.fidelity.get(schedule.id, NOT_CARRIED),
        windows=tuple(windows),
        read_otherwise=_read_otherwise(found, identifier, compared.after, span) if read else 0,
        unread=known is None,
        doubted=describe_unread_parts(schedule),
        source=(known or rota.Rota()).clip(*span),
    )


def _compare(found: Draft, schedule: AnySchedule, known: rota.Rota, whole: rota.Rota, span: rota.Span) -> Compared:
    before = known.clip(*span).rename(found.emails)
    explanations = explain_schedule(found, schedule, before, span)
    return Compared(*span, before, whole.clip(*span), expect_rota(before, explanations), explanations)


def _compare_window(
    found: Draft, schedule: AnySchedule, window: rota.Span, change: int, whole: rota.Rota, read: bool
) -> WindowParity:
    evidence = next((shown for span, shown in list_evidence(found.account, schedule) if span == window), None)
    known = evidence if evidence is not None else _render_readable(found, schedule, window)
    compared = _compare(found, schedule, known or rota.Rota(), whole, window)
    fidelity = found.mapped.fidelity.get(schedule.id)
    doubted = evidence is None and bool(describe_unread_parts(schedule)) and not compared.differences
    unverified = not read or known is None or doubted
    return WindowParity(change, compared, evidence is not None, unverified, fidelity.until if fidelity else None)


def _render_readable(found: Draft, schedule: AnySchedule, span: rota.Span) -> rota.Rota | None:
    """Our own rendering; None where a rule of the schedule cannot be read, so that nothing is known of the before."""
    try:
        return render_source(found, schedule, span)
    except ValueError:
        return None


def _read_otherwise(found: Draft, identifier: str, after: rota.Rota, span: rota.Span) -> int:
    there = found.state.schedules.get(identifier)
    ours = harness_rota.render_schedule(there, *span) if there else rota.Rota()
    return rota.total((s, e) for s, e, _, _ in rota.differences(ours, after))


# --- what goes into a schedule, lane by lane: PagerDuty's layers or events from the top, Harness's rotations ---

MOST_LANES = 8
"""Of more than these the last ones share a lane, which says how many they are and what they are called."""

Lanes = list[tuple[str, tuple[rota.Rota, ...]]]


def source_lanes(schedule: AnySchedule, zone: ZoneInfo, start: int, end: int) -> Lanes:
    """(name, who would be on call by it alone) of what is alive in [start, end), by PagerDuty user id."""
    try:
        if isinstance(schedule, ScheduleV3):
            return _alive(_event_lanes(schedule, start, end))
        rotations = [(one.name or one.id, make_rotation(one, zone)) for one in schedule.schedule_layers]
        layers = [(name, made.render(zone, start, end)) for name, made in rotations]
        return _alive([("Overrides", read_entries(schedule.overrides).clip(start, end)), *layers])
    except (
        ValueError
    ):  # nobody can read a rule, or look at so many turns: the schedule is held, and that is said elsewhere
        return []


def target_lanes(schedule: TargetSchedule | None, start: int, end: int) -> Lanes:
    """The same of the target's rotations and overrides, by email."""
    if schedule is None:
        return []
    zone = ZoneInfo(schedule.time_zone)
    lanes = [(one.name, harness_rota.make_rotation(one).render(zone, start, end)) for one in schedule.rotations]
    stand_ins = harness_rota.render_schedule(schedule.model_copy(update={"rotations": ()}), start, end)
    return _alive([("Overrides", stand_ins), *lanes])


def _event_lanes(schedule: ScheduleV3, start: int, end: int) -> list[tuple[str, rota.Rota]]:
    bare = {"custom_shifts": (), "rotations": ()}
    alone = [
        (
            " / ".join(event.name or one.id for event in one.events),
            schedule.model_copy(update={**bare, "rotations": (one,)}),
        )
        for one in schedule.rotations
    ]
    custom = schedule.model_copy(update={**bare, "custom_shifts": schedule.custom_shifts})
    return [(n, render_shifts(one, start, end)) for n, one in [*alone, ("Custom shifts", custom)]]


def _alive(lanes: list[tuple[str, rota.Rota]]) -> Lanes:
    alive: Lanes = [(name, (who,)) for name, who in lanes if who.entries]
    if len(alive) <= MOST_LANES:
        return alive
    shown, rest = alive[: MOST_LANES - 1], alive[MOST_LANES - 1 :]
    more = f"{len(rest)} more: {', '.join(name for name, _ in rest)}"
    return [*shown, (more, tuple(who for _, alone in rest for who in alone))]
