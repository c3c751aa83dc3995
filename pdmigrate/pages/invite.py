"""The page of step 3."""

from pdmigrate.mapping.people import find_unused
from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.words import format_time, section_conflicts
from pdmigrate.steps.invite import Matched, People

TONES = {"has an account": "good", "accepted": "good", "left out": "bad", "undecided": "bad", "mapped by hand": "good"}
KINDS = {"person": "", "shared": "shared mailbox", "nobody": "nobody"}


def make_page(people: People) -> Page:
    counts = people.count()
    there = counts.get("has an account", 0) + counts.get("accepted", 0)
    new, pending = counts.get("to invite", 0), counts.get("pending", 0)
    lead = (
        f"{there} of {format_number(len(people.matched), 'person', 'people')} {'has' if there == 1 else 'have'} an account; "
        f"{new} {'gets' if new == 1 else 'get'} an invitation when the plan is loaded, {pending} "
        f"{'has not accepted his' if pending == 1 else 'have not accepted theirs'}."
    )
    figures = tuple(
        Figure(state.capitalize(), str(number), TONES.get(state, "warn")) for state, number in counts.items()
    )
    return Page("invite", "Invite", lead, figures=figures)


def section_people(people: People) -> Section:
    """Everybody; first those who cannot be reached yet, in the order of their next turn on call."""
    text = (
        "Matched by email, without regard to case. An invitation is sent by load, after approval, and never before; its link "
        "lives seven days. Those who cannot be reached yet come first, the next on call before all others."
    )
    text = " ".join([*find_unused(people.draft.mapped), text])
    columns: Columns[Matched] = {
        "Person": lambda person: person.name,
        "Email in PagerDuty": lambda person: person.email,
        "Role in PagerDuty": lambda person: person.role,
        "In Harness": lambda person: Tag(
            _describe_state(person), "bad" if person.link_is_dead else TONES.get(person.state, "warn")
        ),
        "Paged as": lambda person: person.harness_email,
        "Next turn on call": lambda person: format_time(person.next_turn) if person.next_turn else "none soon",
        "Places on call": lambda person: person.duties,
        "Looks like": lambda person: KINDS[person.kind],
    }
    return Section("People", text, make_table(people.matched, columns))


def _describe_state(person: Matched) -> str:
    if person.state != "pending":
        return person.state
    days = f"pending for {format_number(person.days, 'day')}"
    return f"{days}, the link is dead: send it again in Harness" if person.link_is_dead else days


def section_questions(people: People) -> Section:
    """Open questions about people only."""
    mine = [c for c in people.draft.open.values() if c.kind == "users"]
    return section_conflicts(mine, "Open questions about people", "No question about people is open.")


PARTS = {"people": section_people, "questions": section_questions}
