"""The project as such: what is installed, which module may import which, how long things get, and that the house is tidy."""

import ast
import fnmatch
import importlib
import re
import subprocess
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pdmigrate.cli import main

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pdmigrate"

# --- the rooms of the house: design, section 3 ---

ROOMS = [
    "cli",
    "notebook",
    "runs",
    "pages",
    "handover",
    "steps",
    "parity",
    "workspace",
    "mapping",
    "plan",
    "harness",
    "pagerduty",
    "wire",
    "oncall",
    "errors",
]
"""From the top. A room imports only from rooms below it."""

ONLY = {
    "pdmigrate.harness.invitations": "harness.project",
    "pdmigrate.harness.writers": "harness.project",
    "pdmigrate.harness.project": "steps.job",
    "pdmigrate.sandbox": "steps.job runs.demo cli",
    "ipywidgets": "notebook",
    "papermill": "cli runs",
    "requests": "wire",
    "sqlalchemy": "workspace.database workspace.journal workspace.hold",
}
"""Who alone may import it."""

BOTH_VOCABULARIES = "mapping parity handover steps"
"""Who may import the records of PagerDuty and those of Harness."""

OFFLINE = "mapping plan parity oncall"
"""Who never reaches the network, the database or the disk's folders, by whatever way."""

MOST_LINES = 400

# --- reading the code ---


