"""What leaves the machine, and what stays behind as proof: secrets, evidence, publishing."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from small_company import cut_down, make_corner

from pdmigrate import approve, conflicts, connect, finish, invite, load, open_job, preview, verify
from pdmigrate.cli import main
from pdmigrate.errors import RefusedError, SecretFoundError
from pdmigrate.runs.evidence import check_evidence, seal_run
from pdmigrate.runs.publish import holds_secret, publish, scan_for_secrets
from pdmigrate.sandbox import company
from pdmigrate.sandbox.harness import build_target, start_harness
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.steps.job import EMBEDDED, EMBEDDED_KEY, read_clock
from pdmigrate.workspace.folder import Workspace, write_packed
from pdmigrate.workspace.settings import make_workspace

TOKEN = "u+PLANTEDtokenXYZ&<>9876543210"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished migration of Platform and Payments, sealed: the run's folder."""
    folder = make_corner(tmp_path_factory.mktemp("sharing") / "acme", ("PSERV01", "PSERV05"))
    with open_job(folder, folder / "reports" / "1") as job:
        connect(job)
        finish(job, preview(job))
        invite(job)
        approve(job, conflicts(job).plan.digest, "carla")
        finish(job, conflicts(job))
        finish(job, load(job))
        finish(job, verify(job))
    seal_run(Workspace(folder), folder / "reports" / "1", read_clock(), "test")
    return folder / "reports" / "1"


def test_a_sealed_run_is_as_it_was(run):
    (checked,) = check_evidence(run.parent.parent)
    assert checked.problems == ()
    assert checked.approved.startswith("carla on ")
    assert main(["evidence", str(run)]) == 0


def test_whatever_was_touched_since_is_named(run, capsys):
    page, gone = run / "verify.html", run / "load.html"
    old, kept = page.read_bytes(), gone.read_bytes()
    page.write_bytes(old.replace(b"Verify", b"verify"))
    gone.unlink()
    (run / "note.txt").write_text("nobody saw me")
    try:
        assert main(["evidence", str(run)]) == 4
    finally:
        page.write_bytes(old)
        gone.write_bytes(kept)
        (run / "note.txt").unlink()
    assert "load.html is missing; verify.html was changed; note.txt was added" in capsys.readouterr().out


def test_a_changed_snapshot_is_named(run):
    snapshot = next((run.parent.parent / "snapshots").iterdir())
    old = snapshot.read_bytes()
    snapshot.write_bytes(old + b" ")
    problems = check_evidence(run)[0].problems
    snapshot.write_bytes(old)
    assert problems == (f"the snapshot {snapshot.name} was changed",)


@pytest.mark.parametrize(
    "name",
    [
        "evidence/decisions.yaml",
        "evidence/migration.yaml",
        "evidence/plan.json",
        "evidence/guards.json",
        "evidence/journal.sqlite",
        "evidence/handover.json",
        "handover/checklist.html",
        "handover/handover.csv",
        "stakeholders.html",
        "team-PTEAM01.html",
        "index.html",
        "results/load.json",
    ],
)
def test_one_changed_byte_is_found_wherever_it_is(run, name):
    old = (run / name).read_bytes()
    (run / name).write_bytes(old[:-1] + bytes([old[-1] ^ 1]))
    problems = check_evidence(run)[0].problems
    (run / name).write_bytes(old)
    assert problems == (f"{name} was changed",)
    assert check_evidence(run)[0].problems == ()


def test_the_manifest_names_the_versions_and_the_plan(run):
    manifest = json.loads((run / "manifest.json").read_text())
    assert {"pdmigrate", "python", "pandas", "jupyterlab", "papermill", "tzdata"} <= manifest["versions"].keys()
    plan = json.loads((run / "evidence" / "plan.json").read_text())
    assert manifest["plan"]["digest"] == plan["digest"]


def test_a_tick_leaves_a_sealed_run_as_it_was_shown(run):
    folder = run.parent.parent
    key = json.loads((folder / "state" / "handover.json").read_text())["items"][0]["key"]
    assert main(["handover", str(folder), "--done", key, "--by", "ann"]) == 0
    assert check_evidence(run)[0].problems == ()
    assert "ann" in (folder / "reports" / "handover" / "checklist.html").read_text()
    assert main(["handover", str(folder), "--undone", key]) == 0


