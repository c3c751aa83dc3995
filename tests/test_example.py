"""What a visitor looks at before installing, reports/example/ and docs/pictures/, must be what the code makes today."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))


def read_all(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_example_is_not_stale(migrated):
    from make_example import FOLDER, list_shown

    kept = read_all(FOLDER)
    made = {p.relative_to(migrated / "reports" / "by-hand").as_posix(): p.read_bytes() for p in list_shown(migrated)}
    stale = sorted(name for name in kept.keys() | made.keys() if kept.get(name) != made.get(name))
    assert not stale, "make these anew: make example"


def test_the_pictures_are_not_stale():
    from make_pictures import FOLDER, digest_sources

    made_from = json.loads((FOLDER / "made-from.json").read_text())["sha256"]
    assert made_from == digest_sources(), "notebooks or widgets look otherwise now: make example"


def test_every_link_and_picture_in_the_docs_is_there():
    for page in (*ROOT.glob("docs/*.md"), ROOT / "README.md"):
        for address in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / address).exists(), f"{page.name} links {address}"
