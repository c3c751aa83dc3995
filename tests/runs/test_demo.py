"""The demo, headless through papermill: a company carried over, then what changed, then nothing. One run for the file.

It is run by the wheel, in an environment without the checkout, so that the wheel is shown to be whole, too.
"""

import csv
import html.parser
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import venv
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from lab import find_address

from pdmigrate.errors import UsageError
from pdmigrate.runs import demo
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.job import EMBEDDED_KEY, EMBEDDED_TOKEN
from pdmigrate.workspace.folder import STEPS

ROOT = Path(__file__).parent.parent.parent
BUILT_FROM = ("pdmigrate", "notebooks", "pyproject.toml", "setup.py", "README.md", "LICENSE")
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
RUNS = (1, 2, 3)
KINDS = (
    "users",
    "contact_methods",
    "notification_rules",
    "teams",
    "schedules",
    "overrides",
    "escalation_policies",
    "services",
)
GRADES = ("exact", "changed", "handed_over", "lost")
OUTCOMES = {"created", "updated", "adopted", "kept", "skipped", "failed"}


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


COUNTED = """
import json, sys
from pathlib import Path
from pdmigrate.runs import demo
from pdmigrate.sandbox.store import Store

counted, seal = [], demo.seal

def count(folder, *run):
    counted.append(len(Store(folder / "sandbox" / "harness.json", dict).read()["writes"]))
    return seal(folder, *run)

demo.seal = count
code = demo.run_demo(Path("demo"))
Path("counted.json").write_text(json.dumps(counted))
sys.exit(code)
"""
"""The demo; at the end of each of its runs it is noted what the embedded Harness has counted."""


