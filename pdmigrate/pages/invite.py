"""The page of step 3."""

from pdmigrate.invite import People
from pdmigrate.pages.words import section_conflicts
from pdmigrate.report import Figure, Page, Section, Tag, make_table

TONES = {"has an account": "good", "left out": "bad", "undecided": "bad", "mapped by hand": "good"}


def make_page(people: People, status: str) -> Page:
    counts = people.count()
    lead = f"{counts.get('has an account', 0)} of {len(people.matched)} people have an account; {counts.get('to invite', 0)} get an invitation when the plan is loaded."
    figures = tuple(
        Figure(state.capitalize(), str(number), TONES.get(state, "warn")) for state, number in counts.items()
    )
    return Page("invite", "Invite", lead, status, figures, tuple(part(people) for part in PARTS.values()))


def section_people(people: People) -> Section:
    """Everybody, those who are on call most often first."""
    rows = [
        {
            "name": person.name,
            "email": person.email,
            "state": Tag(person.state, TONES.get(person.state, "warn")),
            "harness": person.harness_email,
            "duties": person.duties,
        }
        for person in people.matched
    ]
    columns = {
        "name": "Person",
        "email": "Email in PagerDuty",
        "state": "In Harness",
        "harness": "Paged as",
        "duties": "Places on call",
    }
    text = "Matched by email, without regard to case. An invitation is sent by load, after approval, and never before; its link lives seven days."
    return Section("People", text, make_table(rows, columns))


def section_questions(people: People) -> Section:
    """Open questions about people only."""
    mine = [c for c in people.draft.open.values() if c.kind == "users"]
    return section_conflicts(mine, "Open questions about people", "No question about people is open.")


PARTS = {"people": section_people, "questions": section_questions}
