"""The three-way merge of one object: what was last synced, what the source says now, what the target has now. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pdmigrate.plan.actions import Desired, Fields
from pdmigrate.plan.kinds import KINDS

Strategy = Literal["preserve", "overwrite"]

SETS = {"users", "methods"}
"""Fields that are sets of parts: each part is settled by itself, so that nobody's addition is lost."""

THEIRS = "theirs"
"""In the ledger of a schedule that was merged with one of Harness: the rotations that were there before us."""

_UNKNOWN: Any = object()


@dataclass(frozen=True)
class ByHand:
    """What people have changed in Harness: a field, or one rotation of it. both: PagerDuty has changed it as well.

    beside: PagerDuty alone has changed it, and what was in Harness before us would change with it.
    """

    field: str
    part: str
    have: Any
    want: Any
    both: bool
    beside: bool = False


@dataclass(frozen=True)
class Merged:
    """The object as it shall be. synced: per field what both sides now have in common, for the ledger.

    by_hand: what people have changed in Harness. kept: the fields of it that stay so, and those that were there first.
    """

    after: Fields
    synced: Fields
    by_hand: tuple[ByHand, ...]
    kept: tuple[str, ...]

    @property
    def both(self) -> tuple[str, ...]:
        """The fields that have changed on both sides, differently."""
        return tuple(dict.fromkeys(change.field for change in self.by_hand if change.both))

    @property
    def reason(self) -> str:
        return f"changed in Harness and kept: {', '.join(self.kept)}" if self.kept else ""


def merge(
    wish: Desired,
    last: Fields | None,
    have: Fields,
    strategy: Strategy,
    taken: Iterable[str] = (),
    now: datetime | None = None,
) -> Merged:
    """Settle every field. What people changed in Harness stays, but for the fields in `taken`: there PagerDuty's is taken.

    last: None for an object that we did not write. now: what is over by then, or has begun, cannot differ any more.
    """
    after, synced, by_hand, kept, clock = {}, {}, [], [], _Clock(now)
    for name, want in wish.fields.items():
        base, there = (last or {}).get(name, _UNKNOWN), have.get(name)
        if base is _UNKNOWN:
            after[name], synced[name] = _take_over(wish, name, there, strategy), want
            kept += [name] if after[name] != want and name not in SETS and name != "rotations" else []
            continue
        if name == "rotations" and wish.merge:
            theirs = (last or {}).get(THEIRS, [])
            after[name], synced[name], changes = _settle_beside(theirs, clock, (base, want, there), name in taken)
            by_hand += changes
            kept += [name] if changes and name not in taken else []
            continue
        settle = _settle_set if name in SETS else _settle_rotations if name == "rotations" else _settle_whole
        settle = _settle_zone if name == "time_zone" and _list_beside(wish, last, have, clock) else settle
        after[name], synced[name], changes = settle(clock, name, (base, want, there), name in taken)
        by_hand += changes
        kept += [name] if changes and name not in taken and name not in SETS else []
    if wish.merge and wish.kind == "schedules":
        ours = {rotation["name"] for rotation in wish.fields["rotations"]}
        found = [rotation for rotation in have.get("rotations") or () if rotation["name"] not in ours]
        synced[THEIRS] = (last or {}).get(THEIRS, found)
    return Merged(after, synced, tuple(by_hand), tuple(kept))


def brief(value: Any) -> str:
    """A value in a question: short, and the same on every run."""
    if isinstance(value, list):
        return f"{len(value)} entries" if value and isinstance(value[0], dict) else ", ".join(map(str, value)) or "none"
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def are_same(one: Fields, other: Fields, now: datetime | None) -> bool:
    """Whether two overrides put the same person on call from `now` on."""
    return all(_Clock(now).same(name, one.get(name), other.get(name)) for name in {*one, *other})


def has_ended(fields: Fields, now: datetime | None, name: str = "end") -> bool:
    """Whether an override (`end`) or a rotation (`until`) is over."""
    return _Clock(now).is_past(fields.get(name))


@dataclass(frozen=True)
class _Clock:
    """Tells values apart as far as the future goes: since when something has been on pages nobody otherwise."""

    now: datetime | None

    def is_past(self, moment: str | None) -> bool:
        return bool(self.now and moment and datetime.fromisoformat(moment) <= self.now)

    def same(self, name: str, one: Any, other: Any) -> bool:
        if one is _UNKNOWN or other is _UNKNOWN:
            return one is other
        if name == "start":
            return one == other or (self.is_past(one) and self.is_past(other))
        return self._without_past(one) == self._without_past(other) if name == "rotations" else one == other

    def _without_past(self, rotation: Fields) -> Fields:
        return {**rotation, "since": None if self.is_past(rotation.get("since")) else rotation.get("since")}

    def compare(self, name: str, *values: Any) -> list[Any]:
        """The values as they are told and remembered: without starts of rotations that are the same or past."""
        there: list[Any] = [None if value is _UNKNOWN else value for value in values]
        if name != "rotations" or None in there or len({self._without_past(r)["since"] for r in there}) > 1:
            return there
        return [{field: value for field, value in r.items() if field != "since"} for r in there]

    def list_on(self, rotations: Iterable[Fields] | None) -> dict[str, Fields]:
        """By name, without those that are over: what time alone has ended, nobody has changed."""
        return {r["name"]: r for r in rotations or () if not self.is_past(r.get("until"))}


