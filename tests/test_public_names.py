"""What `import pdmigrate` offers: sorted, complete, and each with a docstring that somebody can stand on."""

import ast
import inspect
from pathlib import Path

import pytest

import pdmigrate

NAMES = [getattr(pdmigrate, name) for name in pdmigrate.__all__]


def test_the_names_are_sorted_and_all_there_is():
    assert pdmigrate.__all__ == sorted(set(pdmigrate.__all__))
    tree = ast.parse(Path(pdmigrate.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert imported == set(pdmigrate.__all__)


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
