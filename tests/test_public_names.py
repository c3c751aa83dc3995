"""What `import pdmigrate` offers: sorted, complete, and each with a docstring that somebody can stand on."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import pdmigrate

NAMES = [getattr(pdmigrate, name) for name in pdmigrate.__all__]


def test_the_names_are_sorted_and_all_there_is():
    assert pdmigrate.__all__ == sorted(set(pdmigrate.__all__))
    tree = ast.parse(Path(pdmigrate.__file__).read_text(encoding="utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    homes = {alias.name: node.module for node in typed.body for alias in node.names}
    assert homes.keys() == set(pdmigrate.__all__), "what a type checker sees is what there is"
    for name, home in homes.items():
        assert getattr(pdmigrate, name) is getattr(importlib.import_module(home), name)


HEAVY = {"flask", "waitress", "sqlalchemy", "pandas", "IPython", "ipywidgets", "papermill", "jupyterlab", "requests"}


MAIN = "from pdmigrate.cli import main; main(['{}'])"


@pytest.mark.parametrize(
    "asked", ["import pdmigrate", MAIN.format("--help"), MAIN.format("undo', '--help"), MAIN.format("run', '--help")]
)
def test_what_is_heavy_is_imported_where_it_is_used(asked):
    code = f"import atexit, sys; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr)); {asked}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "pdmigrate" in loaded
    assert not loaded & HEAVY


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError, match="launch"):
        pdmigrate.launch  # noqa: B018


def test_each_step_is_a_public_function():
    assert {"connect", "preview", "invite", "conflicts", "load", "verify"} <= set(pdmigrate.__all__)


@pytest.mark.parametrize("thing", NAMES, ids=pdmigrate.__all__)
def test_every_public_name_has_a_docstring_that_is_a_sentence(thing):
    text = inspect.getdoc(thing) or ""
    assert len(text) > 20
    assert text[0].isupper()
    assert "." in text


def public_members(thing):
    members = {name: value for name, value in vars(thing).items() if not name.startswith("_")}
    return {name for name, value in members.items() if inspect.isfunction(value) and not inspect.getdoc(value)}


def test_the_methods_of_a_job_say_what_they_do():
    assert public_members(pdmigrate.Job) <= {"close", "journal"}, "their names say it"


def test_every_module_says_what_it_is_for():
    package = Path(pdmigrate.__file__).parent
    silent = [
        path.name
        for path in package.rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_the_version_is_the_projects():
    pyproject = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{pdmigrate.__version__}"' in pyproject
