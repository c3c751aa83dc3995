"""What proves a schedule: PagerDuty's own rendering tells which reading counts, and fidelity says how long ours holds.

The rendering is asked over the horizon and wherever two readings part. Fidelity is said for every schedule, in words
for a team lead.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Generic, Literal, TypeVar, overload
from zoneinfo import ZoneInfo

from pdmigrate.mapping.flatten import SHORTEST
from pdmigrate.mapping.rotations import Named, is_documented
from pdmigrate.mapping.same_for_ever import TEN_YEARS, always_same
from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.evidence import Rendering
from pdmigrate.pagerduty.readings import (
    CHUNK,
    REACH,
    WALL,
    Reading,
    lasting_part,
    list_readings,
    list_settings,
    list_spots,
    render_layers,
)
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.rota import read_entries, read_final
from pdmigrate.pagerduty.rota_v3 import ShiftReading, lasting_shift_part, list_shift_readings, list_shift_spots
from pdmigrate.pagerduty.v3_records import ScheduleV3

# --- how long it holds ---

PROOF_DAYS = 400
Grade = Literal["for_ever", "until", "within_horizon", "not_carried_over"]


@dataclass(frozen=True)
class Fidelity:
    """until: the first instant that is no longer certain. documented: needs only what Harness documents for rotations.
    dated: how far shifts with dates reach of which more must follow, None where there are none."""

    grade: Grade
    until: int | None = None
    reason: str = ""
    documented: bool = False
    dated: int | None = None

    def describe(self) -> str:
        """The grade in words."""
        day = f"{rota.to_datetime(self.until):%Y-%m-%d}" if self.until is not None else ""
        return {
            "for_ever": "same on every future date",
            "until": f"same until {day}",
            "within_horizon": f"same within the horizon, until {day}",
            "not_carried_over": "not carried over",
        }[self.grade]

    def describe_needs(self) -> str:
        """By what of Harness it is proved."""
        if self.grade == "not_carried_over":
            return ""
        return "by what Harness documents" if self.documented else "proved against the embedded Harness only"


class CannotBeSaidError(Exception):
    """No rotations of Harness say the same; the sentence says why."""


NOT_CARRIED = Fidelity("not_carried_over")
Said = tuple[list[Named], Fidelity]


def prove(named: list[Named], wanted: rota.Rota, zone: ZoneInfo, start: int, end: int, together: bool = False) -> bool:
    """Same people as wanted in [start, end), under both readings of several rotations (together: joined only)."""
    drawn = [one.rotation.render(zone, start, end) for one in named]
    return wanted == rota.join(drawn) and (together or wanted == rota.stack(drawn))


def grade(named: list[Named], end: int | None, reason: str, dated: int | None = None) -> Fidelity:
    """The fidelity of rotations that are right until `end` (None: for ever). dated: see Fidelity."""
    documented = is_documented(named)
    if end is None:
        return Fidelity("for_ever", None, reason or _describe_end(named), documented)
    all_dated = bool(named) and all(one.dated for one in named)
    return Fidelity("within_horizon" if all_dated else "until", end, reason, documented, dated)


def _describe_end(named: list[Named]) -> str:
    """Where it comes to an end in PagerDuty as well, that it does."""
    ends = [one.rotation.until for one in named if not one.dated]
    last = max((end for end in ends if end is not None), default=None)
    if last is None or None in ends:
        return ""
    return f"it ends on {rota.to_datetime(last):%Y-%m-%d}, in PagerDuty as well"


# --- which reading counts ---

AnySchedule = Schedule | ScheduleV3
AnyReading = Reading | ShiftReading
Read = TypeVar("Read", Reading, ShiftReading, covariant=True)
Evidence = tuple[rota.Span, rota.Rota]
"""What PagerDuty has shown, and over which span."""

AHEAD = 400 * rota.DAY
AROUND = 2 * rota.DAY


@dataclass(frozen=True, order=True)
class Apart:
    """One way in which PagerDuty shows other people than the layers say. shown, ours: those whom only one side has.

    when: the weekday, the time of the day and the length, by the schedule's clock: the same every week, however the
    horizon moves; "" of one that reaches beyond what was looked at.
    """

    shown: tuple[str, ...]
    ours: tuple[str, ...]
    when: str = ""


@dataclass(frozen=True)
class Judgement(Generic[Read]):
    """The reading to go by; from when on readings that nothing has ruled out part; and what differs.

    doubts: the first instant of doubt within ten years, the change of the clock behind it where there is one.
    differing: seconds in which the chosen reading is not what PagerDuty shows, first of them at `first`. apart: whom it
    shows for whom then, and when in the week. why: the doubt.
    """

    reading: Read
    doubts: tuple[int, ...] = ()
    differing: int = 0
    first: int = 0
    why: str = ""
    apart: frozenset["Apart"] = frozenset()


IN_DOUBT = {
    "windows": "the clock changes during a turn, and PagerDuty has not shown how it counts that",
    "deleted": "somebody's turn comes who was deleted, and PagerDuty has not shown whether it hides the layers below",
    "left_out": "it matters whether an EXDATE counts as a turn, which PagerDuty has not shown",
    "added": "it matters whether an RDATE counts as a turn, which PagerDuty has not shown",
    "since": "it matters whether turns are counted from effective_since, which PagerDuty has not shown",
    "days": "an EXDATE without a time comes, and PagerDuty has not shown whether it leaves anything out",
}
"""By the part of a reading that is in doubt; any part about clocks is the first."""


@dataclass(frozen=True)
class _Ways:
    """A schedule and the ways in which it can be read. render: with overrides; draw: without. spots: where readings may
    part around changes of the clock. lasting: what of a reading may matter at any time. alike: whether two of them are
    known never to part but for that."""

    zone: ZoneInfo
    readings: Sequence[AnyReading]
    render: Callable[..., rota.Rota]
    draw: Callable[..., rota.Rota]
    spots: Callable[[Any, int, int], Iterable[rota.Span]]
    lasting: Callable[[Any], tuple[Any, ...]]
    alike: Callable[[Any, Any, int, int], bool]

    def find_parting(self, readings: Sequence[AnyReading], start: int, end: int) -> int | None:
        """The first instant in [start, end) at which two of these readings have different people."""
        if len(readings) < 2:
            return None
        first, *others = {self.lasting(one): one for one in reversed(readings)}.values()
        apart = [first, *(other for other in others if not self.alike(first, other, start, end))]
        chunks = ((at, min(at + CHUNK, end)) for at in range(start, end, CHUNK)) if len(apart) > 1 else ()
        found = self._find_in(apart, chunks)
        near = self._find_in(readings, self.spots(readings, start, end if found is None else found))
        return min((at for at in (found, near) if at is not None), default=None)

    def _find_in(self, readings: Sequence[AnyReading], spans: Iterable[rota.Span]) -> int | None:
        for span in spans:
            first, *others = (self.draw(reading, *span) for reading in readings)
            starts = [found[0][0] for other in others if (found := rota.differences(first, other))]
            if starts:
                return min(starts)
        return None


def next_changes(zone: ZoneInfo, now: int) -> list[int]:
    """Both next changes of the clock, the next of each kind; none where the clock is never changed."""
    return rota.zone_changes(zone, now, now + AHEAD)[:2]


def windows_around(zone: ZoneInfo, now: int) -> list[rota.Span]:
    """The days around both next changes, from midnight to midnight UTC: zones that change together share them."""
    days = [change - change % rota.DAY for change in next_changes(zone, now)]
    return [(day - AROUND, day + AROUND + rota.DAY) for day in days]


def list_windows(account: Account, in_doubt: bool = False) -> dict[rota.Span, list[str]]:
    """The windows that PagerDuty should be asked for, with the schedules that live through them: around the next changes
    of the clock, and wherever readings of a schedule part that nothing else has told apart yet.

    in_doubt: only of those that can be read in more than one way there; about the others nothing is to be learned.
    """
    windows: dict[rota.Span, list[str]] = {}
    for schedule in account.all_schedules.values():
        zone = read_zone(schedule.time_zone).iana
        if zone is None:
            continue
        around = [] if in_doubt else windows_around(ZoneInfo(zone), rota.to_instant(account.since))
        for window in dict.fromkeys([*around, *_list_doubtful(account, schedule, ZoneInfo(zone))]):
            windows.setdefault(window, []).append(schedule.id)
    return windows


def _list_doubtful(account: Account, schedule: AnySchedule, zone: ZoneInfo) -> list[rota.Span]:
    """The windows in which PagerDuty's answer tells readings apart; none where it would not help."""
    now = rota.to_instant(account.since)
    try:
        ways = _list_ways(schedule, zone, now, now + TEN_YEARS)
        if len(ways.readings) == 1:
            return []
        shown = [(span, who) for span, who in list_evidence(account, schedule) if span[0] == now]
        readings = [one for one in ways.readings if _fits(ways, one, shown)]
        near = [span for span in windows_around(zone, now) if len({ways.draw(one, *span) for one in readings}) > 1]
        return _describe_apart(ways, readings, near, now)
    except (ValueError, OverflowError):  # it cannot be read at all, which its own question says
        return []


