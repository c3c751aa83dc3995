"""The wheel is whole: in an environment without the checkout it runs the demo's first run, and opens the notebooks."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

import pytest

from pdmigrate.workspace.folder import STEPS

ROOT = Path(__file__).parent.parent.parent
BUILT_FROM = ("pdmigrate", "notebooks", "pyproject.toml", "setup.py", "README.md", "LICENSE")
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
DEMO = (
    "from pathlib import Path; from pdmigrate.runs.demo import make_demo_workspace; make_demo_workspace(Path('acme'))"
)


def clean_environment():
    """As a person's shell would have it: nothing that points at the checkout or at another workspace."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PDMIGRATE", "PYTHON"))}
    return {**kept, "JUPYTERLAB_DIR": str(Path(sys.prefix) / "share" / "jupyter" / "lab")}


def call(*command, cwd):
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of somebody who has installed the wheel: venv/ has it, and the libraries of the environment of the tests."""
    place = tmp_path_factory.mktemp("installed")
    source = place / "source"
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_*"))
        else:
            shutil.copy(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check")
    call(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", place, source, cwd=place)
    shutil.rmtree(source)
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / "bin" / "python"
    (wheel,) = place.glob("pdmigrate-*.whl")
    call(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=place)
    (own,) = (place / "venv").glob("lib/python*/site-packages")
    libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (own / "libraries.pth").write_text("\n".join(libraries) + "\n")  # read as they are: no .pth of theirs is followed
    return place


def test_the_checkout_is_not_seen(place):
    code = "import pdmigrate, sys; print(pdmigrate.__file__, *sys.path, sep='\\n')"
    found, *path = call(place / "venv" / "bin" / "python", "-c", code, cwd=place).splitlines()
    assert Path(found).is_relative_to(place / "venv")
    assert str(ROOT) not in path


def test_the_first_run_of_the_demo_runs_there(place):
    call(place / "venv" / "bin" / "python", "-c", DEMO, cwd=place)
    call(place / "venv" / "bin" / "pdmigrate", "run", "acme", "--approve", "all", "--reports", "first", cwd=place)
    summary = json.loads((place / "first" / "summary.json").read_text())
    assert (summary["exit_code"], summary["steps"].keys()) == (0, {*STEPS})
    assert sorted(path.name for path in (place / "first" / "notebooks").iterdir()) == NOTEBOOKS
    assert (place / "first" / "index.html").is_file()


def test_the_lab_finds_the_notebooks(place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [place / "venv" / "bin" / "pdmigrate", "lab", "--workspace", "lab", "--no-browser", "--port", port]
    with open(place / "lab.log", "w") as log:
        lab = subprocess.Popen(
            [*map(str, command)],
            cwd=place,
            env={**clean_environment(), "JUPYTER_TOKEN": token},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}/api/contents/notebooks?token={token}"
        while (found := ask(address)) is None:
            assert lab.poll() is None, (place / "lab.log").read_text()
            time.sleep(0.2)
        assert sorted(row["name"] for row in found["content"] if row["type"] == "notebook") == NOTEBOOKS
    finally:
        os.killpg(lab.pid, 15)
        lab.wait()


def ask(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return json.load(answer)
    except urllib.error.HTTPError:
        raise
    except OSError:
        return None  # it does not listen yet
