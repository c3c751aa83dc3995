"""What was asked for in several windows, one after the other, put together: nothing twice, and nothing cut in two."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pdmigrate.pagerduty.records import is_rendered
from pdmigrate.pagerduty.window import Window
from pdmigrate.wire.canonical import canonical_json

Parts = Sequence[tuple[Window, Any]]


def join_rendered(
    parts: Parts, entries: str = "rendered_schedule_entries", edges: tuple[str, str] = ("start", "end")
) -> Any:
    """One rendering out of those of several windows; None where one of them was not rendered.

    entries: where it has what it shows. edges: what an entry calls its start and its end.
    """
    if not all(is_rendered(part, entries) for _, part in parts):
        return None
    seconds = [window.length.total_seconds() for window, _ in parts]
    covered = [(part.get("rendered_coverage_percentage") or 0) * s for (_, part), s in zip(parts, seconds, strict=True)]
    shown = join_entries([(window, part[entries]) for window, part in parts], edges)
    return {**parts[0][1], entries: shown, "rendered_coverage_percentage": round(sum(covered) / sum(seconds), 2)}


def join_entries(parts: Parts, edges: tuple[str, str] = ("start", "end")) -> list[dict]:
    """The entries of all windows in order. One that was cut where two windows meet is whole again."""
    start, end = edges
    joined: list[dict] = []
    open_ends: dict[str, int] = {}
    for window, entries in parts:
        meeting, open_ends = open_ends, {}
        for entry in entries:
            what = canonical_json({k: v for k, v in entry.items() if k not in ("id", *edges)})
            before = meeting.get(what) if _is_at(entry[start], window.since) else None
            if before is not None:
                joined[before] = {**joined[before], end: entry[end]}
            elif entry not in joined:
                joined.append(entry)
            if _is_at(entry[end], window.until):
                open_ends[what] = before if before is not None else joined.index(entry)
    return joined


def _is_at(text: str, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(text) == moment
    except (TypeError, ValueError):
        return False
