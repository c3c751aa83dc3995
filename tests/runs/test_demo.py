"""The demo, headless through papermill: a company carried over, then what changed, then nothing. One run for the file."""

import csv
import html.parser
import json
import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from pdmigrate.errors import UsageError
from pdmigrate.runs import demo
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.job import EMBEDDED_KEY, EMBEDDED_TOKEN
from pdmigrate.workspace.folder import STEPS

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


class Demo:
    """The folder of a demo that ran, and what the embedded Harness had counted after each of its runs."""

    def __init__(self, folder):
        self.folder, self.writes, self.code = folder, [], None

    def run(self, patch):
        seal = demo.seal

        def count(folder, *run):
            self.writes.append(Store(folder / "sandbox" / "harness.json", dict).read()["writes"])
            return seal(folder, *run)

        patch.setattr(demo, "seal", count)
        self.code = demo.run_demo(self.folder)
        return self

    def run_folder(self, number):
        return self.folder / "reports" / str(number)

    def summary(self, number):
        return json.loads((self.run_folder(number) / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Demo(tmp_path_factory.mktemp("demo") / "demo").run(patch)


# --- three runs ---


def test_the_demo_ends_well(ran):
    assert ran.code == 0
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
