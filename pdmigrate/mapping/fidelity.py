"""How long what is written stays right, and what it leans on: said for every schedule, in words for a team lead."""

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from pdmigrate.mapping.rotations import Named, is_documented
from pdmigrate.oncall import rota

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

    def tell(self) -> str:
        """The grade in words."""
        day = f"{rota.to_datetime(self.until):%Y-%m-%d}" if self.until is not None else ""
        return {
            "for_ever": "exact for ever",
            "until": f"exact until {day}",
            "within_horizon": f"exact within the horizon, until {day}",
            "not_carried_over": "not carried over",
        }[self.grade]

    def tell_needs(self) -> str:
        """What of Harness it leans on."""
        if self.grade == "not_carried_over":
            return ""
        return "what Harness documents" if self.documented else "our contract too"


class CannotBeSaidError(Exception):
    """No rotations of Harness say the same; the sentence says why."""


NOT_CARRIED = Fidelity("not_carried_over")


def prove(named: list[Named], wanted: rota.Rota, zone: ZoneInfo, start: int, end: int, together: bool = False) -> bool:
    """Same people as wanted in [start, end), under both readings of several rotations (together: joined only)."""
    drawn = [one.rotation.render(zone, start, end) for one in named]
    return wanted == rota.join(drawn) and (together or wanted == rota.stack(drawn))


def grade(named: list[Named], end: int | None, reason: str, dated: int | None = None) -> Fidelity:
    """The fidelity of rotations that are right until `end` (None: for ever). dated: see Fidelity."""
    documented = is_documented(named)
    if end is None:
        return Fidelity("for_ever", None, reason or _tell_end(named), documented)
    all_dated = bool(named) and all(one.dated for one in named)
    return Fidelity("within_horizon" if all_dated else "until", end, reason, documented, dated)


def _tell_end(named: list[Named]) -> str:
    """Where it comes to an end in PagerDuty as well, that it does."""
    ends = [one.rotation.until for one in named if not one.dated]
    last = max((end for end in ends if end is not None), default=None)
    if last is None or None in ends:
        return ""
    return f"it ends on {rota.to_datetime(last):%Y-%m-%d}, in PagerDuty as well"
