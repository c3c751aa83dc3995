"""The page of step 4."""

from pdmigrate.conflicts import Decided
from pdmigrate.pages.words import KIND_NAMES, list_changes, section_conflicts
from pdmigrate.report import Figure, Page, Section, Tag, make_table

RISKIEST = (
    "escalation_policies",
    "schedules",
    "overrides",
    "services",
    "users",
    "teams",
    "contact_methods",
    "notification_rules",
)
VERB_TONES = {"create": "good", "update": "warn", "adopt": "warn", "keep": "plain", "handover": "warn"}


def make_page(decided: Decided, status: str) -> Page:
    open_count, writes = len(decided.draft.open), sum(action.writes for action in decided.plan.actions)
    lead = _tell_lead(decided, open_count, writes)
    figures = (
        Figure("Open questions", str(open_count), "warn" if open_count else "good"),
        Figure("Answered", str(len(decided.draft.answered))),
        Figure("To write", str(writes)),
        Figure("Held", str(len(decided.plan.held)), "warn" if decided.plan.held else "good"),
    )
    facts = (("Plan", decided.plan.digest), ("Snapshot", decided.plan.source[:12]), ("Target", decided.plan.target))
    return Page(
        "conflicts", "Conflicts and plan", lead, status, figures, tuple(part(decided) for part in PARTS.values()), facts
    )


def _tell_lead(decided: Decided, open_count: int, writes: int) -> str:
    if decided.refusals:
        return "The plan is refused: " + " ".join(decided.refusals)
    if open_count:
        return f"{open_count} questions wait for an answer; the plan would write {writes} objects."
    if decided.plan.empty:
        return "Nothing to do: Harness is as PagerDuty says."
    approved = f"approved by {decided.approval.by}" if decided.approval else "not approved yet"
    return f"Every question is answered. The plan writes {writes} objects and is {approved}."


def section_open(decided: Decided) -> Section:
    return section_conflicts(decided.draft.open.values(), "Open questions", "No question is open.")


def section_answers(decided: Decided) -> Section:
    """What was decided, by whom, and why."""
    rows = [
        {
            "about": a.conflict.about.replace("_", " "),
            "name": a.conflict.name,
            "question": a.conflict.question,
            "choice": " ".join(filter(None, (a.choice.replace("_", " "), a.value))),
            "by": a.by,
            "why": a.why,
        }
        for a in decided.draft.answered.values()
    ]
    columns = {
        "about": "Class",
        "name": "Object",
        "question": "Question",
        "choice": "Decision",
        "by": "By",
        "why": "Why",
    }
    return Section(
        "Decisions", table=make_table(rows, columns, empty="Nothing had to be decided."), folded=len(rows) > 40
    )


def section_counts(decided: Decided) -> Section:
    """The plan by kind."""
    rows = [{"kind": KIND_NAMES[kind], **counts} for kind, counts in decided.plan.count().items()]
    columns = {
        "kind": "Kind",
        "create": "Create",
        "update": "Update",
        "adopt": "Adopt",
        "keep": "Keep",
        "handover": "For a person",
    }
    return Section("The plan", f"Digest {decided.plan.digest}. Nothing is ever deleted.", make_table(rows, columns))


def section_actions(decided: Decided) -> Section:
    """Everything that changes, riskiest kind first, field by field."""
    changing = sorted(
        (a for a in decided.plan.actions if a.verb != "keep"), key=lambda a: (RISKIEST.index(a.kind), a.name.casefold())
    )
    rows = [
        {
            "kind": KIND_NAMES[a.kind],
            "name": a.name,
            "verb": Tag(a.verb, VERB_TONES[a.verb]),
            "changes": list_changes(a),
            "reason": a.reason,
        }
        for a in changing
    ]
    columns = {"kind": "Kind", "name": "Object", "verb": "Action", "changes": "Before → after", "reason": "Note"}
    return Section(
        "What will be written", table=make_table(rows, columns, empty="Nothing: everything is as it should be.")
    )


def section_held(decided: Decided) -> Section:
    """What is in no action, and why."""
    rows = [{"kind": KIND_NAMES[h.kind], "name": h.name, "reason": h.reason} for h in decided.plan.held]
    table = make_table(rows, {"kind": "Kind", "name": "Object", "reason": "Why"}, empty="Nothing is held back.")
    return Section("Held back", table=table)


PARTS = {
    "open": section_open,
    "answers": section_answers,
    "counts": section_counts,
    "actions": section_actions,
    "held": section_held,
}
