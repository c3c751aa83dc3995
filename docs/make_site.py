"""Makes the docs a site that is searched offline, in any browser, from file://. Every warning is an error.

    python docs/make_site.py [FOLDER]

The pages are those of docs/, the README, one for each class of questions and each guard (made from the tables by which
they are asked), and one for the public names (made from their docstrings).
"""

import inspect
import re
import shutil
import sys
import tempfile
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path

from sphinx.cmd.build import build_main

import pdmigrate
from pdmigrate.errors import PdmigrateError
from pdmigrate.pages import explained
from pdmigrate.plan.answers import CLASSES, ONE_STATE
from pdmigrate.plan.explained import QUESTIONS
from pdmigrate.plan.explained_guards import GUARDS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "site"
TOLD = {
    "Use it": "walkthrough stakeholders troubleshooting schedulers installs frames glossary summary",
    "What it asks": "questions guards",
    "Look inside": "api architecture targets oncall-contract security proof reliability performance mission",
}
"""The menu; a page of docs/ that is not here stands at its end."""
UNLISTED = "---\norphan: true\n---"
"""Sixty pages in the menu of each of them would hide the others, and take twice the time."""


def make_site(folder: Path) -> int:
    """Build the site into the folder. Returns 0, or 1 where anything is to be said against it."""
    with tempfile.TemporaryDirectory() as scratch:
        write_sources(Path(scratch))
        shutil.rmtree(folder, ignore_errors=True)
        code = build_strictly(Path(scratch), folder)
    shutil.copytree(ROOT / "reports" / "example", folder / "reports" / "example")
    return code


def build_strictly(source: Path, folder: Path) -> int:
    """Build pages of Markdown. Returns 0, or 1 where a link leads nowhere or anything else is wrong, which stderr says."""
    with tempfile.TemporaryDirectory() as trees:
        places = ("-c", str(ROOT / "docs"), "-d", trees, str(source), str(folder))
        return build_main(["-q", "-W", "--keep-going", "-b", "html", *places])


def write_sources(source: Path) -> None:
    """All pages as Markdown, in one folder with the pictures."""
    shutil.copytree(ROOT / "docs" / "pictures", source / "pictures")
    for plot in (ROOT / "docs").glob("*.svg"):
        shutil.copy(plot, source)
    pages = {path.stem: flatten_links(path.read_text(encoding="utf-8")) for path in (ROOT / "docs").glob("*.md")}
    pages |= {f"questions/{about}": describe_question(about) for about in CLASSES}
    pages |= {f"guards/{name}": describe_guard(name) for name in GUARDS}
    pages |= {"questions": list_questions(), "guards": list_guards(), "api": "\n\n".join(describe_api())}
    named = " ".join(TOLD.values()).split()
    others = sorted(name for name in pages if "/" not in name and name not in named)
    menu = {**{caption: names.split() for caption, names in TOLD.items()}, **({"More": others} if others else {})}
    readme = flatten_links((ROOT / "README.md").read_text(encoding="utf-8"))
    pages["index"] = "\n\n".join([readme, *(write_menu(names, caption) for caption, names in menu.items())])
    for name, text in pages.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / f"{name}.md").write_text(text, encoding="utf-8")


def flatten_links(text: str) -> str:
    """Links between files of the checkout, as they are where all pages lie in one folder."""
    text = re.sub(r"\]\((?:\.\./)?reports/example/([^)]*)\)", r"](example:\1)", text)
    text = re.sub(r"\[docs/[^]]*\](?=\(docs/)", "[]", text)  # a link without words has the title of its page
    return text.replace("](../README.md", "](index.md").replace("](docs/", "](")


def write_menu(names: Iterable[str], caption: str) -> str:
    return "\n".join([":::{toctree}", ":hidden:", f":caption: {caption}", "", *names, ":::"])


def describe_question(about: str) -> str:
    """The page of a class."""
    said, questions = QUESTIONS[about], explained.list_questions(about)
    asked = [f"> {quote(text)}" + (f" *({explained.spell(kind)})*" if kind else "") for kind, text in questions]
    lead = f"The question *{explained.spell(about)}* (`{about}`), one of [all questions](../questions.md)."
    parts = [UNLISTED, f"# {said.title}", lead, quote(said.means)]
    parts += ["## How it is asked", *asked] if asked else []
    parts += ["## The options, and what each does to paging"]
    parts += [
        "\n".join(
            f"- **{explained.spell(o)}**{f' (`{o}`)' * ('_' in o)}: {quote(e)}."
            for o, e in explained.list_options(about)
        )
    ]
    parts += [f"Recommended: {explained.name_recommended(about)}."]
    if explained.needs_person(about):
        parts += ["As a rule that changes who is paged, so that only a person may say it."]
    else:
        parts += ["Where that changes nobody's paging, `open_conflicts: recommended` may take it without a person."]
    return "\n\n".join([*parts, "## What to do", quote(said.advice), "## The answer", *write_answer(about)])


def write_answer(about: str) -> Iterator[str]:
    """How an answer stands in decisions.yaml."""
    option = next((o for o in CLASSES[about] if explained.name_value(about, o)), CLASSES[about][0])
    value = explained.name_value(about, option)
    one = about in ONE_STATE
    yield "Answered in the notebook 4 (3 for people), or in `decisions.yaml`:"
    lines = ["decisions:", f"- conflict: {about}", f"  object: ID{'' if one else '        # or all'}"]
    lines += [f"  choice: {option}", *([f"  value: ...         # {value}"] if value else [])]
    lines += ["  question: DIGEST   # the question names it"] if one else []
    yield "\n".join(["```yaml", *lines, "  by: ann", "  why: ...", "```"])


