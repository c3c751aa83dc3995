"""The page of step 5."""

from collections import Counter

from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import Columns, Figure, Page, Section, Table, Tag, make_table
from pdmigrate.pages.words import KIND_NAMES, table_counts, warn_if
from pdmigrate.steps.load import OUTCOMES, Loaded
from pdmigrate.steps.writing import Done

TONES = {"created": "good", "updated": "good", "adopted": "good", "failed": "bad", "skipped": "warn", "waiting": "warn"}


def make_page(loaded: Loaded) -> Page:
    counts = Counter[str](done.outcome for done in loaded.done)
    written = counts["created"] + counts["updated"] + counts["adopted"]
    lead = (
        "Nothing was to be done."
        if loaded.plan.empty
        else f"{format_number(written, 'action')} done, {counts['failed']:,} failed, {counts['waiting']:,} not approved."
    )
    figures = (
        Figure("Done", str(written), "good"),
        Figure("As they were", str(counts["kept"])),
        Figure("To do by hand", str(counts["handed_over"]), "warn" if counts["handed_over"] else "plain"),
        Figure("Failed", str(counts["failed"]), "bad" if counts["failed"] else "good"),
        Figure("Waiting", str(counts["waiting"]), warn_if(counts["waiting"])),
        Figure("Requests to Harness", str(loaded.requests)),
    )
    facts = (("Plan", loaded.plan.digest), ("Approved by", loaded.approved_by or "not approved"))
    return Page("load", "Load", lead, figures=figures, facts=facts)


def section_kinds(loaded: Loaded) -> Section:
    """Source objects by kind and outcome."""
    columns = {outcome.capitalize(): outcome for outcome in OUTCOMES}
    return Section("By kind", table=table_counts(loaded.count_kinds(), columns))


def section_trouble(loaded: Loaded) -> Section:
    """What failed, with the error, and what was skipped, with the reason."""
    rows = [_row(done) for done in loaded.done if done.outcome in ("failed", "skipped")]
    rows += [(held.kind, held.name, "skipped", held.reason) for held in loaded.held]
    return Section("Skipped and failed", table=_table(rows, "Why", "Nothing was skipped, nothing failed."))


def section_done(loaded: Loaded) -> Section:
    """What was written, what waits, and what a person makes."""
    rows = [_row(done) for done in loaded.done if done.outcome not in ("kept", "failed", "skipped")]
    return Section("Imported", table=_table(rows, "Note", "Nothing was written."))


PARTS = {"kinds": section_kinds, "trouble": section_trouble, "done": section_done}


def _row(done: Done) -> tuple[str, str, str, str]:
    return done.action.kind, done.action.name, done.outcome, done.note


def _table(rows: list[tuple[str, str, str, str]], last: str, empty: str) -> Table:
    columns: Columns[tuple[str, str, str, str]] = {
        "Kind": lambda row: KIND_NAMES[row[0]],
        "Object": lambda row: row[1],
        "Outcome": lambda row: Tag(row[2].replace("_", " "), TONES.get(row[2], "plain")),
        **({last: lambda row: row[3]} if any(row[3] for row in rows) else {}),
    }
    return make_table(rows, columns, empty)
