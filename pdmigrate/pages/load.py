"""The page of step 5."""

from pdmigrate.pages.report import Figure, Page, Section, Tag, make_table
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.steps.load import OUTCOMES, Loaded

TONES = {"created": "good", "updated": "good", "adopted": "good", "failed": "bad", "skipped": "warn", "waiting": "warn"}


def make_page(loaded: Loaded, status: str) -> Page:
    counts = {
        outcome: sum(done.outcome == outcome for done in loaded.done)
        for outcome in (*OUTCOMES, "handed_over", "waiting")
    }
    written = counts["created"] + counts["updated"] + counts["adopted"]
    lead = (
        "Nothing was to be done."
        if loaded.plan.empty
        else f"{written} actions done, {counts['failed']} failed, {counts['waiting']} wait for approval."
    )
    figures = (
        Figure("Done", str(written), "good"),
        Figure("As they were", str(counts["kept"])),
        Figure("For a person", str(counts["handed_over"]), "warn" if counts["handed_over"] else "plain"),
        Figure("Failed", str(counts["failed"]), "bad" if counts["failed"] else "good"),
        Figure("Waiting", str(counts["waiting"]), "warn" if counts["waiting"] else "good"),
        Figure("Requests to Harness", str(loaded.requests)),
    )
    facts = (("Plan", loaded.plan.digest), ("Approved by", loaded.approved_by or "nobody"))
    return Page("load", "Load", lead, status, figures, tuple(part(loaded) for part in PARTS.values()), facts)


def section_kinds(loaded: Loaded) -> Section:
    """Source objects by kind and outcome."""
    rows = [{"kind": KIND_NAMES[kind], **counts} for kind, counts in loaded.count_kinds().items()]
    columns = {"kind": "Kind", **{outcome: outcome.capitalize() for outcome in OUTCOMES}}
    return Section("By kind", table=make_table(rows, columns))


def section_trouble(loaded: Loaded) -> Section:
    """What failed, with the error, and what was skipped, with the reason."""
    rows = [
        _row(done.action.kind, done.action.name, done.outcome, done.note)
        for done in loaded.done
        if done.outcome in ("failed", "skipped")
    ]
    rows += [_row(held.kind, held.name, "skipped", held.reason) for held in loaded.held]
    columns = {"kind": "Kind", "name": "Object", "outcome": "Outcome", "note": "Why"}
    return Section("Skipped and failed", table=make_table(rows, columns, empty="Nothing was skipped, nothing failed."))


def section_done(loaded: Loaded) -> Section:
    """What was written, what waits, and what a person makes."""
    rows = [
        _row(done.action.kind, done.action.name, done.outcome, done.note)
        for done in loaded.done
        if done.outcome not in ("kept", "failed", "skipped")
    ]
    columns = {"kind": "Kind", "name": "Object", "outcome": "Outcome", "note": "Note"}
    return Section("Imported", table=make_table(rows, columns, empty="Nothing was written."))


PARTS = {"kinds": section_kinds, "trouble": section_trouble, "done": section_done}


def _row(kind: str, name: str, outcome: str, note: str) -> dict:
    return {
        "kind": KIND_NAMES[kind],
        "name": name,
        "outcome": Tag(outcome.replace("_", " "), TONES.get(outcome, "plain")),
        "note": note,
    }
