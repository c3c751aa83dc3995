"""A step's result as one self-contained page that opens from a mail, offline, under a policy that lets nothing in."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pdmigrate.pages.markup import asset, environment, trusted
from pdmigrate.pages.show import Figure, Page, Section
from pdmigrate.pages.verdict import DEAD, NOT_COMPARED, ONE_SIDE, OTHERWISE, SILENT, VERDICT_WORDS
from pdmigrate.workspace.folder import STEPS, write_text

TONES = {
    "done": "good",
    "go": "good",
    "waiting": "warn",
    "partial": "warn",
    "not signed off": "warn",
    "failed": "bad",
    "refused": "bad",
    "no-go": "bad",
    "not run": "plain",
    "out of date": "warn",
    **dict.fromkeys((VERDICT_WORDS["nobody"], OTHERWISE, ONE_SIDE, DEAD, SILENT), "bad"),
    NOT_COMPARED: "warn",
}
"""The tone of each status; a status that is not here is plain."""

MENU_FROM = 4
"""A page with fewer headings needs no list of them."""


def write_page(page: Page, folder: Path | str, links: Sequence[tuple[str, str]] = ()) -> Path:
    """Write folder/NAME.html and a CSV file of each table. Links: (file, title) of the pages beside this one."""
    tables = _write_tables(page.sections, page.name, Path(folder))
    shown = replace(page, sections=_anchor_sections(page.sections))
    return _write(Path(folder) / f"{page.name}.html", "page.html", page=shown, tables=tables, links=links)


def write_index(
    folder: Path | str,
    title: str,
    lead: str,
    pages: Sequence[Page],
    facts: Sequence[tuple[str, str]] = (),
    error: str = "",
    sections: Sequence[Section] = (),
    figures: Sequence[Figure] = (),
    figures_from: str = "verify.html",
) -> Path:
    """Write folder/index.html: the run at a glance, a card per step in its order, then those of what is no step. A step that was not run has no link.

    figures: of the whole run; they lead to the rows on the page `figures_from`.
    """
    index = Page("index", title, lead, "", tuple(figures), _anchor_sections(sections), tuple(facts), error)
    tables = _write_tables(sections, "index", Path(folder))
    calm = not any(TONES.get(card.status) == "bad" or card.status == "partial" for card in pages)
    return _write(
        Path(folder) / "index.html",
        "index.html",
        page=index,
        tables=tables,
        cards=pages,
        turns=sum(card.name in STEPS for card in pages),
        figures_from=figures_from,
        links=(),
        calm=calm,
    )


def _write(path: Path, template: str, page: Page, calm: bool = False, **values: Any) -> Path:
    """calm: what stands as the page's error is nothing but what waits for a person."""
    style, script = asset("style.css") + asset("page.css"), asset("filter.js")
    # Base 64 has no character that an attribute would need escaped, and the hash must stand as it is.
    allowed = f"style-src '{_fingerprint(style)}'; script-src '{_fingerprint(script)}'; img-src data:"
    policy = trusted(f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'")
    headings = [section for section in page.sections if section.level == 2]
    values |= {"page": page, "style": style, "script": script, "policy": policy, "tones": TONES, "calm": calm}
    values |= {"menu": headings if len(headings) >= MENU_FROM else [], "here": path.name}
    write_text(path, environment().get_template(template).render(values))
    return path


def _fingerprint(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _write_tables(sections: Sequence[Section], name: str, folder: Path) -> list[str]:
    """One CSV file a table; the answer holds its address for each section, nothing where there is no table."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(f"{name!r} cannot name a page: use letters, digits, - and _.")
    addresses = []
    for number, section in enumerate(sections, 1):
        addresses.append(f"tables/{name}-{number:02d}-{_slug(section.title)}.csv" if section.table else "")
        if section.table:
            section.table.write_csv(folder / addresses[-1])
    return addresses


def _anchor_sections(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Every section with an anchor of its own, since two may have the same title."""
    taken: set[str] = set()
    anchored = []
    for section in sections:
        wanted = section.anchor or _slug(section.title)
        anchor = wanted if wanted not in taken else f"{wanted}-{len(taken) + 1}"
        taken.add(anchor)
        anchored.append(replace(section, anchor=anchor))
    return tuple(anchored)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "section"