def describe_guard(name: str) -> str:
    """The page of a guard."""
    said = GUARDS[name]
    lines = ["waivers:", f"- guard: {name}", "  plan: DIGEST", "  by: ann", "  why: ...", "  until: 2026-12-01"]
    return "\n\n".join(
        [
            UNLISTED,
            f"# {said.title}",
            f"The guard *{explained.spell(name)}* (`{name}`), one of [all guards](../guards.md).",
            quote(said.means),
            "## What to do",
            quote(said.advice),
            "## To let one plan pass",
            "Only where a person has looked: in the notebook 4, or in `decisions.yaml`, with at least the first twelve "
            "characters of the plan's digest. It holds for that plan, until the end of that day.",
            "\n".join(["```yaml", *lines, "```"]),
        ]
    )


def list_questions() -> str:
    rows = [f"| [{QUESTIONS[about].title}](questions/{about}.md) | `{about}` |" for about in sorted(CLASSES)]
    lead = (
        "What pdmigrate will not decide by itself is a question, with what it means for paging, options and a "
        "recommendation. The same words stand behind each question in the notebooks, and at the end of each page."
    )
    table = "\n".join(["| what | class |", "|---|---|", *rows])
    return f"# Questions\n\n{lead}\n\n{table}"


def list_guards() -> str:
    rows = [f"| [{said.title}](guards/{name}.md) | `{name}` |" for name, said in sorted(GUARDS.items())]
    lead = (
        "A guard is a reason for which a plan is refused. A person may let one plan pass, with a reason and a last day."
    )
    table = "\n".join(["| when | guard |", "|---|---|", *rows])
    return f"# Guards\n\n{lead}\n\n{table}"


def quote(text: str) -> str:
    """A sentence that Markdown leaves as it is; what stands between backticks is code."""
    return re.sub(r"([*_<\[\]])(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\\1", text)


# --- the public names ---


def describe_api() -> Iterator[str]:
    """Every public name with its docstring, what the steps give back, and the errors."""
    named = [(name, getattr(pdmigrate, name)) for name in pdmigrate.__all__]
    yield f"# Python names\n\n{inspect.getdoc(pdmigrate)}\n\nAll of these are imported from `pdmigrate`.\n\n## Functions"
    yield from (describe_thing(name, thing) for name, thing in named if inspect.isfunction(thing))
    yield "## Classes"
    yield from (
        describe_thing(n, thing) for n, thing in named if inspect.isclass(thing) and thing is not PdmigrateError
    )
    yield "## What the steps give back"
    given = {inspect.signature(thing).return_annotation for _, thing in named if inspect.isfunction(thing)}
    own = sorted((g for g in given if inspect.isclass(g) and g not in dict(named).values()), key=lambda g: g.__name__)
    yield from (describe_thing(g.__name__, g) for g in own if g.__module__.startswith("pdmigrate"))
    yield "## Errors\n\nEach message is one line; the code is what the command line ends with."
    yield write_entry("exception", "PdmigrateError", inspect.getdoc(PdmigrateError))
    yield "\n".join(["| error | code | what |", "|---|---|---|", *list_errors(PdmigrateError)])


def describe_thing(name: str, thing: typing.Any) -> str:
    """A function, or a class with its public methods and properties."""
    lines = inspect.getdoc(thing) or ""
    if inspect.isfunction(thing):
        return write_entry("function", f"{name}{read_signature(thing)}", lines)
    members = [(n, m) for n, m in inspect.getmembers(thing) if not n.startswith("_") and inspect.getdoc(m)]
    inner = [
        write_entry("method", f"{n}{read_signature(m)}", inspect.getdoc(m))
        if inspect.isfunction(m)
        else write_entry("property", n, inspect.getdoc(m))
        for n, m in members
        if inspect.isfunction(m) or isinstance(m, property)
    ]
    return write_entry("class", name, "\n\n".join([lines, *inner]), fence="::::")


def read_signature(thing: typing.Any) -> str:
    """Types by their last names, which are linked where they are on the page."""
    said = re.sub(r"\b[a-z_]+(?:\.[a-z_]+)*\.(?=[A-Z])", "", str(inspect.signature(thing)))
    said = re.sub(r"\(self(?:, )?", "(", said)
    return re.sub(r"(: |-> )'([^']+)'", r"\1\2", said)  # written as a text, since it is imported for types only


def write_entry(kind: str, signature: str, text: str | None, fence: str = ":::") -> str:
    return f"{fence}{{py:{kind}}} {signature}\n\n{text}\n{fence}"


def list_errors(error: type[PdmigrateError]) -> Iterator[str]:
    said = (inspect.getdoc(error) or "").split("\n\n")[0].replace("\n", " ")
    yield f"| `{error.__name__}` | {error.exit_code} | {said} |"
    for each in error.__subclasses__():
        yield from list_errors(each)


if __name__ == "__main__":
    sys.exit(make_site(Path(sys.argv[1]) if sys.argv[1:] else FOLDER))