def _describe_apart(ways: _Ways, readings: Sequence[AnyReading], windows: list[rota.Span], now: int) -> list[rota.Span]:
    """More windows, until no two readings are left that part in ten years and look alike in all windows."""
    groups = [readings]
    for window in windows:
        groups = [part for group in groups for part in _split(ways, group, window)]
    while groups:
        group = groups.pop()
        parting = ways.find_parting(group, now, now + TEN_YEARS)
        if parting is None:
            continue
        window = _window_of(ways.zone, parting)
        parts = _split(ways, group, window)
        if parts != [group]:
            windows = [*windows, window]
            groups = [part for one in (*groups, *parts) for part in _split(ways, one, window)]
    return windows


def _split(ways: _Ways, readings: Sequence[AnyReading], window: rota.Span) -> list[list[AnyReading]]:
    """The readings apart by what they say of the window, those that stand alone left out."""
    groups: dict[rota.Rota, list[AnyReading]] = {}
    for reading in readings:
        groups.setdefault(ways.draw(reading, *window), []).append(reading)
    return [group for group in groups.values() if len(group) > 1]


def _window_of(zone: ZoneInfo, instant: int) -> rota.Span:
    """The days around an instant, from midnight to midnight UTC: those around the change of the clock where it lies in them."""
    for change in [*rota.zone_changes(zone, instant - AROUND - rota.DAY, instant + AROUND)[-1:], instant]:
        day = change - change % rota.DAY
        window = (day - AROUND, day + AROUND + rota.DAY)
        if window[0] <= instant < window[1]:
            break
    return window


