"""Faults planted in the code, one at a time: is each caught by the tool itself, on the embedded company?

A mutant is one small edit of the code that maps, renders or writes. The company, its shift-based schedules too, is carried
over with it, in a process of its own, and only the tool may notice: conflicts, load or verify must refuse, ask, ring or break. A mutant that nobody
notices must leave Harness doing just what it does without it; the oracle (proof_effects) says whether it does.
"""

import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "mapping/*.py",
    "oncall/*.py",
    "pagerduty/rota.py",
    "pagerduty/rota_v3.py",
    "pagerduty/readings.py",
    "pagerduty/urgency.py",
    "harness/rota.py",
    "harness/writers.py",
)
CPU_SECONDS = 240
"""Many times what a run takes: a mutant that has used so much processor time hangs, on a quick machine or a slow one."""
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv}


@dataclass(frozen=True)
class Mutant:
    """One edit: of which file, on which line, and what it does, in words. node, edit: which of its edits it is."""

    path: str
    line: int
    words: str
    node: int
    edit: int

    def __str__(self):
        return f"{self.path}:{self.line} {self.words}"

    @property
    def source(self):
        """The whole file with the edit in it."""
        tree = ast.parse((ROOT / self.path).read_text(encoding="utf-8"))
        node = next(node for at, node in enumerate(ast.walk(tree)) if at == self.node)
        list(_list_edits(node))[self.edit][1](node)
        return ast.unparse(ast.fix_missing_locations(tree))


# --- making them ---


def list_mutants(path):
    """Every mutant of a file, in order."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    skipped = {id(node) for node in _list_words(tree)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in skipped:
            for at, (words, _) in enumerate(_list_edits(node)):
                yield Mutant(path, getattr(node, "lineno", 0), words, number, at)


def _list_words(tree):
    """What is said and not done: docstrings, annotations, messages in f-strings, decorators."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield from ast.walk(node)
        if isinstance(node, (ast.JoinedStr, ast.AnnAssign)):
            yield from ast.walk(node)
        for annotation in (getattr(node, "returns", None), getattr(node, "annotation", None)):
            if annotation is not None:
                yield from ast.walk(annotation)
        for decorator in getattr(node, "decorator_list", ()):
            yield from ast.walk(decorator)


def _list_edits(node):
    """(words, the edit) of each edit of a node."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        other = COMPARISONS[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} is {other.__name__}", lambda n: n.ops.__setitem__(0, other())
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        other = ARITHMETIC[type(node.op)]
        yield f"{type(node.op).__name__} is {other.__name__}", lambda n: setattr(n, "op", other())
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} is {other.__name__}", lambda n: setattr(n, "op", other())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield (
            "not is dropped",
            lambda n: (setattr(n, "op", ast.Not()), setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))),
        )
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} is {not node.value}", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield f"{node.value} is {node.value + 1}", lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, (ast.If, ast.IfExp)):
        yield "the condition is always true", lambda n: setattr(n, "test", ast.Constant(True))
        yield "the condition is never true", lambda n: setattr(n, "test", ast.Constant(False))
    if isinstance(node, ast.comprehension) and node.ifs:
        yield "a filter is dropped", lambda n: setattr(n, "ifs", n.ifs[1:])
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "returns None", lambda n: setattr(n, "value", ast.Constant(None))
    if isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args):
        yield "two arguments are swapped", lambda n: n.args.__setitem__(slice(0, 2), [n.args[1], n.args[0]])
    if isinstance(node, (ast.FunctionDef, ast.For, ast.If)):
        for at, statement in enumerate(node.body):
            if isinstance(statement, (ast.AugAssign, ast.Expr)) and not isinstance(
                getattr(statement, "value", None), (ast.Constant, ast.Yield, ast.YieldFrom)
            ):
                yield f"line {statement.lineno} is dropped", lambda n, at=at: n.body.__setitem__(at, ast.Pass())
    if (
        isinstance(node, (ast.Tuple, ast.List))
        and len(node.elts) > 1
        and isinstance(getattr(node, "ctx", None), ast.Load)
    ):
        yield "the last element is dropped", lambda n: setattr(n, "elts", n.elts[:-1])


def choose(number, seed, rooms=ROOMS):
    """So many mutants, by lot, the same for a seed; every file in turn, so that none is left out."""
    found = {room: sorted((ROOT / "pdmigrate").glob(room)) for room in rooms}
    if missing := [room for room, paths in found.items() if not paths]:
        raise ValueError(f"no file is there for {', '.join(missing)}: nothing would be planted in it")
    files = sorted({str(path.relative_to(ROOT)) for paths in found.values() for path in paths})
    lots = {}
    for path in files:
        made = list(list_mutants(path))
        random.Random(f"{seed} {path}").shuffle(made)  # noqa: S311 - a lot
        if made:
            lots[path] = made
    weights = {path: len(made) for path, made in lots.items()}
    lot, chosen = random.Random(seed), []  # noqa: S311 - a lot
    while len(chosen) < number and any(lots.values()):
        path = lot.choices(list(lots), [weights[p] if lots[p] else 0 for p in lots])[0]
        chosen.append(lots[path].pop())
    return chosen


# --- running one ---


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module of the package another source."""

    def __init__(self, mutant):
        self.module = mutant.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        self.source, self.path = mutant.source, str(ROOT / mutant.path)
        self.loaded = False

    def find_spec(self, name, path, target=None):
        if name != self.module:
            return None
        package = self.path.endswith("__init__.py")
        where = [str(Path(self.path).parent)] if package else None
        spec = importlib.util.spec_from_loader(name, self, origin=self.path, is_package=package)
        spec.submodule_search_locations = where
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__file__ = self.path
        self.loaded = True
        exec(compile(self.source, self.path, "exec"), module.__dict__)  # noqa: S102 - the mutant is ours


