"""Who stands in a schedule: everybody has an account or an invitation, or the schedule is held whole, never shortened."""

from collections.abc import Iterable

from pdmigrate.decisions import Conflict, Option
from pdmigrate.mapping.work import FieldFate, Work
from pdmigrate.pagerduty.records import Reference


def participants_known(work: Work, schedule, users: Iterable[Reference]) -> bool:
    """Whether all of them can be paged, or their places may stay empty; otherwise the schedule is booked as held."""
    for user in users:
        if user.deleted_at or user.id not in work.account.users:
            if not _allow_empty_place(work, schedule, user):
                return False
        elif user.id not in work.emails and user.id not in work.nobodies:
            name = user.summary or user.id
            reason = f"{name} stands in it and has neither account nor invitation"
            work.lose("schedules", schedule.id, schedule.name, reason, user.id in work.undecided)
            return False
    return True


def _allow_empty_place(work: Work, schedule, user: Reference) -> bool:
    answer = work.questions.ask(_ask_dangling(schedule, user))
    if answer is not None and answer.choice == "empty_place":
        return True
    why = "left out by decision" if answer else "open question"
    work.lose(
        "schedules",
        schedule.id,
        schedule.name,
        f"{why}: {user.summary or user.id} is not in PagerDuty any more",
        answer is None,
    )
    return False


def _ask_dangling(schedule, user: Reference) -> Conflict:
    since = f" since {user.deleted_at[:10]}" if user.deleted_at else ""
    return Conflict(
        about="dangling_reference",
        kind="schedules",
        id=f"{schedule.id}/{user.id}",
        name=schedule.name,
        question=f"{schedule.name} names {user.summary or user.id} ({user.id}), who is not in PagerDuty any more{since}.",
        meaning="Nobody of this layer is on call in those turns, today as well.",
        options=(
            Option(name="empty_place", effect="the turns stay, and stay empty: as it is now"),
            Option(name="leave_out", effect="the schedule is not moved"),
        ),
        recommended="empty_place",
        changes_paging=not user.deleted_at,
    )


def people_needed(work: Work, users: Iterable[Reference]) -> tuple[tuple[str, str], ...]:
    """What must be there before the schedule is."""
    return tuple(("users", id) for id in sorted({user.id for user in users if user.id in work.emails}))


def tell_empty(work: Work, users: Iterable[Reference]) -> list[FieldFate]:
    """Whose turns stay empty: who is not in PagerDuty any more, and who is nobody by decision."""
    users = tuple(users)
    gone = {u.summary or u.id for u in users if u.deleted_at or u.id not in work.account.users}
    nobodies = {work.account.users[u.id].name for u in users if u.id in work.nobodies}
    reasons = ((gone, "deleted in PagerDuty"), (nobodies, "nobody, by decision"))
    said = [f"turns of {', '.join(sorted(names))} stay empty: {why}" for names, why in reasons if names]
    return [FieldFate("users", "changed", "; ".join(said))] if said else []