def test_work_by_hand_is_sealed_with_each_step(small):
    job = small
    finish(job, connect(job))
    found = preview(job)
    finish(job, found)
    [sealed] = check_evidence(job.workspace.folder)
    assert sealed.problems == ()
    page = job.folder / "preview.html"
    page.write_text(page.read_text() + " ")
    assert check_evidence(job.folder)[0].problems == ("preview.html was changed",)
    finish(job, found)
    assert check_evidence(job.folder)[0].problems == ()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"sealed": "yesterday"}',
        b'{"files": [], "plan": {}, "snapshot": {}}',
        None,
    ],
    ids=repr,
)
def test_a_damaged_manifest_is_named_and_stops_nothing(workspace, damage, caplog, capsys):
    """Half written, of another shape, or a folder where the file was: of this run that is said, and the next is sealed."""
    place = Workspace(workspace)
    reports = place.reports
    whole, damaged, newest = reports / "1", reports / "2", reports / "3"
    for number, folder in enumerate((whole, damaged, newest)):
        (folder / "results").mkdir(parents=True)
        seal_run(place, folder, read_clock() + timedelta(seconds=number))
        if folder == damaged:
            (folder / "manifest.json").unlink()
            if damage is None:
                (folder / "manifest.json").mkdir()
            else:
                (folder / "manifest.json").write_bytes(damage)
    sealed = json.loads((newest / "manifest.json").read_text())
    assert sealed["previous"]["run"] == "1"
    assert list(sealed["damaged"]) == ["2"]
    assert "The run 2 has a damaged manifest.json" in caplog.text
    assert [run.problems for run in check_evidence(workspace)] == [(), ("manifest.json is damaged",), ()]
    assert main(["evidence", str(workspace)]) == 4
    assert "manifest.json is damaged" in capsys.readouterr().out


def test_a_run_that_is_sealed_by_a_clock_set_back_stays_in_the_chain(workspace):
    place, noon = Workspace(workspace), datetime(2026, 11, 23, 12, tzinfo=UTC)
    for number, hour in enumerate((0, -3, -2, 1)):
        folder = place.reports / str(number)
        seal_run(place, folder, noon + timedelta(hours=hour))
        previous = json.loads((folder / "manifest.json").read_text())["previous"]
        assert previous.get("run") == (str(number - 1) if number else None)


def test_a_damaged_result_of_an_earlier_step_is_named_and_stops_nothing(small):
    finish(small, connect(small))
    found = preview(small)
    for damage in (b"", b"{", b"[]", b'{"step": "connect"}'):
        (small.folder / "results" / "connect.json").write_bytes(damage)
        finish(small, found)
        summary = json.loads((small.folder / "summary.json").read_text())
        assert (summary["exit_code"], summary["steps"]["connect"]["status"]) == (1, "failed"), damage
        assert summary["steps"]["preview"]["status"] == "done"
        assert "results/connect.json is damaged: run connect again" in (small.folder / "index.html").read_text()


@pytest.mark.parametrize("cut", [4000, -4])
def test_a_damaged_snapshot_in_a_run_is_looked_into_as_far_as_it_goes(tmp_path, cut):
    write_packed(tmp_path / "snapshot.json.gz", {"key": TOKEN, "noise": [hex(n * 7919) for n in range(20_000)]})
    content = (tmp_path / "snapshot.json.gz").read_bytes()
    (tmp_path / "snapshot.json.gz").write_bytes(content[:cut])
    assert scan_for_secrets(tmp_path, (TOKEN,)) == [tmp_path / "snapshot.json.gz"]


def test_a_run_taken_elsewhere_says_that_its_snapshot_was_not_compared(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "mailed")
    assert main(["evidence", str(tmp_path / "mailed")]) == 0
    said = capsys.readouterr().out
    assert "is not here, not compared" in said
    assert "as it was sealed" not in said


def test_a_folder_without_a_sealed_run_is_said(tmp_path, capsys):
    assert main(["evidence", str(tmp_path)]) == 2
    assert "holds no sealed run" in capsys.readouterr().err


def test_publishing_copies_what_stakeholders_may_see_and_nothing_else(run, tmp_path):
    written = publish(run, tmp_path / "out", ())
    names = {path.relative_to(tmp_path / "out").as_posix() for path in written}
    assert {"stakeholders.html", "team-PTEAM01.html"} <= names
    assert not [name for name in names if not name.removeprefix("tables/").startswith(("stakeholders", "team-"))]


