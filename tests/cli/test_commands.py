"""What every command says of itself, what is said of a slip, and that what the documents type can be typed."""

import os
import pty
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from pathlib import Path

import click
import pytest

from conftest import skip
from pdmigrate.cli import COMMANDS, main
from pdmigrate.cli.program import Program
from pdmigrate.workspace.settings import make_workspace

ROOT = Path(__file__).parent.parent.parent
PROGRAM = Program(COMMANDS)
NAMES = [name for group in COMMANDS.values() for name in group]


def parse(line):
    """A command line as far as its words go: nothing is run. Raises click's error for a slip."""
    name, *words = shlex.split(re.sub(r"\$\(.*?\)", "NOW", line), comments=True)[1:]
    command = PROGRAM.get_command(click.Context(PROGRAM), name)
    assert command, f"there is no {name}"
    return command.make_context(name, words)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_description_an_example_and_documented_options(name, capsys):
    command = PROGRAM.get_command(click.Context(PROGRAM), name)
    assert command.name == name
    assert command.help.split("\n")[0].endswith((".", ":"))
    assert command.epilog.startswith(f"pdmigrate {name}")
    assert parse(command.epilog)
    assert not [param.name for param in command.params if not param.help]
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert command.epilog in said
    given = [p for p in command.params if isinstance(p, click.Option) and not p.is_flag and p.default not in (None, "")]
    for option in (option for option in given if isinstance(option.default, str | int)):
        assert re.search(rf"\[default:\s+{re.escape(str(option.default))}\]", said), option.name


SLIPS = {
    "stauts acme": "There is no command stauts (did you mean status?). See: pdmigrate --help",
    "xyzzy": "There is no command xyzzy. See: pdmigrate --help",
    "run acme --aprove all": "There is no option --aprove (did you mean --approve?). See: pdmigrate run --help",
    "--hlep": "There is no option --hlep (did you mean --help?). See: pdmigrate --help",
    "publish acme": "Missing option '--to'. See: pdmigrate publish --help",
    "publish acme --to --no-mask": "--to needs a value, and --no-mask is an option. See: pdmigrate publish --help",
    "undo acme --run two": "Invalid value for '--run': 'two' is not a valid integer. See: pdmigrate undo --help",
    "status": "Missing argument 'DIR'. See: pdmigrate status --help",
}


@pytest.mark.parametrize("typed", SLIPS)
def test_a_slip_is_one_line_with_the_nearest_name(typed, capsys):
    assert main(typed.split()) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"pdmigrate: {SLIPS[typed]}\n")


TYPED = [
    pytest.param(line.strip("` \n"), id=f"{path.name}: {line.strip()[:60]}")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("pdmigrate ") and "[" not in line
]


@pytest.mark.parametrize("line", TYPED)
def test_what_the_documents_type_can_be_typed(line):
    assert parse(line)


def read_block(heading):
    """The first shell block below a heading of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    return re.search(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]


def test_the_readmes_own_migration_works_as_typed(tmp_path):
    """In a shell, beside a .venv, as it stands there; what would ask real accounts is left out."""
    if not Path(sys.prefix, "bin", "activate").is_file() or not Path(sys.prefix, "bin", "pdmigrate").is_file():
        skip("this Python is no environment that `make` has made")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    lines = read_block("A migration of your own").splitlines()
    asking = [line for line in lines if line.startswith("pdmigrate run")]
    assert [parse(line).params["until"] for line in asking] == ["conflicts", None]
    typed = "\n".join(line for line in lines if line not in asking)
    assert typed.startswith("source .venv/bin/activate")
    place = {**os.environ, "PATH": os.defpath}
    done = subprocess.run(["bash", "-euc", typed], cwd=tmp_path, env=place, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert "next: pdmigrate run acme --until conflicts" in done.stdout


def look_in_a_terminal(*words):
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(read_terminal, ours)
        with os.fdopen(theirs, "w") as terminal, redirect_stdout(terminal):
            assert main([*words]) == 0
    os.close(ours)
    return told.result()


def read_terminal(ours):
    """All of it: it comes in pieces, and ends with an error once nobody writes any more."""
    said = b""
    with suppress(OSError):
        while piece := os.read(ours, 65536):
            said += piece
    return said.decode()


def test_a_terminal_gets_a_table_and_a_pipe_gets_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    make_workspace(tmp_path / "acme", {"name": "acme\x1b[31m"})
    (tmp_path / "acme" / "state").mkdir()
    waits = '[{"about": "x", "id": "P1", "name": "\\u001b[2Jbad", "question": "Which?"}]'
    (tmp_path / "acme" / "state" / "questions.json").write_text(waits)
    shown = look_in_a_terminal("status", str(tmp_path / "acme"))
    assert "Where it stands" in shown
    assert "\x1b[33m" in shown, "what waits is yellow"
    assert "\x1b[2J" not in shown, "nobody else's signs are obeyed"
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in look_in_a_terminal("status", str(tmp_path / "acme"))
    assert main(["status", str(tmp_path / "acme")]) == 0
    plain = capsys.readouterr().out
    assert "conflicts: 1 question waits for the consultant" in plain
    assert "\x1b" not in plain
    steps = [line.partition(":")[0] for line in plain.splitlines() if not line.startswith(" ")]
    assert steps == ["acme[31m", "connect", "preview", "invite", "conflicts", "plan", "load", "verify", "next"]
