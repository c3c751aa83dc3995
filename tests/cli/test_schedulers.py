"""The night's DAG says of exit codes, options and pools what the program means by them. It is read, not run: no Airflow here."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from pdmigrate import errors
from pdmigrate.cli import COMMANDS
from pdmigrate.cli.program import Program
from pdmigrate.errors import WORST_FIRST, InterruptedLoadError, PersonNeededError, SideError

ROOT = Path(__file__).parent.parent.parent
TREE = ast.parse((ROOT / "examples" / "airflow" / "nightly_migrations.py").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs" / "schedulers.md").read_text(encoding="utf-8")


def find_value(name):
    """What a name of the file stands for; names in it are those of the file."""
    values = {node.targets[0].id: node.value for node in TREE.body if isinstance(node, ast.Assign)}
    known = {key: node.value for key, node in values.items() if isinstance(node, ast.Constant)}
    return eval(ast.unparse(values[name]), {"__builtins__": {}}, known)  # noqa: S307 - our own file


def find_calls(name):
    return [node for node in ast.walk(TREE) if isinstance(node, ast.Call) and ast.unparse(node.func) == name]


def test_every_exit_code_but_success_has_a_meaning():
    assert set(find_value("MEANINGS")) == set(WORST_FIRST) - {0}


def test_only_a_person_is_waited_for_and_only_what_may_pass_is_tried_again():
    assert find_value("PERSON") == PersonNeededError.exit_code
    assert set(find_value("AGAIN")) == {SideError.exit_code, InterruptedLoadError.exit_code}
    (run,) = find_calls("BashOperator.partial")
    said = {one.arg: ast.unparse(one.value) for one in run.keywords}
    assert said["skip_on_exit_code"] == "PERSON"
    assert said["bash_command"] == "RUN"
    assert said["pool"] == "f'pagerduty_{account}'"
    assert "tell" in said["on_skipped_callback"]


@pytest.mark.parametrize("name", ["RUN", "OVERVIEW"])
def test_its_commands_can_be_typed(name):
    _, command, *words = shlex.split(re.sub(r"\{\{.*?\}\}", "NOW", find_value(name)))
    program = Program(COMMANDS)
    assert program.get_command(click.Context(program), command).make_context(command, words)


def test_the_document_tells_a_scheduler_what_to_do_with_each_code():
    """Once each: a code that stood in two rows would be two answers."""
    table = re.findall(r"^\| ([0-9, ]+) \| ", DOCUMENT.partition("\n## ")[0], re.MULTILINE)
    told = sorted(int(code) for row in table for code in row.split(","))
    classes = (one for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "exit_code"))
    assert told == sorted({one.exit_code for one in classes} | {0}) == sorted(WORST_FIRST)


def test_the_files_that_it_names_are_there():
    named = re.findall(r"`(examples/[^`]+)`", DOCUMENT)
    assert len(set(named)) > 1
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_what_the_container_file_copies_is_there():
    copied = re.findall(r"^COPY (?:--\S+ )?(\S+) ", (ROOT / "examples" / "Containerfile").read_text(), re.MULTILINE)
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