@overload
def judge(account: Account, schedule: Schedule, zone: ZoneInfo) -> Judgement[Reading]: ...
@overload
def judge(account: Account, schedule: ScheduleV3, zone: ZoneInfo) -> Judgement[ShiftReading]: ...
def judge(account: Account, schedule: AnySchedule, zone: ZoneInfo) -> Judgement[Any]:
    """Which reading PagerDuty goes by. The usual one, unless what it shows says otherwise.

    Raises ValueError for an unusable rule, and where turns are too many to be looked at.
    """
    now = rota.to_instant(account.since)
    evidence = list(list_evidence(account, schedule))
    ways = _list_ways(schedule, zone, now, now + TEN_YEARS)
    fitting = [reading for reading in ways.readings if _fits(ways, reading, evidence)]
    if not fitting:
        usual = ways.readings[0]
        differences = list(zip((span for span, _ in evidence), _compare(ways, usual, evidence), strict=True))
        found = [one for _, some in differences for one in some]
        apart = frozenset(name_apart(one, span, zone) for span, some in differences for one in some)
        return Judgement(usual, (), rota.total((s, e) for s, e, _, _ in found), found[0][0], apart=apart)
    parting = ways.find_parting(fitting, now, now + TEN_YEARS)
    if parting is None:
        return Judgement(fitting[0])
    behind = rota.zone_changes(zone, max(now, parting - REACH), parting + 1)
    fields: tuple[str, ...] = fitting[0]._fields
    open_parts = [name for name in fields if len({getattr(one, name) for one in fitting}) > 1]
    why = "; ".join(dict.fromkeys(IN_DOUBT.get(name, IN_DOUBT["windows"]) for name in open_parts))
    return Judgement(fitting[0], (behind[-1] if behind else parting,), why=why)


def name_apart(difference: rota.Difference, span: rota.Span, zone: ZoneInfo) -> Apart:
    """What a difference (from, to, who is shown, who is ours) within a span is called."""
    start, end, shown, ours = difference
    people = tuple(sorted(shown - ours)), tuple(sorted(ours - shown))
    if start == span[0] or end == span[1]:
        return Apart(*people)
    begins = rota.to_datetime(start).astimezone(zone)
    return Apart(*people, f"{begins:%a %H:%M:%S} for {end - start} s")


