"""What people must still do, as a section of several pages."""

from collections.abc import Iterable

from pdmigrate.handover.todo import Item
from pdmigrate.pages.report import Section, Tag, make_table

COLUMNS = {"what": "What", "text": "To do", "state": "State", "by": "Ticked by", "at": "At"}


def section_handover(items: Iterable[Item], title: str = "For people to do", fold_from: int = 60) -> Section:
    """Open items first."""
    rows = sorted(items, key=lambda item: item.done)
    left = sum(row["state"].text == "open" for row in rows)
    text = f"{left} of {len(rows)} are open." if rows else ""
    table = make_table(
        rows,
        {
            "What": lambda item: item.what,
            "To do": lambda item: item.text,
            "State": lambda item: Tag("done", "good") if item.done else Tag("open", "warn"),
            "Ticked by": lambda item: item.by,
            "At": lambda item: item.at,
        },
        "Nothing is left for a person to do.",
    )
    return Section(title, text, table, open_up_to=fold_from)
