"""The page of what each run did, and of what has changed since the last one."""

from pdmigrate.pages.report import Figure, Page, Section, Tag, make_table
from pdmigrate.pages.words import KIND_NAMES, list_changes
from pdmigrate.steps.history import Change, History, Told

TONES = {"done": "good", "booked": "plain", "failed": "bad", "skipped": "warn", "intended": "bad"}


def make_page(history: History, status: str) -> Page:
    pages = sum(change.pages for change in history.changes)
    lead = f"{len(history.changes)} objects have changed since the last run, {pages} of them change who is paged."
    lead = lead if history.changes else "Nothing has changed on either side since the last run."
    figures = (
        Figure("Runs", str(len(history.runs))),
        Figure("Changed since", str(len(history.changes))),
        Figure("Of these change who is paged", str(pages), "warn" if pages else "good"),
        Figure("To write now", str(len(history.to_do))),
    )
    return Page("history", "History and drift", lead, status, figures, tuple(part(history) for part in PARTS.values()))


def section_changes(history: History) -> Section:
    """What is not as the last run left it; what changes paging comes first."""
    rows = [
        {
            "side": change.side,
            "kind": KIND_NAMES.get(change.kind, change.kind),
            "name": change.name,
            "what": change.what,
            "fields": ", ".join(change.fields),
            "pages": Tag("changes who is paged", "warn") if change.pages else "",
        }
        for change in history.changes
    ]
    columns = {"side": "In", "kind": "Kind", "name": "Object", "what": "Is", "fields": "Fields", "pages": "Paging"}
    empty = "Nothing has changed on either side since the last run."
    return Section("Changed since the last run", table=make_table(rows, columns, empty=empty))


def section_to_do(history: History) -> Section:
    """What a run would write now."""
    rows = [
        {"kind": KIND_NAMES[a.kind], "name": a.name, "verb": a.verb, "changes": list_changes(a)} for a in history.to_do
    ]
    columns = {"kind": "Kind", "name": "Object", "verb": "Action", "changes": "Before → after"}
    return Section("What a run would write now", table=make_table(rows, columns, empty="Nothing."))


def section_runs(history: History) -> Section:
    """Every run with what became of its steps."""
    rows = [
        {
            "run": told.run.number,
            "what": told.run.digest[:12] if told.run.kind == "load" else told.run.digest,
            "started": told.run.started[:19].replace("T", " "),
            "finished": told.run.finished[:19].replace("T", " ") or Tag("open", "warn"),
            "by": told.run.approved_by,
            "steps": tell_counts(told),
        }
        for told in history.runs
    ]
    columns = {
        "run": "Run",
        "what": "Plan",
        "started": "Started (UTC)",
        "finished": "Finished",
        "by": "Approved by",
        "steps": "Steps",
    }
    return Section("Runs", table=make_table(rows, columns, empty="Nothing was ever loaded."))


def section_steps(history: History) -> Section:
    """What each run wrote, object by object."""
    rows = [
        {
            "run": told.run.number,
            "kind": KIND_NAMES.get(step.kind, step.kind),
            "name": step.name,
            "verb": step.verb,
            "state": Tag(step.state, TONES.get(step.state, "plain")),
            "note": step.note,
        }
        for told in history.runs
        for step in told.steps
        if step.state != "done" or step.before != step.after
    ]
    columns = {"run": "Run", "kind": "Kind", "name": "Object", "verb": "Action", "state": "State", "note": "Note"}
    table = make_table(rows, columns, empty="No run has written anything.")
    return Section("Step by step", table=table, folded=len(rows) > 40)


def tell_history(history: History) -> list[str]:
    """The same in lines, for the command line."""
    runs = [_tell_run(told) for told in reversed(history.runs)] or ["Nothing was ever loaded."]
    changes = [_tell_change(change) for change in history.changes] or ["nothing has changed on either side"]
    return [
        *runs,
        "Since the last run:",
        *(f"  {line}" for line in changes),
        f"A run would write {len(history.to_do)}.",
    ]


def tell_counts(told: Told) -> str:
    return ", ".join(f"{number} {word}" for word, number in sorted(told.count().items())) or "nothing to do"


def _tell_run(told: Told) -> str:
    state = "finished" if told.run.finished else "open"
    plan = told.run.digest if told.run.kind == "undo" else f"plan {told.run.digest[:12]}"
    return f"run {told.run.number} {told.run.started[:19]} {state}, {plan}: {tell_counts(told)}"


def _tell_change(change: Change) -> str:
    fields = f" ({', '.join(change.fields)})" if change.fields else ""
    return f"{change.side}: {change.kind} {change.name} {change.what}{fields}{', pages' if change.pages else ''}"


PARTS = {"changes": section_changes, "to_do": section_to_do, "runs": section_runs, "steps": section_steps}