class Demo:
    """The folder of a demo that the wheel has run in a place, and what Harness had counted after each of its runs."""

    def __init__(self, place):
        self.folder = place / "demo"
        call(place / "venv" / "bin" / "python", "-c", COUNTED, cwd=place)
        writes = Store(self.folder / "sandbox" / "harness.json", dict).read()["writes"]
        self.writes = [writes[:number] for number in json.loads((place / "counted.json").read_text())]

    def run_folder(self, number):
        return self.folder / "reports" / str(number)

    def summary(self, number):
        return json.loads((self.run_folder(number) / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ran(place):
    return Demo(place)


# --- three runs ---


def test_the_demo_ends_well(ran):
    assert [ran.summary(number)["exit_code"] for number in RUNS] == [0, 0, 0]
    assert all(step["status"] == "done" for number in RUNS for step in ran.summary(number)["steps"].values())


def test_each_run_says_how_much_the_target_itself_has_counted(ran):
    counted = [len(writes) for writes in ran.writes]
    said = [ran.summary(number)["target"]["writes"] for number in RUNS]
    assert said == [counted[0], counted[1] - counted[0], counted[2] - counted[1]]


def test_the_second_run_writes_only_what_changed(ran):
    written = sorted((row["method"], row["path"].rpartition("/")[2]) for row in ran.writes[1][len(ran.writes[0]) :])
    assert written == [
        ("POST", "servicesV2"),
        ("PUT", "checkout_primary_PSCHED06"),
        ("PUT", "loyalty_points_PSERV26"),
        ("PUT", "loyalty_points_PSERV26"),
        ("PUT", "payments_PPOL03"),
        ("PUT", "payments_nights_PSCHED05"),
    ]


def test_the_third_run_writes_nothing(ran):
    assert ran.writes[2] == ran.writes[1]
    assert ran.summary(3)["target"]["writes"] == 0


# --- summary.json: documented, and stable ---


@pytest.mark.parametrize("number", RUNS)
def test_the_summary_has_the_documented_shape(ran, number):
    summary = ran.summary(number)
    assert (summary["workspace"], summary["run"]) == ("acme", str(number))
    assert tuple(step for step in STEPS if step in summary["steps"]) == STEPS
    assert all(set(step) == {"status", "seconds"} and step["seconds"] > 0 for step in summary["steps"].values())
    assert set(summary["source"]) == {"requests", "retries", "clock_requests", "oncall_requests", "snapshot_digest"}
    assert summary["source"]["clock_requests"] > 0, "verify asks about changes of the clock, and it is counted apart"
    assert re.fullmatch(r"[0-9a-f]{64}", summary["source"]["snapshot_digest"])
    assert {"requests", "retries", "writes", "kinds"} == set(summary["target"])
    assert all(set(outcomes) == OUTCOMES for outcomes in summary["target"]["kinds"].values())
    assert set(summary["conflicts"]) == {"open", "decided"}
    assert set(summary["out_of_scope"].values()) == {0}
    assert summary["inventory"]["maintenance_windows"] == 2


@pytest.mark.parametrize("number", RUNS)
def test_every_object_and_field_stands_in_one_place(ran, number):
    summary = ran.summary(number)
    assert set(summary["kinds"]) == set(summary["fields"]) == set(KINDS)
    for figures in (*summary["kinds"].values(), *summary["fields"].values()):
        assert set(figures) == {"in_source", *GRADES}
        assert figures["in_source"] == sum(figures[grade] for grade in GRADES)
    assert summary["kinds"]["users"]["in_source"] == (40 if number == 1 else 39)
    assert summary["kinds"]["services"]["in_source"] == (25 if number == 1 else 26)


@pytest.mark.parametrize("number", RUNS)
def test_what_was_loaded_is_what_was_forecast(ran, number):
    summary = ran.summary(number)
    for kind, outcomes in summary["target"]["kinds"].items():
        figures = summary["kinds"][kind]
        assert sum(outcomes.values()) == figures["exact"] + figures["changed"], kind


def test_parity_is_the_sum_of_the_schedules(ran):
    for number in RUNS:
        parity = ran.summary(number)["parity"]
        for name in ("agree_seconds", "differ_seconds", "unverified_seconds"):
            assert parity[name] == sum(schedule[name] for schedule in parity["schedules"].values())
        assert len(parity["schedules"]) == 20
        assert all(sum(schedule.values()) == 56 * 86_400 for schedule in parity["schedules"].values())


# --- the rotas ---


def read_rota(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("number", RUNS)
def test_the_rotas_are_the_same_on_both_sides(ran, number):
    folder = ran.run_folder(number) / "rota"
    names = sorted(path.name for path in (folder / "source").iterdir())
    assert names == sorted(path.name for path in (folder / "target").iterdir())
    assert len(names) == 20
    different = [name for name in names if read_rota(folder / "source" / name) != read_rota(folder / "target" / name)]
    assert different == []


def test_a_rota_has_instants_with_offset_and_ids(ran):
    path = ran.run_folder(1) / "rota" / "source" / "PSCHED04.csv"
    assert path.read_bytes().startswith(b"start,end,users\n")
    rows = read_rota(path)
    for row in rows:
        start, end = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
        assert start < end
        assert start.utcoffset() is not None
        assert re.fullmatch(r"PUSER\d\d(;PUSER\d\d)*", row["users"])
    assert all(row["end"] <= later["start"] for row, later in pairwise(rows))


# --- what lies in the folder ---


def files_of(ran):
    return [path for path in (ran.folder / "reports").rglob("*") if path.is_file()]


def test_no_secret_is_in_anything_that_a_run_leaves(ran):
    keys = Store(ran.folder / "sandbox" / "pagerduty.json", dict).read()["services"]
    secrets = [EMBEDDED_TOKEN, EMBEDDED_KEY]
    secrets += [
        row["integration_key"] for service in keys for row in service["integrations"] if row.get("integration_key")
    ]
    assert len(secrets) > 20
    outside = [
        path
        for path in ran.folder.rglob("*")
        if path.is_file() and "sandbox" not in path.parts[len(ran.folder.parts) :]
    ]
    assert len(outside) > 200
    for path in outside:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path


LOADS = {"src", "data", "poster", "srcset", "action", "background"}


class Reader(html.parser.HTMLParser):
    """Remembers every address that a page would load or lead to."""

    def __init__(self):
        super().__init__()
        self.loads, self.links, self.policy = [], [], ""

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.loads += [value for name, value in attrs.items() if name in LOADS]
        self.loads += [attrs["href"]] if tag in ("link", "base") and "href" in attrs else []
        self.links += [attrs["href"]] if tag == "a" and "href" in attrs else []
        if attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]


def test_the_pages_stand_alone(ran):
    for number in RUNS:
        pages = sorted(ran.run_folder(number).glob("*.html"))
        assert {page.stem for page in pages} >= {"index", "stakeholders", *STEPS}
        for page in pages:
            reader = Reader()
            reader.feed(page.read_text(encoding="utf-8"))
            assert not [address for address in reader.loads if not address.startswith("data:")], page
            assert "default-src 'none'" in reader.policy
            broken = [link for link in reader.links if not check_link(page, link)]
            assert not broken, page


def check_link(page, link):
    return (
        link.startswith(("#", "data:", "https://", "mailto:")) or (page.parent / Path(link.partition("#")[0])).is_file()
    )


def test_the_notebooks_ran_whole_and_keep_no_parameters(ran):
    for number in RUNS:
        books = sorted((ran.run_folder(number) / "notebooks").glob("*.ipynb"))
        assert [book.stem.partition("_")[2] for book in books] == list(STEPS)
        for book in books:
            notebook = nbformat.read(book, as_version=4)
            code = [cell for cell in notebook.cells if cell.cell_type == "code"]
            assert all(cell.execution_count for cell in code)
            assert not [out for cell in code for out in cell.outputs if out.output_type == "error"]
            assert not {"papermill", "widgets"} & set(notebook.metadata)


def test_names_with_markup_are_text(ran):
    for page in files_of(ran):
        if page.suffix == ".html":
            text = page.read_text(encoding="utf-8")
            assert "<b>Data</b>" not in text, page
            assert "<b>Flash sale</b>" not in text, page


# --- the demo's own manners ---


def test_a_folder_that_is_somebodys_workspace_is_never_cleared(workspace):
    before = (workspace / "migration.yaml").read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        demo.run_demo(workspace)
    assert (workspace / "migration.yaml").read_bytes() == before


# --- the wheel ---


def test_the_checkout_is_not_seen(place):
    code = "import pdmigrate, sys; print(pdmigrate.__file__, *sys.path, sep='\\n')"
    found, *path = call(place / "venv" / "bin" / "python", "-c", code, cwd=place).splitlines()
    assert Path(found).is_relative_to(place / "venv")
    assert str(ROOT) not in path


def test_its_command_runs_there(place):
    demo.make_demo_workspace(place / "acme")
    call(place / "venv" / "bin" / "pdmigrate", "run", "acme", "connect", "--reports", "first", cwd=place)
    summary = json.loads((place / "first" / "summary.json").read_text())
    assert (summary["exit_code"], summary["steps"]["connect"]["status"]) == (0, "done")
    assert (place / "first" / "index.html").is_file()


def test_the_lab_finds_the_notebooks(place):
    token = secrets.token_hex(16)
    command = [place / "venv" / "bin" / "pdmigrate", "lab", "--workspace", "lab", "--no-browser", "--port", "0"]
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
        address = find_address(lab, place / "lab.log")
        with urllib.request.urlopen(f"{address}/api/contents/notebooks?token={token}") as answer:
            found = json.load(answer)
        assert sorted(row["name"] for row in found["content"] if row["type"] == "notebook") == NOTEBOOKS
    finally:
        os.killpg(lab.pid, 15)
        lab.wait()
