"""The form of all data frames that results give: the same columns with the same types, however many rows there are.

Text is `str`, a whole number `Int64`, yes or no `bool`, an instant a Timestamp in UTC, a length a Timedelta, a word out of
few a category. What is not known, or is not there, is missing (NaN, NaT, NA), never an empty text.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

TEXT = "str"
NUMBER = "Int64"
YES_NO = "bool"
MOMENT = "datetime64[us, UTC]"
LENGTH = "timedelta64[us]"
Shape = Mapping[str, str | tuple[str, ...]]
"""Columns in their order, each with its type; the words that it may have are those of a category."""

Row = dict[str, Any]
"""What stands under each column."""

LONGEST = 10**12
"""Seconds beyond which no column can hold a length: some 30,000 years."""


def make_frame(title: str, shape: Shape, rows: Iterable[Row]) -> "pd.DataFrame":
    """A data frame of that shape; `attrs["title"]` is what stands above it where it is shown.

    A word that a category does not know is one more of it: PagerDuty has said it.
    """
    import pandas as pd  # takes half a second, which `import pdmigrate` has not

    frame = pd.DataFrame([[row[name] for name in shape] for row in rows], columns=list(shape), dtype=object)
    for name, form in shape.items():
        if isinstance(form, tuple):
            others = sorted({str(word) for word in frame[name].dropna()} - set(form))
            frame[name] = frame[name].astype(pd.CategoricalDtype([*form, *others]))
        else:
            frame[name] = frame[name].astype(form)  # type: ignore[call-overload]
    frame.attrs["title"] = title
    return frame


def read_length(seconds: int | None) -> timedelta | None:
    """A length for a column; None of one that nothing can hold."""
    return None if seconds is None or seconds > LONGEST else timedelta(seconds=seconds)


def read_moment(text: str | None) -> datetime | None:
    """A moment that somebody else has written, for a column; None where there is none, or no one can read it."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def write_cell(value: Any) -> str | None:
    """A field's value for a column of texts: what is no text as JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
