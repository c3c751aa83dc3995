"""A workspace's own notebooks: what a version brings in, what a person has changed, and no client's output with another."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hands import sit_down

from pdmigrate import finish, open_job, preview
from pdmigrate.cli import main
from pdmigrate.errors import SettingsError
from pdmigrate.runs import notebooks
from pdmigrate.runs.lab import DEFAULTS, make_command, make_environment
from pdmigrate.runs.notebooks import NOTEBOOKS, copy_notebooks
from pdmigrate.runs.opening import describe_job
from pdmigrate.workspace.folder import STEPS, Workspace
from pdmigrate.workspace.settings import make_workspace

NAMES = [f"{number}_{step}.ipynb" for number, step in enumerate(STEPS, 1)]
SECRET = "what acme's Connect answered"


def make_place(folder):
    make_workspace(folder, {"name": folder.name})
    assert copy_notebooks(Workspace(folder)) == []
    return Workspace(folder)


@pytest.fixture
def place(tmp_path):
    return make_place(tmp_path / "acme")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def list_names(place):
    return sorted(path.name for path in place.notebooks.glob("*.ipynb"))


def list_sources(path):
    return ["".join(cell["source"]) for cell in read(path)["cells"]]


def run_cell(path, words=SECRET):
    """As a notebook is after a run: a cell has an output, and JupyterLab left an empty one at the end."""
    notebook = read(path)
    shown = {"output_type": "stream", "name": "stdout", "text": words}
    next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")["outputs"] = [shown]
    notebook["cells"].append({"cell_type": "code", "id": "end", "source": "", "metadata": {}, "outputs": []})
    path.write_text(json.dumps(notebook), encoding="utf-8")


def edit(path, words="found.people.head()"):
    notebook = read(path)
    notebook["cells"][-1]["source"] = words
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def newer(tmp_path, monkeypatch):
    """A later version of the tool: its notebook 4 has a cell that says something else."""
    folder = tmp_path / "newer"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(NOTEBOOKS / name, folder)
    edit(folder / "4_conflicts.ipynb", "finish(job, decided, thoroughly=True)")

    def bring():
        monkeypatch.setattr(notebooks, "NOTEBOOKS", folder)

    return bring


def test_a_copy_is_the_notebook_and_names_its_workspace(place):
    assert list_names(place) == NAMES
    for name in NAMES:
        ours, theirs = list_sources(NOTEBOOKS / name), list_sources(place.notebooks / name)
        differ = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
        [(packaged, copied)] = differ
        assert copied == packaged.replace('workspace: str = ""', f'workspace: str = "{place.folder}"', 1)


def test_what_was_run_keeps_its_outputs_and_what_was_changed_stays(place):
    run_cell(place.notebooks / NAMES[0])
    edit(place.notebooks / NAMES[1])
    before = {name: (place.notebooks / name).read_bytes() for name in NAMES}
    assert copy_notebooks(place) == []
    assert {name: (place.notebooks / name).read_bytes() for name in list_names(place)} == before


def test_a_newer_version_brings_its_notebook_in(place, newer):
    run_cell(place.notebooks / "4_conflicts.ipynb")
    run_cell(place.notebooks / "5_load.ipynb")
    newer()
    assert copy_notebooks(place) == []
    assert list_sources(place.notebooks / "4_conflicts.ipynb")[-1] == "finish(job, decided, thoroughly=True)"
    assert SECRET in (place.notebooks / "5_load.ipynb").read_text(), "that one is as it was"
    assert list_names(place) == NAMES


def test_one_that_a_person_has_changed_is_put_aside_and_never_lost(place, newer):
    edit(place.notebooks / "4_conflicts.ipynb", "mine")
    (place.notebooks / "4_conflicts.yours.ipynb").write_text("an older one", encoding="utf-8")
    newer()
    [said] = copy_notebooks(place)
    assert said == "4_conflicts.ipynb is new; yours, which you have changed, is 4_conflicts.yours-2.ipynb."
    assert list_sources(place.notebooks / "4_conflicts.yours-2.ipynb")[-1] == "mine"
    assert list_sources(place.notebooks / "4_conflicts.ipynb")[-1] == "finish(job, decided, thoroughly=True)"
    assert (place.notebooks / "4_conflicts.yours.ipynb").read_text() == "an older one"


def test_one_that_is_no_notebook_any_more_is_put_aside(place):
    (place.notebooks / NAMES[0]).write_text("[]", encoding="utf-8")
    assert len(copy_notebooks(place)) == 1
    assert (place.notebooks / "1_connect.yours.ipynb").read_text() == "[]"
    assert list_sources(place.notebooks / NAMES[0])


def test_a_folder_that_was_copied_for_another_client_brings_no_output_along(place, tmp_path):
    run_cell(place.notebooks / NAMES[0])
    shutil.copytree(place.folder, tmp_path / "beta")
    beta = Workspace(tmp_path / "beta")
    copy_notebooks(beta)
    assert not [name for name in NAMES if SECRET in (beta.notebooks / name).read_text()]
    assert not [name for name in NAMES if str(place.folder) in (beta.notebooks / name).read_text()]


def test_a_notebook_opens_no_other_clients_workspace(place, tmp_path, monkeypatch):
    beta = make_place(tmp_path / "beta")
    sit_down(monkeypatch)
    monkeypatch.chdir(beta.notebooks)
    with pytest.raises(SettingsError, match=r"This notebook lies in .*beta, and names .*acme"):
        open_job(place.folder)
    with open_job(beta.folder) as job:
        assert job.settings.name == "beta"


def test_what_a_person_runs_in_a_checkout_leaves_it_clean(tmp_path, monkeypatch, capsys):
    """Two clients one after the other: each by init, then what a lab leaves: outputs, checkpoints, layout, pages."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    for name in ("acme", "beta"):
        assert main(["init", name]) == 0
        run_cell(Path(name, "notebooks", NAMES[0]), f"output of {name}")
        for left in ("notebooks/.ipynb_checkpoints/1_connect-checkpoint.ipynb", ".lab/default.json", "reports/x.html"):
            Path(name, left).parent.mkdir(parents=True, exist_ok=True)
            Path(name, left).write_text("left")
    assert subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout == b""
    assert "output of acme" not in Path("beta", "notebooks", NAMES[0]).read_text()


