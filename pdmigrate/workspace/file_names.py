"""File names made of ids and names: what a source calls a thing never says where a file is written."""

import hashlib
import re

LONGEST = 100
_FINGERPRINT = 20
_KEPT_WORDS = 24
"""So much of an odd name stays readable."""
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)
"""Names that are devices on some systems, with any ending."""


def make_file_name(text: str, ending: str = "", longest: int = LONGEST) -> str:
    """A name for one file in one folder: the same for the same text, and another for any other.

    Ids of PagerDuty and identifiers in Harness stay as they are: letters, digits and `_`, small before the last `_` and
    capital behind it, so that no two of them differ in case alone. Anything else keeps what is readable of it, with a
    fingerprint after a `-`, which no other name has.
    """
    head, mark, tail = text.rpartition("_")
    plain = re.fullmatch(r"[A-Za-z0-9_]+", text) and not _RESERVED.fullmatch(text)
    if plain and text == f"{head.lower()}{mark}{tail.upper()}" and len(text + ending) <= longest:
        return text + ending
    words = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:_KEPT_WORDS].strip("-") or "x"
    return f"{words}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:_FINGERPRINT]}{ending}"
