"""Schedules that Harness's rotations cannot say, or only with more dates than anybody can check: a person decides."""

from collections.abc import Callable

from pdmigrate.mapping.dated import MOST_SHIFTS, TooManyDatedError
from pdmigrate.mapping.mapped import Mapped, stop_by
from pdmigrate.mapping.proof import AnySchedule, CannotBeSaidError, Fidelity
from pdmigrate.mapping.rotations import Named
from pdmigrate.oncall.rota import TooManyTurnsError

MOST_WRITTEN = 20_000
"""Rotations with dates that are written where a person wants them all."""

Said = tuple[list[Named], Fidelity]


def map_or_ask(mapped: Mapped, schedule: AnySchedule, say: Callable[[int], Said]) -> Said | None:
    """What `say` makes of it, given how many dated rotations there may be; None where it is held, which is booked."""
    try:
        return _map_within(mapped, schedule, say)
    except CannotBeSaidError as error:
        reason = str(error)
    except (ValueError, OverflowError) as error:
        reason = describe_unread(error)
    hold_unsaid(mapped, schedule, reason)
    return None


def _map_within(mapped: Mapped, schedule: AnySchedule, say: Callable[[int], Said]) -> Said | None:
    try:
        return say(MOST_SHIFTS)
    except TooManyDatedError as error:
        answer = mapped.ask("too_many_dated", "schedules", schedule.id, schedule.name, most=MOST_SHIFTS, error=error)
        if answer is not None and answer.choice == "write_dates":
            return _map_all(say)
        reason = f"{error}, and {MOST_SHIFTS} is what somebody can check"
        mapped.stop("schedules", schedule, [stop_by(answer, reason)])
        return None


def _map_all(say: Callable[[int], Said]) -> Said:
    try:
        return say(MOST_WRITTEN)
    except TooManyDatedError as error:
        raise CannotBeSaidError(f"{error}, and {MOST_WRITTEN:,} are the most that are written") from None


def describe_unread(error: Exception, what: str = "it") -> str:
    """Why a schedule, or what of it, is not understood."""
    return str(error) if isinstance(error, TooManyTurnsError) else f"{what} cannot be read: {error}"


def hold_unsaid(mapped: Mapped, schedule: AnySchedule, reason: str) -> None:
    """Ask about a schedule that cannot be carried over, and book it as held."""
    answer = mapped.ask("cannot_be_said", "schedules", schedule.id, schedule.name, reason=reason)
    mapped.stop("schedules", schedule, [stop_by(answer, reason)])