def name_module(path):
    """pdmigrate/mapping/teams.py is mapping.teams, pdmigrate/mapping/__init__.py is mapping."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {name_module(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def read_imports(module, path):
    """Every import, those inside functions too, as a dotted name: of the module where it is one, else of the package."""
    package = ["pdmigrate", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                full = f"{source}.{alias.name}"
                yield full if full.removeprefix("pdmigrate.") in MODULES else source


@cache
def list_imports():
    """What each module imports; read when the first test asks, not wherever this file is collected."""
    return {module: set(read_imports(module, path)) for module, path in MODULES.items()}


@cache
def list_ours():
    """Which of our modules each of them imports."""
    return {
        module: {name.removeprefix("pdmigrate.") for name in names if name.startswith("pdmigrate.")} & MODULES.keys()
        for module, names in list_imports().items()
    }


def beneath(module, names):
    """The longest of the names that the module is, or lies beneath; "" if there is none."""
    names = names.split() if isinstance(names, str) else names
    return max((name for name in names if f"{module}.".startswith(f"{name}.")), key=len, default="")


def find_room(module):
    return module.partition(".")[0]


def reach(module, seen):
    """All modules that importing this one imports."""
    for name in list_ours()[module] - seen:
        seen.add(name)
        reach(name, seen)
    return seen


# --- the order of the rooms ---


def test_every_module_stands_in_a_room():
    rooms = {find_room(module) for module in MODULES}
    assert rooms == {*ROOMS, "sandbox", "__init__"}


def test_a_room_imports_only_from_rooms_below_it():
    height = {room: len(ROOMS) - number for number, room in enumerate(ROOMS)} | {"__init__": len(ROOMS) + 1}
    upward = [
        f"{module} -> {name}"
        for module in MODULES
        for name in list_ours()[module]
        if find_room(module) != "sandbox" and height.get(find_room(name), 0) > height[find_room(module)]
    ]
    assert not [pair for pair in upward if not pair.endswith("-> __init__")]


STEPS = "connect preview invite conflicts load verify undo history replay prove parallel"


def test_steps_do_not_import_each_other():
    """What passes between them is the workspace."""
    steps = [f"steps.{name}" for name in STEPS.split()]
    assert not [f"{module} -> {name}" for module in steps for name in list_ours()[module] & {*steps}]


def test_the_sandbox_stands_alone():
    """It plays the servers: if it shared the code it would agree with our mistakes."""
    assert not [
        f"{m} -> {n}" for m in MODULES if beneath(m, "sandbox") for n in list_ours()[m] if not beneath(n, "sandbox")
    ]


@pytest.mark.parametrize("imported", ONLY)
def test_only_the_owner_imports_it(imported):
    owners = f"{ONLY[imported]} {imported.removeprefix('pdmigrate.')}"
    users = [m for m, names in list_imports().items() if any(beneath(name, [imported]) for name in names)]
    assert not [module for module in users if not beneath(module, owners)]


def test_only_mapping_and_steps_know_both_vocabularies():
    both = [
        m
        for m, names in list_ours().items()
        if {beneath(n, "pagerduty harness") for n in names} >= {"pagerduty", "harness"}
    ]
    assert not [module for module in both if not beneath(module, BOTH_VOCABULARIES)]


def test_what_is_pure_never_reaches_the_network():
    far = ("wire.transport", "workspace", "steps", "sandbox")
    pure = [module for module in MODULES if beneath(module, OFFLINE)]
    assert not [f"{m} reaches {name}" for m in pure for name in reach(m, set()) if beneath(name, far)]


def test_there_is_no_import_cycle():
    TopologicalSorter(list_ours()).prepare()  # a CycleError names the cycle


def list_calls(module):
    """The last names of everything that the module calls."""
    calls = [node.func for node in ast.walk(ast.parse(MODULES[module].read_text())) if isinstance(node, ast.Call)]
    return {getattr(call, "attr", getattr(call, "id", "")) for call in calls}


def test_only_load_and_undo_write_to_a_target():
    writes = {
        "write_change": "steps.undo steps.writing",
        "invite_people": "steps.writing",
        "remove_created": "steps.undo",
    }
    for name, owners in writes.items():
        callers = {m for m, path in MODULES.items() if f".{name}" in path.read_text() and find_room(m) != "harness"}
        assert callers == set(owners.split()), name


def test_every_csv_file_is_written_by_the_one_that_defuses_its_cells():
    """Else a name that somebody typed into PagerDuty runs in the spreadsheet of whoever opens the file."""
    assert {m for m, names in list_imports().items() if "csv" in names} == {"workspace.cells"}
    assert not [
        m for m in MODULES if m != "workspace.cells" and list_calls(m) & {"to_csv", "to_excel", "writerow", "writerows"}
    ]


# --- the public names, and sizes ---


def test_public_names_are_sorted_and_complete():
    pdmigrate = importlib.import_module("pdmigrate")
    names = getattr(pdmigrate, "__all__", None)
    if names is None:
        pytest.skip("pdmigrate names nothing public yet")
    assert list(names) == sorted(set(names))
    assert not [name for name in names if not hasattr(pdmigrate, name)]
    own = [
        name for name, value in vars(pdmigrate).items() if not name.startswith("_") and not isinstance(value, type(ast))
    ]
    assert not set(own) - set(names), "imported in __init__.py, and not in __all__"


PYTHON_FILES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")])


def test_files_are_short():
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in PYTHON_FILES}
    assert not {name: size for name, size in sizes.items() if size > MOST_LINES}


# --- what is installed ---

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
ON_CONDA = {"tzdata": "python-tzdata"}
"""What has another name on conda-forge."""


def read_requirements(lines):
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): str(r.specifier) for r in requirements}


RUNTIME = read_requirements(PYPROJECT["project"]["dependencies"])
TEST = read_requirements(EXTRAS["test"])


def read_environment():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    assert "-e ." in from_pip
    lines = [entry for entry in [*entries, *from_pip] if isinstance(entry, str) and entry not in ("pip", "-e .")]
    return read_requirements(lines)


def test_environment_and_pyproject_are_in_step():
    wanted = {ON_CONDA.get(name, name): bound for name, bound in (RUNTIME | TEST).items()}
    wanted["python"] = PYPROJECT["project"]["requires-python"]
    assert read_environment() == wanted


def test_every_dependency_has_a_lower_bound_and_an_exact_pin():
    lines = [line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pins = {}
    for requirement in (Requirement(line) for line in lines if line):
        assert [part.operator for part in requirement.specifier] == ["=="], requirement
        pins.setdefault(canonicalize_name(requirement.name), []).append(next(iter(requirement.specifier)).version)
    for requirement in (Requirement(line) for line in sum(EXTRAS.values(), PYPROJECT["project"]["dependencies"])):
        assert ">=" in {part.operator for part in requirement.specifier}, f"{requirement.name} has no lower bound"
        versions = pins.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in constraints.txt"
        assert all(version in requirement.specifier for version in versions), requirement


def test_what_was_asked_for_is_there():
    """The packages that the order named."""
    asked = {"jupyterlab", "ipywidgets", "pandas", "requests", "papermill", "nbval", "python-dateutil"}
    assert asked <= (RUNTIME | TEST).keys()
    assert asked <= read_environment().keys()


def test_data_files_are_packaged():
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["pdmigrate"]
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    names = [path.relative_to(PACKAGE).as_posix() for path in files]
    assert not [name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]


# --- tidiness ---

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CODE = [folder for folder in ("pdmigrate", "tests", "notebooks", "benchmarks", "docs") if (ROOT / folder).exists()]
STRIPPED = "metadata.papermill cell.metadata.papermill cell.metadata.execution metadata.widgets"


def run(*arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_has_nothing_to_say(arguments):
    code, output = run("-m", "ruff", *arguments, "--output-format", "concise", *CODE)
    assert code == 0, output


def test_notebooks_are_committed_without_traces_of_a_run():
    if not NOTEBOOKS:
        pytest.skip("there are no notebooks yet")
    code, output = run("-m", "nbstripout", "--verify", "--keep-id", "--extra-keys", STRIPPED, *map(str, NOTEBOOKS))
    assert code == 0, f"make format mends it\n{output}"


def test_notebooks_run_as_one_group():
    """They share a workspace: spread over workers by file, as xdist would have them, half of their cells fail."""
    if not NOTEBOOKS:
        pytest.skip("there are no notebooks yet")
    conftests = [path.read_text() for path in (ROOT / "conftest.py", ROOT / "tests" / "conftest.py") if path.exists()]
    assert any("def pytest_xdist_make_scheduler" in text for text in conftests)


def test_the_long_files_that_are_begun_first_are_there():
    listed = re.findall(r'"(tests/[\w/]+\.py)"', (ROOT / "conftest.py").read_text())
    assert listed
    assert [path for path in listed if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("name", ["Makefile", ".pre-commit-config.yaml"])
def test_everybody_strips_the_same(name):
    assert STRIPPED in (ROOT / name).read_text()


MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):(?!=)", MAKEFILE, re.MULTILINE))


def test_the_makefile_has_its_targets():
    assert {"demo", "test", "lab", "lint", "format", "clean", "bench"} <= TARGETS


def test_the_readme_is_short_and_its_make_commands_exist():
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("README.md is not written yet")
    text = readme.read_text()
    assert len(text.splitlines()) < 200
    named = set(re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z]+)", text, re.MULTILINE))
    assert named <= TARGETS
    assert {"demo", "test"} <= named


def test_the_makefiles_pdmigrate_commands_exist(capsys):
    commands = re.findall(r"\$\(BIN\)/pdmigrate ([a-z]+)", MAKEFILE)
    assert commands
    for command in commands:
        assert main([command, "--help"]) == 0
        assert "usage" in capsys.readouterr().out.lower(), f"pdmigrate {command} --help says nothing"
