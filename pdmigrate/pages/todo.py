"""What people must still do, as a section of several pages."""

from collections.abc import Iterable

from pdmigrate.handover.todo import Item
from pdmigrate.pages.report import Section, Tag, make_table

COLUMNS = {"what": "What", "text": "To do", "state": "State", "by": "Ticked by", "at": "At"}


def section_handover(items: Iterable[Item], title: str = "For people to do", fold_from: int = 60) -> Section:
    """Open items first."""
    rows = [
        {
            "what": item.what,
            "text": item.text,
            "state": Tag("done", "good") if item.done else Tag("open", "warn"),
            "by": item.by,
            "at": item.at,
        }
        for item in sorted(items, key=lambda item: item.done)
    ]
    left = sum(row["state"].text == "open" for row in rows)
    text = f"{left} of {len(rows)} are open." if rows else ""
    return Section(
        title, text, make_table(rows, COLUMNS, "Nothing is left for a person to do."), folded=len(rows) > fold_from
    )
