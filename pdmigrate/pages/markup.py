"""Text of strangers on our pages: cleaned, masked where asked, and escaped by one environment that never forgets to."""

import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "templates"

# What no file of ours may hold: control characters (a page reads them as errors) and halves of characters.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EMAIL = re.compile(r"([^\s@<>()\[\],;:\"])[^\s@<>()\[\],;:\"]*@([\w.-]+)")
# A date is tried first, since its digits would pass for a phone number.
_DATE_OR_PHONE = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[+-]\d\d:?\d\d|Z)?)?)"
    r"|(?<![\w.:-])(?P<phone>[+＋]?\(?\d[\d \xa0\u2009().-]{5,}\d)(?![\w:])"
)


@cache
def environment() -> Environment:
    """The templates, escaping everything that is not markup of our own."""
    loader = FileSystemLoader(TEMPLATES, encoding="utf-8")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"blocks": split_blocks}
    made.finalize = _finalize
    return made


@cache
def asset(name: str) -> Markup:
    """A style or script of ours as it stands in its file."""
    return trusted((TEMPLATES / name).read_text(encoding="utf-8"))


def trusted(markup: str) -> Markup:
    """Markup of our own, escaped where it was made: the one place where a text becomes markup unseen."""
    return Markup(markup)  # noqa: S704


def clean(text: Any) -> str:
    """The text without what cannot be written to a page or file; everything else stays as it is."""
    if type(text) is str and text.isprintable():  # as nearly all are; what is replaced never is
        return text
    return _UNWRITABLE.sub("\ufffd", "".join(str(text)))


def isolate(text: Any) -> str:
    """The text fenced in, so that a right-to-left name does not turn round the words beside it."""
    return f"\u2068{clean(text)}\u2069"


def split_blocks(text: str) -> list[tuple[str, list[str]]]:
    """Paragraphs and lists: blank lines part them, and lines that all start with "- " are a list."""
    blocks = []
    for part in re.split(r"\n\s*\n", clean(text).strip()):
        lines = [line.strip() for line in part.splitlines() if line.strip()]
        is_list = bool(lines) and all(line.startswith("- ") for line in lines)
        blocks.append(("list", [line[2:] for line in lines]) if is_list else ("text", lines))
    return [block for block in blocks if block[1]]


def mask_text(text: str) -> str:
    """The text with emails and phone numbers made unusable, yet good enough to tell two of them apart."""
    return _DATE_OR_PHONE.sub(_mask_phone, _EMAIL.sub(r"\1…@\2", text))


def mask_markup(markup: str) -> str:
    """Mask the words between the tags, and leave the tags with their numbers alone."""
    return re.sub(r">([^<]+)<", lambda found: f">{escape(mask_text(unescape(found[1])))}<", markup)


def _mask_phone(found: re.Match[str]) -> str:
    number: str = found["phone"] or ""
    # 08-16 17-20 is a pair of windows, and no phone number.
    groups = re.findall(r"\d+", number)
    length = sum(map(len, groups))
    if length < 7 or (length < 9 and max(map(len, groups)) < 3):
        return str(found[0])
    digits = "".join(groups)
    country = digits[: 1 if digits[0] in "17" else 2]
    return f"{'+' + country + ' ' if number[0] in '+＋' else ''}••• {digits[-2:]}"


def _finalize(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