def test_published_links_lead_to_published_pages(run, tmp_path):
    import re

    publish(run, tmp_path / "out", ())
    for page in (tmp_path / "out").glob("*.html"):
        for address in re.findall(r'href="([^"#:]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / address).is_file(), f"{page.name} links {address}"


def test_masked_pages_and_tables_hold_no_email(run, tmp_path):
    publish(run, tmp_path / "out", ())
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert any("…@acme.example" in text for text in texts)
    assert not [text for text in texts if "@acme.example" in text.replace("…@acme.example", "")]


def test_publishing_twice_replaces_and_a_strange_folder_is_refused(run, tmp_path):
    assert publish(run, tmp_path / "out", ()) == publish(run, tmp_path / "out", ())
    (tmp_path / "out" / ".published").unlink()
    with pytest.raises(RefusedError, match="was not made by publish"):
        publish(run, tmp_path / "out", ())
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RefusedError, match=r"thesis\.txt"):
        publish(run, tmp_path, ())


def test_what_is_asked_for_openly_is_published_openly(run, tmp_path):
    publish(run, tmp_path / "out", (), mask=False)
    assert any(
        "…@" not in path.read_text() and "@acme.example" in path.read_text()
        for path in (tmp_path / "out").glob("*.html")
    )


def test_a_secret_in_a_page_stops_publishing(run, tmp_path):
    page = run / "stakeholders.html"
    old = page.read_bytes()
    page.write_bytes(old + TOKEN.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode())
    try:
        with pytest.raises(SecretFoundError, match=r"stakeholders\.html"):
            publish(run, tmp_path / "out", (TOKEN,))
    finally:
        page.write_bytes(old)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "spelled",
    [TOKEN, json.dumps({"key": TOKEN}), TOKEN.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")],
)
def test_the_scan_finds_a_planted_secret_however_it_is_spelled(spelled):
    assert holds_secret(f"before {spelled} after".encode(), (TOKEN,))
    assert not holds_secret(b"before and after", (TOKEN, ""))


def test_tokens_are_in_no_file_of_a_run(tmp_path, monkeypatch, capsys):
    """From the environment and from a file, on two live-like sides, through all six notebooks; also when one is refused."""
    key = f"pat.{EMBEDDED['account']}.planted.KEYxyz123"
    pagerduty = start_pagerduty(cut_down(company.build_company(read_clock())), token=TOKEN)
    harness = start_harness(build_target(company.build_harness_people()), api_key=key)
    (tmp_path / "key").write_text(key)
    monkeypatch.setenv("PLANTED_TOKEN", TOKEN)
    sides = {"source": "pagerduty", "token": "env:PLANTED_TOKEN", "subdomain": "acme", "source_url": pagerduty.url}
    sides |= {"target": "harness", "api_key": f"file:{tmp_path / 'key'}", "target_url": harness.url, **EMBEDDED}
    make_workspace(tmp_path / "acme", {"open_conflicts": "recommended", **sides})
    assert main(["run", str(tmp_path / "acme"), "--approve", "all"]) in (0, 3)
    (tmp_path / "key").write_text(f"{key}-wrong")
    assert main(["run", str(tmp_path / "acme"), "connect", "--reports", str(tmp_path / "acme" / "refused")]) != 0
    pagerduty.stop()
    harness.stop()
    assert scan_for_secrets(tmp_path / "acme", (TOKEN, key)) == []
    said = capsys.readouterr()
    assert not holds_secret((said.out + said.err).encode(), (TOKEN, key))
    (tmp_path / "acme" / "note.txt").write_text(key)
    assert scan_for_secrets(tmp_path / "acme", (TOKEN, key)) == [tmp_path / "acme" / "note.txt"]
    assert scan_for_secrets(tmp_path / "acme", (EMBEDDED_KEY,)) == []


def test_the_scan_looks_into_a_compressed_snapshot(tmp_path):
    write_packed(tmp_path / "snapshot.json.gz", {"name": "Payments", "key": TOKEN})
    assert scan_for_secrets(tmp_path, (TOKEN,)) == [tmp_path / "snapshot.json.gz"]
    assert scan_for_secrets(tmp_path, (EMBEDDED_KEY,)) == []