Three = tuple[Any, Any, Any]
"""last, want, have"""


def _settle_whole(clock: _Clock, name: str, three: Three, taken: bool) -> tuple[Any, Any, list[ByHand]]:
    return _settle(clock, name, "", three, taken)


def _settle(clock: _Clock, name: str, part: str, three: Three, taken: bool) -> tuple[Any, Any, list[ByHand]]:
    """(after, synced, changes by hand). What is kept against PagerDuty stays known as it was, and goes on being kept."""
    last, want, have = three
    unchanged = clock.same(name, last, want)
    if clock.same(name, want, have):
        return have, last if unchanged else want, []
    if clock.same(name, last, have):
        return want, want, []
    told_have, told_want = clock.compare(name, have, want)
    changes = [ByHand(name, part, told_have, told_want, not unchanged)]
    return (want, want, changes) if taken else (have, last, changes)


def _settle_rotations(clock: _Clock, name: str, three: Three, taken: bool) -> tuple[Any, Any, list[ByHand]]:
    """One by one, by their names. Those that are over go with the next write, if they are ours."""
    last, want, have = (clock.list_on(rotations) for rotations in three)
    names = list(dict.fromkeys([*want, *have, *last]))
    settled = [
        _settle(clock, name, each, tuple(side.get(each, _UNKNOWN) for side in (last, want, have)), taken)
        for each in names
    ]
    after = [rotation for rotation, _, _ in settled if rotation is not _UNKNOWN]
    synced = [rotation for _, rotation, _ in settled if rotation is not _UNKNOWN]
    changes = [change for _, _, found in settled for change in found]
    as_it_is = sorted(after, key=_name) == sorted(have.values(), key=_name)
    as_it_was = sorted(synced, key=_name) == sorted(last.values(), key=_name)
    ours = {rotation["name"] for rotation in three[0]} | {rotation["name"] for rotation in after}
    others = [r for r in three[2] or () if r["name"] not in have and r["name"] not in ours]
    return three[2] if as_it_is else [*after, *others], three[0] if as_it_was else synced, changes


def _settle_beside(theirs: list[Fields], clock: _Clock, three: Three, taken: bool) -> tuple[Any, Any, list[ByHand]]:
    """Of a schedule that ours was merged with: what was there before us is wanted as it was then; what else is by hand."""
    last, want, have = three
    names = {rotation["name"] for rotation in theirs}
    after, synced, changes = _settle_rotations(clock, "rotations", ([*theirs, *last], [*theirs, *want], have), taken)
    return after, [rotation for rotation in synced if rotation["name"] not in names], changes


def _list_beside(wish: Desired, last: Fields | None, have: Fields, clock: _Clock) -> set[str]:
    """The rotations that were in Harness before ours were merged with them, and are on still."""
    theirs = (last or {}).get(THEIRS, []) if wish.merge else []
    return {rotation["name"] for rotation in theirs} & clock.list_on(have.get("rotations")).keys()


def _settle_zone(clock: _Clock, name: str, three: Three, taken: bool) -> tuple[Any, Any, list[ByHand]]:
    """Harness has one zone for a schedule: rotations that are not PagerDuty's would turn at other times by its new one."""
    last, want, have = three
    if want == have or last != have:
        return _settle_whole(clock, name, three, taken)
    return want if taken else have, want if taken else last, [ByHand(name, "", have, want, True, beside=True)]


def _name(rotation: Fields) -> str:
    return str(rotation["name"])


def _settle_set(clock: _Clock, name: str, three: Three, taken: bool) -> tuple[Any, Any, list[ByHand]]:
    """By hand is who was added or removed in Harness and not in PagerDuty."""
    last, want, have = three
    merged = _merge_sets(last, want, have or [])
    if sorted(map(repr, merged)) == sorted(map(repr, want)):
        return merged, want, []
    after = want if taken else merged
    return after, want, [ByHand(name, "", have or [], want, False)]


def _take_over(wish: Desired, name: str, have: Any, strategy: Strategy) -> Any:
    """A field of an object that was there before us."""
    want = wish.fields[name]
    if name in SETS:
        return want if wish.adopt and not wish.merge else _merge_sets([], want, have or [])
    if name == "rotations" and wish.merge:
        ours = {rotation["name"] for rotation in want}
        return [*(rotation for rotation in have or () if rotation["name"] not in ours), *want]
    return have if _belongs_to_them(wish, name, have, strategy) else want


def _belongs_to_them(wish: Desired, name: str, have: Any, strategy: Strategy) -> bool:
    """What was there before us stays: the name of what is taken over, and what people set for themselves."""
    if KINDS[wish.kind].own:  # without a ledger the strategy decides, not the source
        return bool(have) and strategy == "preserve"
    return name in ("name", "description") and bool(have)


def _merge_sets(last: list[Any], want: list[Any], have: list[Any]) -> list[Any]:
    """What is there, plus what the source added, minus what it dropped of what we wrote; one order for all."""
    dropped = [part for part in last if part not in want]
    kept = [part for part in have if part not in dropped]
    merged = kept + [part for part in want if part not in kept and part not in last]
    return have if sorted(map(repr, merged)) == sorted(map(repr, have)) else sorted(merged, key=repr)
