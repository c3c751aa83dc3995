"""The page of what each run did, and of what has changed since the last one."""

from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.words import KIND_NAMES, list_changes, warn_if
from pdmigrate.plan.actions import Action
from pdmigrate.steps.history import Change, History, Told
from pdmigrate.workspace.journal import JournalStep

TONES = {"done": "good", "booked": "plain", "failed": "bad", "skipped": "warn", "intended": "bad"}


def make_page(history: History) -> Page:
    pages = sum(change.pages for change in history.changes)
    told = format_number(len(history.changes), "object has changed", "objects have changed")
    lead = f"{told} since the last run, {pages} of them {'changes' if pages == 1 else 'change'} who is paged."
    lead = lead if history.changes else "Nothing has changed on either side since the last run."
    figures = (
        Figure("Runs", str(len(history.runs))),
        Figure("Changed since", str(len(history.changes))),
        Figure("Of these change who is paged", str(pages), warn_if(pages)),
        Figure("To write now", str(len(history.to_do))),
    )
    return Page("history", "History and drift", lead, figures=figures)


def section_changes(history: History) -> Section:
    """What is not as the last run left it; what changes paging comes first."""
    empty = "Nothing has changed on either side since the last run."
    columns: Columns[Change] = {
        "In": lambda change: change.side,
        "Kind": lambda change: KIND_NAMES.get(change.kind, change.kind),
        "Object": lambda change: change.name,
        "Is": lambda change: change.what,
        "Fields": lambda change: ", ".join(change.fields),
        "Paging": lambda change: Tag("changes who is paged", "warn") if change.pages else "",
    }
    return Section("Changed since the last run", table=make_table(history.changes, columns, empty))


def section_to_do(history: History) -> Section:
    """What a run would write now."""
    columns: Columns[Action] = {
        "Kind": lambda a: KIND_NAMES[a.kind],
        "Object": lambda a: a.name,
        "Action": lambda a: a.verb,
        "Before → after": list_changes,
    }
    return Section("What a run would write now", table=make_table(history.to_do, columns, "Nothing."))


def section_runs(history: History) -> Section:
    """Every run with what became of its steps."""
    undone = find_undone(history)
    columns: Columns[Told] = {
        "Run": lambda told: told.run.number,
        "Plan": lambda told: told.run.digest[:12] if told.run.kind == "load" else told.run.digest,
        "Started (UTC)": lambda told: told.run.started[:19].replace("T", " "),
        "Finished": lambda told: told.run.finished[:19].replace("T", " ") or Tag("open", "warn"),
        "Undone by": lambda told: Tag(f"run {undone[told.run.number]}", "warn") if told.run.number in undone else "",
        "Approved by": lambda told: told.run.approved_by or ("not approved" if told.run.kind == "load" else ""),
        "Steps": describe_counts,
    }
    return Section("Runs", table=make_table(history.runs, columns, "Nothing was ever loaded."))


def section_steps(history: History) -> Section:
    """What each run wrote, object by object."""
    columns: Columns[tuple[int, JournalStep]] = {
        "Run": lambda one: one[0],
        "Kind": lambda one: KIND_NAMES.get(one[1].action.kind, one[1].action.kind),
        "Object": lambda one: one[1].action.name,
        "Action": lambda one: one[1].action.verb,
        "State": lambda one: Tag(one[1].state, TONES.get(one[1].state, "plain")),
        "Note": lambda one: one[1].note,
    }
    rows = [(t.run.number, s) for t in history.runs for s in t.steps if s.state != "done" or s.wrote]
    return Section("Step by step", table=make_table(rows, columns, "No run has written anything."), open_up_to=40)


def list_history(history: History) -> list[tuple[str, str, str, str, str]]:
    """Of each run its number, when it began, how it stands, its plan and its steps, oldest first: for the command line."""
    rows, undone = [], find_undone(history)
    for told in reversed(history.runs):
        state = "finished" if told.run.finished else "open"
        state += f", undone by run {undone[told.run.number]}" if told.run.number in undone else ""
        plan = told.run.digest if told.run.kind == "undo" else f"plan {told.run.digest[:12]}"
        rows.append((f"run {told.run.number}", told.run.started[:19], state, plan, describe_counts(told)))
    return rows


def describe_since(history: History) -> list[str]:
    """What has changed since the last run, and what one would write."""
    lines = ["Since the last run:"]
    for change in history.changes:
        fields = f" ({', '.join(change.fields)})" if change.fields else ""
        pages = ", pages" if change.pages else ""
        lines.append(f"  {change.side}: {change.kind} {change.name} {change.what}{fields}{pages}")
    lines += [] if history.changes else ["  nothing has changed on either side"]
    return [*lines, f"A run would write {len(history.to_do)}."]


def find_undone(history: History) -> dict[int, int]:
    """The loads that were taken back, whole or in part, and the latest run that did it."""
    return {told.run.undoes: told.run.number for told in reversed(history.runs) if told.run.undoes}


def describe_counts(told: Told) -> str:
    return ", ".join(f"{number} {word}" for word, number in sorted(told.count().items())) or "nothing to do"


PARTS = {"changes": section_changes, "to_do": section_to_do, "runs": section_runs, "steps": section_steps}
