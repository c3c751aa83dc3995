"""Lists that are not whole, as servers under load and proxies give them: the answer as it was, spoiled in one way."""

from collections.abc import Callable, Iterator, Mapping

from pdmigrate.sandbox.store import Json

COUNTS = ("total", "totalItems")
"""How PagerDuty and Harness call the number of all rows."""
MORE = ("more", "hasMoreResults")
"""How they say that more come."""


def spoil(kind: str, body: Json) -> Json:
    """The answer with its list spoiled; what has no list stays as it is."""
    for place, name in list(_find_lists(body)):
        SPOILED[kind](place, name)
    return body


def _find_lists(body: Json) -> Iterator[tuple[Json, str]]:
    """(what it stands in, its name): beside a count, or in Harness's `data`."""
    for place in (body, body.get("data")):
        if isinstance(place, dict) and any(name in place for name in (*MORE, *COUNTS)):
            yield from ((place, name) for name, value in place.items() if isinstance(value, list))


def _empty_with_more(place: Json, name: str) -> None:
    place[name] = []
    said = {name: True for name in MORE if name in place}
    place.update(said or {"totalPages": place.get("totalPages", 1) + 1})


def _halve(place: Json, name: str) -> None:
    rows = place[name]
    place[name] = rows[: len(rows) // 2]


def _repeat(place: Json, name: str) -> None:
    rows = place[name]
    place[name] = [*rows[:-1], rows[0]] if len(rows) > 1 else rows


def _count_more(place: Json, name: str) -> None:
    place.update({count: (place[count] or len(place[name])) + 1 for count in COUNTS if count in place})


def _count_less(place: Json, name: str) -> None:
    place.update({count: max(0, len(place[name]) - 1) for count in COUNTS if count in place})


SPOILED: Mapping[str, Callable[[Json, str], None]] = {
    "more_of_nothing": _empty_with_more,
    "half": _halve,
    "row_twice": _repeat,
    "totals_more": _count_more,
    "totals_less": _count_less,
    "without_rows": lambda place, name: place.pop(name),
}
"""By the kind of the fault."""