def carry_over(folder, now, corner=False):
    """Carry the company over. corner: a small part of it only, with all that shift-based schedules may have. Returns what the
    tool noticed, and what Harness does then."""
    from proof_effects import read_effects
    from shift_company import build_shift_company, build_whole_company
    from test_steps import read_harness

    from pdmigrate import conflicts, connect, invite, load, open_job, preview, verify
    from pdmigrate.runs.demo import make_demo_workspace
    from pdmigrate.steps.job import EMBEDDED_KEY
    from pdmigrate.workspace.folder import write_json

    make_demo_workspace(folder)
    company = (build_shift_company if corner else build_whole_company)(now)
    write_json(folder / "sandbox" / "pagerduty.json", company)
    _settle_people(folder, company["users"])
    ids = {row["id"] for rows in company.values() if isinstance(rows, list) for row in rows if isinstance(row, dict)}
    with open_job(folder, clock=lambda: now) as job:
        steps = {"connect": connect, "preview": preview, "invite": invite, "conflicts": conflicts}
        for name, step in steps.items():
            if corner and step is invite:  # a look at the same draft, which conflicts judges as well
                continue
            error = step(job).error
            if error:
                return {"noticed": f"{name}: {error}"}
        error = load(job, "all").error
        if error:
            return {"noticed": f"load: {error}"}
        found = verify(job)
        error = found.error
        if error:
            return {"noticed": f"verify: {error}"}
        effects = read_effects(
            job.target.transport.base_url,
            EMBEDDED_KEY,
            read_harness(job),
            int(found.since.timestamp()),
            int(found.until.timestamp()),
        )
        return {
            "noticed": "",
            "people": sorted([row.email, row.why] for row in (*found.unreachable, *found.doubted)),
            **_describe(effects, ids),
        }


def _settle_people(folder, users):
    """Nearly everybody has an account already, so that who is reached can be seen; two are left to be invited."""
    from pdmigrate.sandbox.company import build_harness_people
    from pdmigrate.sandbox.harness import build_target
    from pdmigrate.sandbox.store import Store

    document = build_target(build_harness_people())
    known = {user["email"] for user in document["users"]}
    pattern = document["users"][0]
    others = sorted((u["email"].strip().lower(), u["name"]) for u in users)
    more = [
        {**copy.deepcopy(pattern), "email": email, "name": name, "uuid": f"uuid{number:018}"}
        for number, (email, name) in enumerate(others)
        if email not in known
    ]
    document["users"] += more[:-2]
    Store(folder / "sandbox" / "harness.json", lambda: document)
    (folder / "sandbox" / "harness.json").write_text(json.dumps(document), encoding="utf-8")


def _describe(effects, ids):
    """What Harness does with every alert, as text: of all that is in it, whoever made it. Objects stand by PagerDuty's id, which
    is a part of their identifiers: what is only called otherwise, wherever it is named, pages as before."""
    watched = {("schedules", id) for id in effects.schedules} | {("escalation_policies", id) for id in effects.policies}
    watched |= {("services", id) for id in effects.settings}
    told = {person: effects.told(person) for person in sorted(effects.list_paged(watched))}
    sources = {id: next((part.upper() for part in id.split("_") if part.upper() in ids), id) for _, id in watched}
    found = {}
    for (kind, id), done in effects.describe(watched).items():
        text = done if isinstance(done, str) else json.dumps(done)
        for identifier in sorted(sources, key=len, reverse=True):
            text = text.replace(f'{identifier}"', f'{sources[identifier]}"')
            text = text.replace(f"{identifier}/", f"{sources[identifier]}/")
        found.setdefault(f"{kind} {sources[id]}", []).append(json.dumps(_sort_names(json.loads(text))))
    return {"effects": {place: sorted(done) for place, done in found.items()}, "told": told}


