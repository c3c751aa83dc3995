"""Names and identifiers that Harness accepts, made from any name, always the same way.

The PagerDuty id is part of each identifier: names may collide, change case or be all emoji, ids do not. So the
identifier is valid, distinct, and the same on every run and in any order of the input.
"""

import hashlib
import re
import unicodedata

LONGEST = 128
_NAME = re.compile(r"[^A-Za-z0-9\-_. /]+")


def make_identifier(name: str, source_id: str) -> str:
    """`^[a-zA-Z_][0-9a-zA-Z_$]{0,127}$`, never a reserved word, since it ends in the PagerDuty id."""
    tail = source_id
    if not re.fullmatch(r"[0-9a-zA-Z]{1,60}", source_id):  # a fingerprint keeps it distinct
        fingerprint = hashlib.sha256(source_id.encode()).hexdigest()[:12]
        tail = f"{re.sub(r'[^0-9a-zA-Z]', '', source_id)[:40]}_{fingerprint}"
    slug = re.sub(r"[^0-9a-zA-Z]+", "_", _plain(name)).strip("_").lower()
    slug = slug if re.match(r"[a-z]", slug) else f"pd_{slug}".strip("_")
    return f"{slug[: LONGEST - 1 - len(tail)]}_{tail}"


def make_name(name: str, source_id: str) -> str:
    """1 to 128 characters of A-Z a-z 0-9 - _ . space /. A name with none of them becomes the PagerDuty id."""
    cleaned = " ".join(_NAME.sub(" ", _plain(name)).split())[:LONGEST].strip()
    return cleaned or f"PagerDuty {source_id}"


def make_service_name(name: str, source_id: str) -> str:
    """As make_name, and beginning with a letter, without dots and slashes: CD services are stricter."""
    cleaned = " ".join(re.sub(r"[./]", " ", make_name(name, source_id)).split()) or f"PagerDuty {source_id}"
    return cleaned if re.match(r"[A-Za-z_]", cleaned) else f"s {cleaned}"[:LONGEST].strip()


def _plain(text: str) -> str:
    """Letters without their accents: Zürich is Zurich."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