def render_source(account: Account, schedule: AnySchedule, zone: ZoneInfo, span: rota.Span) -> rota.Rota:
    """Who is on call by the reading that `judge` goes by, in PagerDuty ids, without a look at what is in doubt.

    Raises ValueError for a rule that cannot be read.
    """
    evidence, now = list(list_evidence(account, schedule)), rota.to_instant(account.since)
    if isinstance(schedule, Schedule) and not evidence:
        return render_with_overrides(schedule, WALL, zone, *span)
    ways = _list_ways(schedule, zone, now, now + TEN_YEARS)
    return ways.render(next((one for one in ways.readings if _fits(ways, one, evidence)), ways.readings[0]), *span)


def describe_doubt(judgement: Judgement[Any], zone: ZoneInfo) -> str:
    """What is in doubt from when on, for a page."""
    day = f"{rota.to_datetime(judgement.doubts[0]).astimezone(zone):%Y-%m-%d}"
    return f"on {day} {judgement.why or IN_DOUBT['windows']}"


def read_shown(schedule: AnySchedule) -> rota.Rota | None:
    """PagerDuty's own word over the horizon."""
    return rota_v3.read_final(schedule) if isinstance(schedule, ScheduleV3) else read_final(schedule)


def list_evidence(account: Account, schedule: AnySchedule) -> Iterable[Evidence]:
    """What PagerDuty has shown: (span, rota)."""
    final, span = read_shown(schedule), (rota.to_instant(account.since), rota.to_instant(account.until))
    if final is not None:
        yield span, final.clip(*span)
    for rendering in account.renderings.get(schedule.id, ()):
        span = (rota.to_instant(rendering.since), rota.to_instant(rendering.until))
        yield span, read_rendering(rendering).clip(*span)


def read_rendering(rendering: Rendering) -> rota.Rota:
    """A window of evidence as a rota, of whichever kind of schedule it is."""
    if rendering.computed_shift_assignments:
        return rota_v3.read_assignments(rendering.computed_shift_assignments)
    return read_entries(rendering.rendered_schedule_entries)


def render_with_overrides(schedule: Schedule, reading: Reading, zone: ZoneInfo, start: int, end: int) -> rota.Rota:
    """Who is on call by that reading."""
    return rota.stack(
        [read_entries(schedule.overrides).clip(start, end), render_layers(schedule, reading, zone, start, end)]
    )


def _list_ways(schedule: AnySchedule, zone: ZoneInfo, start: int, end: int) -> _Ways:
    if isinstance(schedule, ScheduleV3):
        bare = schedule.model_copy(update={"overrides": (), "custom_shifts": ()})
        return _Ways(
            zone,
            list_shift_readings(schedule, start, end),
            lambda reading, start, end: rota_v3.render_schedule(schedule, start, end, reading),
            lambda reading, start, end: rota_v3.render_schedule(bare, start, end, reading),
            partial(list_shift_spots, schedule),
            lasting_shift_part,
            lambda *_: False,
        )
    check_turns(schedule, start)
    return _Ways(
        zone,
        list_readings(schedule, zone, start, end),
        lambda reading, *span: render_with_overrides(schedule, reading, zone, *span),
        lambda reading, *span: render_layers(schedule, reading, zone, *span),
        partial(list_spots, schedule, zone),
        lasting_part,
        partial(_never_part, schedule, zone),
    )


def check_turns(schedule: Schedule, now: int) -> None:
    """Raises TooManyTurnsError where people hand over within a minute: Harness's turns are longer (our contract)."""
    for layer in schedule.schedule_layers:
        alive = layer.end is None or rota.to_instant(layer.end) > now
        turn, people = layer.rotation_turn_length_seconds, {place.user.id for place in layer.users}
        if alive and turn < SHORTEST and len(people) > 1:
            raise rota.TooManyTurnsError(f"a turn of {turn} seconds is shorter than a minute")


def _never_part(schedule: Schedule, zone: ZoneInfo, one: Reading, other: Reading, start: int, end: int) -> bool:
    """Whether two readings are the same at any time but around changes of the clock: what is apart is hidden by a layer."""
    sides = (list_settings(schedule, reading, zone, start, end) for reading in (one, other))
    return all(always_same(left, right, start, end, stacked=True) for left, right in product(*sides))


def _compare(ways: _Ways, reading: AnyReading, evidence: Iterable[Evidence]) -> Iterator[tuple[rota.Difference, ...]]:
    return (rota.differences(shown, ways.render(reading, *span)) for span, shown in evidence)


def _fits(ways: _Ways, reading: AnyReading, evidence: Iterable[Evidence]) -> bool:
    return not any(_compare(ways, reading, evidence))
