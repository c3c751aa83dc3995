"""Schedules that Harness's rotations cannot say, or only with more dates than anybody can check: a person decides."""

from collections.abc import Callable

from pdmigrate.mapping.dated import MOST_SHIFTS, TooManyDatedError
from pdmigrate.mapping.mapped import Mapped
from pdmigrate.mapping.proof import AnySchedule, CannotBeSaidError, Fidelity
from pdmigrate.mapping.rotations import Named
from pdmigrate.oncall.rota import TooManyTurnsError
from pdmigrate.plan.answers import Conflict, Option

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
        answer = mapped.questions.ask(_ask_dated(schedule, error))
        if answer is not None and answer.choice == "write_dates":
            return _map_all(say)
        reason = f"{error}, and {MOST_SHIFTS} is what somebody can check"
        decided = answer.conflict.key if answer else ""
        mapped.lose("schedules", schedule.id, schedule.name, reason, answer is None, decided)
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
    answer = mapped.questions.ask(_ask_unsaid(schedule, reason))
    decided = answer.conflict.key if answer else ""
    mapped.lose("schedules", schedule.id, schedule.name, reason, answer is None, decided)


LEAVE = Option(
    name="leave_out", effect="not moved: nobody is paged through it in Harness until a person makes it there by hand"
)


def _ask_unsaid(schedule: AnySchedule, reason: str) -> Conflict:
    return Conflict(
        about="cannot_be_said",
        kind="schedules",
        id=schedule.id,
        name=schedule.name,
        question=f"{schedule.name} cannot be written as rotations of Harness: {reason}.",
        meaning="Whoever it pages today is paged by nobody's schedule in Harness. Change it in PagerDuty, or make it by hand.",
        options=(LEAVE,),
        recommended="leave_out",
        changes_paging=True,
    )


def _ask_dated(schedule: AnySchedule, error: TooManyDatedError) -> Conflict:
    return Conflict(
        about="too_many_dated",
        kind="schedules",
        id=schedule.id,
        name=schedule.name,
        question=f"{schedule.name} can only be written with more than {MOST_SHIFTS} rotations with dates.",
        meaning=f"Nothing that goes on says it: {error}, and they run out unless pdmigrate is run again before.",
        options=(
            LEAVE,
            Option(
                name="write_dates", effect="all of them are written: the same people are paged, as long as they reach"
            ),
        ),
        recommended="leave_out",
        changes_paging=True,
    )