def _sort_names(value):
    """Whoever is paged together stands in one order."""
    if not isinstance(value, list):
        return value
    return sorted(value) if all(isinstance(one, str) for one in value) else [_sort_names(one) for one in value]


def run_one(mutant, now, corner=False):
    """Run a mutant (None: the code as it is) in a process of its own; what it left, or that it broke or hung."""
    folder = Path(tempfile.mkdtemp(prefix="mutant"))
    answer = folder / "answer.json"
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 1)
            os.dup2(devnull, 2)
            finder = _forget_package(mutant)
            found = carry_over(folder / "acme", now, corner)
            if finder and not finder.loaded:
                found = {"noticed": "", "unused": True}
            answer.write_text(json.dumps(found), encoding="utf-8")
            code = 0
        except BaseException as error:
            last = traceback.extract_tb(error.__traceback__)[-1].name if error.__traceback__ else ""
            answer.write_text(json.dumps({"noticed": f"breaks: {type(error).__name__}: {error} ({last})"}))
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    try:
        found = json.loads(answer.read_text(encoding="utf-8")) if answer.is_file() else {}
        return found or {
            "noticed": f"hangs: more than {CPU_SECONDS} s of processor time (signal {os.WTERMSIG(status)})"
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _forget_package(mutant):
    """Whatever of the package was imported before is imported anew, the mutant in place of its module."""
    for name in [
        name
        for name in sys.modules
        if name.partition(".")[0] in ("pdmigrate", "test_steps", "proof_effects", "shift_company", "small_company")
    ]:
        del sys.modules[name]
    if mutant is None:
        return None
    sys.meta_path.insert(0, finder := _Finder(mutant))
    return finder


def judge_mutant(found, base):
    """(verdict, words): caught and by what; harmless and why; or missed and what is otherwise."""
    if found.get("unused"):
        return "missed", "it was never run: the module is not imported"
    if found["noticed"]:
        return "caught", found["noticed"]
    news = [row for row in found["people"] if row not in base["people"]]
    if news:
        return "caught", f"verify names {'; '.join(' '.join(row) for row in news[:3])}"
    parts = ("effects", "told")
    if all(json.loads(json.dumps(base[part])) == found[part] for part in parts):
        return "harmless", "Harness does what it does without it"
    changed = [
        key for part in parts for key in {**base[part], **found[part]} if base[part].get(key) != found[part].get(key)
    ]
    return "missed", f"otherwise: {', '.join(changed[:4])}"


def load_libraries():
    """Import what is not ours once, before the processes part."""
    for name in (
        "flask",
        "waitress",
        "pydantic",
        "requests",
        "sqlalchemy",
        "yaml",
        "babel.core",
        "phonenumbers",
        "jinja2",
        "dateutil.rrule",
        "papermill",
        "ipywidgets",
        "pandas",
    ):
        importlib.import_module(name)


def run(number, seed, share=(0, 1), describe=lambda mutant, verdict, words: None, rooms=ROOMS, corner=False):
    """[(mutant, verdict, words)] of this share of the mutants."""
    load_libraries()
    now = datetime.now(UTC).replace(microsecond=0)
    base = run_one(None, now, corner)
    if base["noticed"]:
        raise RuntimeError(f"the company does not come over clean: {base['noticed']}")
    outcomes = []
    for mutant in choose(number, seed, rooms)[share[0] :: share[1]]:
        verdict, words = judge_mutant(run_one(mutant, now, corner), base)
        outcomes.append((mutant, verdict, words))
        describe(mutant, verdict, words)
    return outcomes


def tabulate(outcomes):
    """Lines of Markdown: by file, then every survivor with the reason why it may live."""
    verdicts = ("caught", "harmless", "missed")
    rows = {}
    for mutant, verdict, _ in outcomes:
        rows.setdefault(mutant.path, Counter())[verdict] += 1
    lines = ["| file | mutants | caught | harmless | missed |", "|---|---|---|---|---|"]
    for path, counts in sorted(rows.items()):
        lines.append(f"| {path} | {counts.total()} | {' | '.join(str(counts[v]) for v in verdicts)} |")
    total = sum(rows.values(), Counter())
    lines.append(f"| **all** | {total.total()} | {' | '.join(str(total[v]) for v in verdicts)} |")
    return lines
