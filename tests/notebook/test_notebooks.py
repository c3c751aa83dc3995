"""The six notebooks as documents: one call a cell, no logic, and the same under papermill as in JupyterLab."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill.cli
import pytest
from click.testing import CliRunner
from kernels_over_files import make_environment

from pdmigrate.workspace.folder import STEPS

FOLDER = Path(__file__).parents[2] / "notebooks"
BOOKS = sorted(FOLDER.glob("*.ipynb"))
FORBIDDEN = (
    ast.FunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.For,
    ast.While,
    ast.If,
    ast.Try,
    ast.With,
    ast.comprehension,
)


OWN_PARAMETERS = {"5_load": {"approve"}, "6_verify": {"test_pages"}}


@pytest.fixture(params=BOOKS, ids=lambda path: path.stem)
def book(request):
    return nbformat.read(request.param, as_version=4), request.param.stem


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tree_of(cell):
    return ast.parse(cell.source)


def test_there_is_one_for_each_step_in_their_order():
    assert [path.name for path in BOOKS] == [f"{number}_{step}.ipynb" for number, step in enumerate(STEPS, 1)]


def test_a_notebook_has_few_cells_each_said_in_a_sentence(book):
    notebook, name = book
    assert 5 <= len(code_of(notebook)) <= (10 if name == "6_verify" else 8), "verify has its witnesses besides"
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds == ["markdown", "code"] * (len(kinds) // 2)
    assert all(cell.source.strip().endswith(".") for cell in notebook.cells[2::2])


def test_its_head_says_the_goal_the_decision_and_what_comes_next(book):
    notebook, name = book
    head = notebook.cells[0].source
    number, step = name.split("_")
    assert head.startswith(f"# {number} · {step.capitalize()}")
    assert "**Goal.**" in head
    assert "**You decide**" in head
    for link in re.findall(r"\]\(([^)]+)\)", head):
        assert (FOLDER / link).is_file()
    assert re.search(r"\*\*(Next|Before):\*\*", head)


def test_there_is_no_logic_in_it(book):
    notebook, _ = book
    for cell in code_of(notebook):
        nodes = list(ast.walk(tree_of(cell)))
        assert not [type(node).__name__ for node in nodes if isinstance(node, FORBIDDEN)]
        assert "print" not in {node.id for node in nodes if isinstance(node, ast.Name)}
        assert len(tree_of(cell).body) <= 3 or cell.metadata.get("tags") == ["parameters"]


def test_its_parameters_are_plain_literals_with_a_help_text(book):
    notebook, name = book
    tagged = [cell for cell in code_of(notebook) if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == [code_of(notebook)[0]]
    for line in tagged[0].source.splitlines():
        assert re.fullmatch(r"\w+: (str|int|bool) = (\"\"|\d+|True|False)  # [^#=]+", line), line
    known = papermill.inspect_notebook(FOLDER / f"{name}.ipynb")
    assert set(known) == {"workspace", "reports"} | (OWN_PARAMETERS.get(name, set()))
    assert all(parameter["help"] for parameter in known.values())


def test_it_opens_the_workspace_first_and_writes_the_page_last(book):
    notebook, name = book
    cells = code_of(notebook)
    assert cells[1].source.endswith("job = open_job(workspace, reports)")
    assert re.fullmatch(r"finish\(job, \w+\)", cells[-1].source)
    assert re.search(rf"\b{name.partition('_')[2]}(_plan)?\b", cells[1].source)


def test_it_imports_what_it_uses_and_nothing_else(book):
    notebook, _ = book
    cells = code_of(notebook)
    imports = [
        alias.name for node in tree_of(cells[1]).body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    names = {node.id for cell in cells for node in ast.walk(tree_of(cell)) if isinstance(node, ast.Name)}
    assert set(imports) <= names
    assert not [n for cell in cells[2:] for n in ast.walk(tree_of(cell)) if isinstance(n, ast.Import | ast.ImportFrom)]


def test_it_is_committed_as_it_was_written(book):
    notebook, _ = book
    assert not [cell for cell in code_of(notebook) if cell.outputs or cell.execution_count]


# --- papermill, without our own command line ---


def run_papermill(tmp_path, *options, name="1_connect"):
    command = [sys.executable, "-m", "papermill", str(FOLDER / f"{name}.ipynb"), str(tmp_path / "out.ipynb")]
    return subprocess.run(
        [*command, "--no-progress-bar", "--start-timeout=600", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env=make_environment(),
    )


def test_papermill_runs_a_notebook_with_nothing_but_the_workspace(tmp_path, workspace):
    done = run_papermill(tmp_path, "-p", "workspace", workspace)
    assert done.returncode == 0, done.stderr
    by_hand = workspace / "reports" / "by-hand"
    assert (by_hand / "connect.html").is_file()
    result = json.loads((by_hand / "results" / "connect.json").read_text(encoding="utf-8"))
    assert (result["step"], result["status"], result["exit_code"], result["error"]) == ("connect", "done", 0, "")
    [shown] = code_of(nbformat.read(tmp_path / "out.ipynb", as_version=4))[-1].outputs
    assert f"Page Connect: {by_hand / 'connect.html'}" in shown.data["text/plain"]
    links = re.findall(r'href="([^"]+)"', shown.data["text/html"])
    assert [Path(link).resolve() for link in links] == [by_hand / "connect.html", by_hand / "index.html"]


def test_a_notebook_that_stops_says_why_in_one_line(tmp_path, workspace):
    (workspace / "migration.yaml").write_text("name: acme\nsource: {kind: embeded}\n", encoding="utf-8")
    words = [FOLDER / "1_connect.ipynb", tmp_path / "out.ipynb", "--no-progress-bar", "-p", "workspace", workspace]
    done = CliRunner().invoke(papermill.cli.papermill, [*map(str, words)])
    assert done.exit_code == 1, "papermill knows no other code"
    cells = code_of(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    [error] = [out for cell in cells for out in cell.outputs if out.output_type == "error"]
    assert error.ename == "SettingsError"
    assert len(error.traceback) == 1
