"""The question about ways to reach a person that page him today and do not move: one for each person."""

from collections.abc import Iterable

from pdmigrate.mapping.mapped import Mapped, Outcome
from pdmigrate.pagerduty.records import User
from pdmigrate.plan.actions import Held
from pdmigrate.plan.answers import Conflict, Option


def ask_lost(mapped: Mapped, user: User, outcomes: Iterable[Outcome]) -> None:
    """Ask about what pages the person today and is lost. outcomes: what becomes of his contact methods and rules.

    What is blocked or switched off in PagerDuty pages nobody today; what is asked about a number has a question of its own.
    """
    lost = {outcome.id: outcome.reason for outcome in outcomes if outcome.grade == "lost"}
    bare = (r for r in user.notification_rules if r.start_delay_in_minutes is None or r.contact_method is None)
    unread = [rule for rule in bare if rule.id in lost]
    high = [rule for rule in user.notification_rules if rule.urgency != "low"]
    used = {rule.contact_method.id for rule in high if rule.contact_method is not None}
    silent = [
        method
        for method in user.contact_methods
        if method.id in lost and (method.id in used or unread) and method.enabled and not method.blacklisted
    ]
    asked = mapped.questions.open.keys() | mapped.questions.answered.keys()
    own = {m.id for m in silent for about in ("phone_country", "unknown_number") if f"{about}:{m.id}" in asked}
    said = [f"{m.summary or m.id}: {lost[m.id]}" for m in silent if m.id not in own]
    said += [f"{len(unread)} notification rules came without their delay or contact method"] if unread else []
    if said and mapped.questions.ask(_ask_contacts(user, said)) is None:
        ids = (*(one.id for one in silent), *(one.id for one in unread))
        mapped.held.append(Held("contact_methods", user.id, user.name, "open question: lost contacts", True, ids))


def _ask_contacts(user: User, said: list[str]) -> Conflict:
    return Conflict(
        about="lost_contact",
        kind="contact_methods",
        id=user.id,
        name=user.name,
        question=f"Not all that pages {user.name} today can be carried over: {'; '.join(said)}.",
        meaning="A page may reach the person later than today, by another way, or not at all.",
        options=(
            Option(
                name="leave_out",
                effect="not moved; whoever wants to be reached by it enters it in his profile in Harness",
            ),
        ),
        recommended="leave_out",
        changes_paging=True,
    )
