"""The three-way merge of one object: what was last synced, what the source says now, what the target has now. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

from pdmigrate.actions import Desired, Fields

Strategy = Literal["preserve", "overwrite"]

SETS = {"users", "methods"}
"""Fields that are sets of parts: each part is settled by itself, so that nobody's addition is lost."""
OWN_BY_PEOPLE = {"contact_methods", "notification_rules"}
"""Kinds that people keep for themselves in Harness: without a ledger the strategy decides, not the source."""

_UNKNOWN: Any = object()


@dataclass(frozen=True)
class Merged:
    """The object as it shall be. synced: per field what both sides now have in common, for the ledger.

    both: fields that changed on both sides, differently. kept: those that stay as people changed them in Harness.
    """

    after: Fields
    synced: Fields
    both: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def reason(self) -> str:
        return f"changed in Harness and kept: {', '.join(self.kept)}" if self.kept else ""


def merge(wish: Desired, last: Fields | None, have: Fields, strategy: Strategy) -> Merged:
    """Settle every field. `last` is None for an object that we did not write."""
    after, synced, both, kept = {}, {}, [], []
    for name, want in wish.fields.items():
        base = (last or {}).get(name, _UNKNOWN)
        after[name] = _settle(wish, name, base, want, have.get(name), strategy)
        synced[name] = _note_synced(name, base, want, after[name])
        if base is not _UNKNOWN and name not in SETS and _in_both(base, want, have.get(name)):
            both.append(name)
        if after[name] != want and name not in SETS:
            kept.append(name)
    return Merged(after, synced, tuple(both), tuple(kept))


def brief(value: Any) -> str:
    """A value in a question: short, and the same on every run."""
    if isinstance(value, list):
        return f"{len(value)} entries" if value and isinstance(value[0], dict) else ", ".join(map(str, value)) or "none"
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _in_both(last: Any, want: Any, have: Any) -> bool:
    return last not in (want, have) and want != have


def _settle(wish: Desired, name: str, last: Any, want: Any, have: Any, strategy: Strategy) -> Any:
    if name in SETS and last is _UNKNOWN and wish.adopt and not wish.merge:
        return want
    if name in SETS:
        return _merge_sets([] if last is _UNKNOWN else last, want, have or [])
    if last is _UNKNOWN:
        return have if _belongs_to_them(wish, name, have, strategy) else want
    if last == have:
        return want
    if last == want:
        return have
    return want if strategy == "overwrite" else have


def _note_synced(name: str, last: Any, want: Any, after: Any) -> Any:
    """What is kept in Harness against PagerDuty stays known as it was, so that it goes on being kept."""
    agreed = name in SETS or after == want or last is _UNKNOWN
    return want if agreed else last


def _belongs_to_them(wish: Desired, name: str, have: Any, strategy: Strategy) -> bool:
    """What was there before us stays: the name of what is taken over, and what people set for themselves."""
    if wish.kind in OWN_BY_PEOPLE:
        return bool(have) and strategy == "preserve"
    return name in ("name", "description") and bool(have)


def _merge_sets(last: list, want: list, have: list) -> list:
    """What is there, plus what the source added, minus what it dropped of what we wrote; one order for all."""
    dropped = [part for part in last if part not in want]
    kept = [part for part in have if part not in dropped]
    merged = kept + [part for part in want if part not in kept and part not in last]
    return have if sorted(map(repr, merged)) == sorted(map(repr, have)) else sorted(merged, key=repr)
