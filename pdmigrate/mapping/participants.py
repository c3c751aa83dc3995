"""Who stands in a schedule: everybody has an account or an invitation, or the schedule is held whole, never shortened."""

from collections.abc import Iterable

from pdmigrate.mapping.unusable import find_unusable
from pdmigrate.mapping.work import FieldFate, Stop, Work, read_stop
from pdmigrate.pagerduty.records import Reference
from pdmigrate.plan.answers import Conflict, Option

LEAVE_OUT = Option(name="leave_out", effect="the schedule is not moved, nor what needs it")


def participants_known(work: Work, schedule, users: Iterable[Reference]) -> bool:
    """Whether all of them can be paged, or their places may stay empty; otherwise the schedule is booked as held.

    Everything that has to be asked about them is asked at once.
    """
    each = {user.id: user for user in users}
    return not work.stop("schedules", schedule, [_find_stop(work, schedule, user) for user in each.values()])


def _find_stop(work: Work, schedule, user: Reference) -> Stop | None:
    name = user.summary or user.id
    if user.deleted_at:
        return _allow_empty_place(work, ask_deleted(schedule, user), f"{name} was deleted in PagerDuty")
    if user.id in work.emails or user.id in work.nobodies:
        return None
    if user.id in work.account.users or find_unusable(work, "users", user.id):
        return work.stop_behind("users", user.id, f"{name} stands in it and has neither account nor invitation")
    return _allow_empty_place(work, ask_unlisted(schedule, user), f"no list of PagerDuty shows {name} ({user.id})")


def _allow_empty_place(work: Work, conflict: Conflict, why: str) -> Stop | None:
    answer = work.questions.ask(conflict)
    return None if answer is not None and answer.choice == "empty_place" else read_stop(answer, why)


def ask_deleted(schedule, user: Reference) -> Conflict:
    """Somebody whose account is deleted, by PagerDuty's own word: the places have stayed."""
    since = f" on {user.deleted_at[:10]}" if user.deleted_at else ""
    return Conflict(
        about="deleted_participant",
        kind="schedules",
        id=f"{schedule.id}/{user.id}",
        name=schedule.name,
        question=f"{schedule.name} names {user.summary or user.id} ({user.id}), who was deleted in PagerDuty{since}.",
        meaning="Nobody of this layer is on call in those turns, today as well.",
        options=(
            Option(name="empty_place", effect="the turns stay, and stay empty: as it is now"),
            LEAVE_OUT,
        ),
        recommended="empty_place",
    )


def ask_unlisted(schedule, user: Reference) -> Conflict:
    """Somebody whom no list shows, and of whom PagerDuty does not say that he is deleted."""
    name = user.summary or user.id
    return Conflict(
        about="dangling_reference",
        kind="schedules",
        id=f"{schedule.id}/{user.id}",
        name=schedule.name,
        question=f"{schedule.name} names {name} ({user.id}), whom no list of PagerDuty shows, and who is not said to be "
        "deleted: perhaps the key may not read that user.",
        meaning=f"As far as anybody knows PagerDuty pages {name} in those turns. Use a key that may read that user, "
        "and run preview again: then there is nothing to ask.",
        options=(
            Option(
                name="empty_place",
                effect=f"the turns stay, and stay empty: a hole, in which nobody is paged in place of {name}",
            ),
            LEAVE_OUT,
        ),
        recommended="leave_out",
        changes_paging=True,
    )


def people_needed(work: Work, users: Iterable[Reference]) -> tuple[tuple[str, str], ...]:
    """What must be there before the schedule is."""
    return tuple(("users", id) for id in sorted({user.id for user in users if user.id in work.emails}))


def tell_empty(work: Work, users: Iterable[Reference]) -> list[FieldFate]:
    """Whose turns stay empty: who is deleted, whom no list shows, and who is nobody by decision."""
    users = tuple(users)
    deleted = {u.summary or u.id for u in users if u.deleted_at}
    unlisted = {u.summary or u.id for u in users if not u.deleted_at and u.id not in work.account.users}
    nobodies = {work.account.users[u.id].name for u in users if u.id in work.nobodies}
    reasons = (
        (deleted, "deleted in PagerDuty"),
        (unlisted, "no list of PagerDuty shows them, by decision"),
        (nobodies, "nobody, by decision"),
    )
    said = [f"turns of {', '.join(sorted(names))} stay empty: {why}" for names, why in reasons if names]
    return [FieldFate("users", "changed", "; ".join(said))] if said else []