def test_jupyterlab_sees_one_workspace_and_nothing_else(place):
    assert f"--notebook-dir={place.folder}" in make_command(place)
    environment = make_environment(place)
    assert Path(environment["JUPYTERLAB_WORKSPACES_DIR"]).is_relative_to(place.folder)
    assert environment["PDMIGRATE_WORKSPACE"] == str(place.folder)


def test_jupyterlab_asks_the_internet_for_nothing_and_shows_no_pop_up():
    said = read(DEFAULTS / "labconfig" / "default_setting_overrides.json")
    news = {"checkForUpdates": False, "fetchNews": "false"}
    assert said["@jupyterlab/apputils-extension:notification"] == news


def test_the_first_call_says_whose_workspace_this_is_and_what_is_next(place):
    with open_job(place.folder) as fresh:
        shown = describe_job(fresh)
    assert shown.parts[0].rows[0][0] == "acme"
    assert 'href="1_connect.ipynb"' in shown._repr_html_()
    place.save_state("access", {"subdomain": "acme-inc", "target": "acc/org/project"})
    place.save_state("questions", [{"about": "round_robin", "id": "P1", "name": "Ops", "question": "Who?"}])
    result = place.by_hand / "results" / "connect.json"
    result.parent.mkdir(parents=True)
    said = {
        "step": "connect",
        "at": "2026-03-02T10:00:00+01:00",
        "status": "done",
        "exit_code": 0,
        "error": "",
        "seconds": 1,
    }
    result.write_text(json.dumps(said))
    with open_job(place.folder) as later:
        [row] = describe_job(later).parts[0].rows
    assert list(map(str, row)) == [
        "acme",
        "acme-inc (embedded)",
        "acc/org/project (embedded)",
        "connect: done, 2026-03-02 09:00 UTC",
        "4 · Conflicts",
        "1 question waits for an answer",
    ]


@pytest.mark.parametrize("damaged", ["{", "[]", '{"step": "preview", "status": "done", "at": "a\u202eb"}'])
def test_a_damaged_result_is_told_in_the_banner_and_stops_no_notebook(place, damaged):
    results = place.by_hand / "results"
    results.mkdir(parents=True)
    (results / "preview.json").write_text(damaged, encoding="utf-8")
    with open_job(place.folder) as job:
        assert "preview: failed" in describe_job(job)._repr_html_()


DAMAGED = (
    "[" * 100_000,
    "null",
    '{"metadata": []}',
    '{"metadata": {"pdmigrate": ["x"]}}',
    '{"cells": 1}',
    '{"cells": ["x"]}',
    '{"cells": [{"cell_type": "code"}]}',
    '{"cells": [{"cell_type": "code", "source": [1]}]}',
)


@pytest.mark.parametrize("text", DAMAGED)
def test_a_notebook_of_another_shape_is_put_aside(place, text):
    path = place.notebooks / NAMES[0]
    path.write_text(text, encoding="utf-8")
    assert copy_notebooks(place) == [f"{NAMES[0]} is new; yours, which you have changed, is 1_connect.yours.ipynb."]
    assert (place.notebooks / "1_connect.yours.ipynb").read_text(encoding="utf-8") == text
    assert copy_notebooks(place) == []


def test_two_clients_one_after_the_other_leave_nothing_of_each_other(small, recorded_account, tmp_path):
    """No output, name or person of the one in any file of the other, its notebooks, pages and tables included."""
    other = tmp_path / "other"
    make_workspace(other, {"name": "other", "source": "snapshot", "snapshot": str(recorded_account)})
    known = []
    for job in (small, open_job(other)):
        with job:
            copy_notebooks(job.workspace)
            found = preview(job)
            finish(job, found)
            account = found.draft.account
            kinds = (account.users, account.services, account.all_schedules)
            known.append({record.name for kind in kinds for record in kind.values()})
            known[-1] |= {user.email for user in account.users.values()}
    for place, strangers in zip((small.workspace.folder, other), reversed(known), strict=True):
        texts = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
        assert len(texts) > len(NAMES)
        assert not [name for name in strangers if any(name.encode() in text for text in texts)]
