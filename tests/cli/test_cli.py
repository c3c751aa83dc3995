"""The command line as a person types it: one line for what is wrong, the right exit code, and nothing written."""

import itertools
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pdmigrate import conflicts, open_job, preview
from pdmigrate.cli import main
from pdmigrate.errors import worst_code
from pdmigrate.runs.kernels import QuietKernelManager
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.harness import new_document, start_harness
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import make_workspace, read_settings

TOKEN, KEY = "planted-pagerduty-token", "pat.embedded.planted-harness-key"


@pytest.fixture
def run(capfd):
    """Run a command; gives the exit code, the lines on stderr, and stdout."""

    def run_it(*words):
        code = main([str(word) for word in words])
        said = capfd.readouterr()
        assert TOKEN not in said.out + said.err
        assert KEY not in said.out + said.err
        return code, [line for line in said.err.splitlines() if line.startswith("pdmigrate:")], said.out

    return run_it


@pytest.fixture(scope="module")
def pair():
    """A PagerDuty and a Harness that are not embedded in any workspace."""
    pagerduty = start_pagerduty(build_company(read_clock()), token=TOKEN)
    harness = start_harness(new_document(), api_key=KEY)
    yield pagerduty, harness
    pagerduty.stop()
    harness.stop()


@pytest.fixture
def live(pair, tmp_path, monkeypatch):
    """A workspace on that pair, with the right secrets in the environment."""
    monkeypatch.setenv("PLANTED_TOKEN", TOKEN)
    monkeypatch.setenv("PLANTED_KEY", KEY)
    pagerduty, harness = pair
    source = {"source": "pagerduty", "token": "env:PLANTED_TOKEN", "subdomain": "acme", "source_url": pagerduty.url}
    target = {"target": "harness", "api_key": "env:PLANTED_KEY", "account": "embedded", "target_url": harness.url}
    make_workspace(tmp_path / "acme", {**source, **target})
    return tmp_path / "acme"


def change(folder, old, new):
    path = folder / "migration.yaml"
    text = path.read_text(encoding="utf-8")
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def writes(pair):
    return pair[1].app.config["STORE"].read()["writes"]


MADE = [".gitignore", "migration.yaml"]
"""What a workspace has that nothing was done in: no repository takes it."""


def left_in(folder):
    return sorted(
        path.name for path in folder.iterdir() if path.name not in ("reports", ".lock", ".decisions.yaml.lock")
    )


# --- init ---


@pytest.mark.parametrize("source", ["pagerduty", "snapshot", "embedded"])
@pytest.mark.parametrize("target", ["harness", "embedded"])
def test_init_makes_a_workspace_that_can_be_read(run, tmp_path, source, target):
    more = ["--snapshot", "account.json"] if source == "snapshot" else []
    code, errors, out = run("init", tmp_path / "new", "--source", source, "--target", target, *more)
    assert (code, errors) == (0, [])
    assert str(tmp_path / "new" / "migration.yaml") in out
    settings = read_settings(tmp_path / "new" / "migration.yaml")
    assert (settings.name, settings.source.kind, settings.target.kind) == ("new", source, target)


def test_init_takes_what_it_is_told(run, tmp_path):
    options = [
        "--name",
        'Acme: "EU" #1',
        "--subdomain",
        "acme-eu",
        "--region",
        "eu",
        "--token",
        "file:~/pd",
        "--project",
        "p",
    ]
    assert run("init", tmp_path / "new", "--source", "pagerduty", "--target", "harness", *options)[0] == 0
    settings = read_settings(tmp_path / "new" / "migration.yaml")
    assert (settings.name, settings.source.subdomain, settings.source.region) == ('Acme: "EU" #1', "acme-eu", "eu")
    assert (settings.source.token, settings.target.project) == ("file:~/pd", "p")


def test_init_never_writes_over_a_workspace(run, workspace):
    before = (workspace / "migration.yaml").read_bytes()
    code, errors, _ = run("init", workspace)
    assert (code, len(errors)) == (2, 1)
    assert (workspace / "migration.yaml").read_bytes() == before


def test_init_refuses_a_literal_token(run, tmp_path):
    code, errors, _ = run("init", tmp_path / "new", "--source", "pagerduty", "--token", TOKEN)
    assert (code, len(errors)) == (2, 1)
    assert not (tmp_path / "new").exists()


# --- wrong usage, wrong settings: 2 ---


@pytest.mark.parametrize("words", [[], ["migrate"], ["run"], ["init"], ["run", "x", "--aprove", "all"]])
def test_a_command_that_is_none_is_usage(run, words):
    assert run(*words)[0] == 2


@pytest.mark.parametrize("words", [["lod"], ["--until", "lod"]])
def test_a_step_that_is_none_is_refused_with_the_steps_there_are(run, workspace, words):
    code, [error], _ = run("run", workspace, *words)
    assert code == 2
    assert "connect, preview, invite, conflicts, load, verify" in error
    assert left_in(workspace) == MADE


def test_a_folder_that_is_no_workspace_is_refused(run, tmp_path):
    for command in ("run", "status"):
        code, [error], _ = run(command, tmp_path / "nowhere")
        assert (code, "pdmigrate init" in error) == (2, True)
    assert not (tmp_path / "nowhere").exists()


def test_a_misspelt_key_is_refused_and_nothing_is_written(run, live, pair):
    change(live, "strategy:", "stratgy:")
    code, [error], _ = run("run", live)
    assert (code, error) == (2, "pdmigrate: migration.yaml: there is no key rules.stratgy (did you mean strategy?).")
    assert left_in(live) == MADE
    assert not (live / "reports").exists()
    assert writes(pair) == []


def test_a_literal_token_is_refused_and_nothing_is_written(run, live, pair):
    change(live, "env:PLANTED_TOKEN", TOKEN)
    code, [error], _ = run("run", live)
    assert code == 2
    assert "source.token: a secret is given by reference" in error
    assert left_in(live) == MADE
    assert not (live / "reports").exists()
    assert writes(pair) == []


def test_a_secret_that_is_not_set_is_refused(run, live, monkeypatch):
    monkeypatch.delenv("PLANTED_TOKEN")
    code, [error], _ = run("run", live)
    assert (code, "env:PLANTED_TOKEN" in error) == (2, True)


# --- a side that cannot be used: 6 ---


CANNOT = {
    "wrong token": ("env:PLANTED_TOKEN", "env:WRONG", "refuses the key"),
    "wrong key": ("env:PLANTED_KEY", "env:WRONG", "refuses the key"),
    "wrong subdomain": ("subdomain: acme", "subdomain: globex", "opens the PagerDuty account acme.*says globex"),
    "wrong project": ("project: sre", "project: sra", "did you mean sre"),
    "unreachable": (
        r"base_url: http://127.0.0.1:\d+",
        "base_url: http://127.0.0.1:{deaf}",
        "nobody listens there",
    ),
}


@pytest.mark.parametrize("what", CANNOT)
def test_a_side_that_cannot_be_used_is_one_line_and_nothing_is_written(run, live, pair, monkeypatch, what):
    old, new, said = CANNOT[what]
    monkeypatch.setenv("WRONG", "another-secret-altogether")
    with socket.socket() as deaf:  # nobody listens at its port, and nobody else is given it meanwhile
        deaf.bind(("127.0.0.1", 0))
        change(live, old, new.format(deaf=deaf.getsockname()[1]))
        code, errors, out = run("run", live, "--reports", live / "reports" / "1")
    assert code == 6
    assert len(errors) == 1
    assert re.search(said, errors[0])
    assert writes(pair) == []
    assert left_in(live) == MADE
    assert "another-secret-altogether" not in "".join(out)
    assert (live / "reports" / "1" / "index.html").is_file()
    assert "another-secret-altogether" not in (live / "reports" / "1" / "notebooks" / "1_connect.ipynb").read_text()


# --- single steps, approval: 0, 3, 4, 5 ---


@pytest.fixture
def planned(decided_workspace):
    """The company with a plan that waits."""
    with open_job(decided_workspace) as job:
        preview(job)
        return decided_workspace, conflicts(job).plan.digest


def test_only_the_steps_that_were_asked_for_run(run, workspace):
    folder = workspace / "reports" / "x"
    assert run("run", workspace, "preview", "connect", "--until", "preview", "--reports", folder)[0] == 0
    assert sorted(path.stem for path in (folder / "results").iterdir()) == ["connect", "preview"]
    code, errors, _ = run("run", workspace, "conflicts")
    assert code == 3
    assert re.search(r"\d+ open questions: user_not_found", errors[0])


def test_a_plan_is_loaded_by_its_digest_only(run, planned):
    folder, digest = planned
    code, [error], _ = run("run", folder, "load", "--approve", "0" * 64)
    assert (code, "look at it again" in error) == (4, True)
    code, [error], _ = run("run", folder, "load", "verify")
    assert (code, f"--approve {digest}" in error) == (3, True)
    said = run("status", folder)[2]
    assert f"waits for approval (--approve {digest})" in said
    assert f" run {folder} load verify --approve {digest}\n" in said, "what is to be typed next"
    assert run("run", folder, "load", "--approve", digest)[:2] == (0, [])
    said = run("status", folder)[2]
    assert "is loaded" in said
    assert f" run {folder} verify\n" in said


def test_verify_before_the_load_finds_what_nobody_has_decided(run, planned):
    code, [error], _ = run("run", planned[0], "verify")
    assert (code, "have no decision behind them" in error) == (5, True)


def test_status_says_where_to_begin(run, workspace):
    code, _, out = run("status", workspace)
    assert code == 0
    assert "acme: embedded to embedded" in out
    assert "connect: not done yet" in out
    assert not Workspace(workspace).journal_file.exists(), "looking leaves nothing behind"


def test_two_runs_at_once_do_not_meet():
    """Two workspaces at night on one machine: each kernel has sockets of its own, wherever the run was started."""
    addresses = [QuietKernelManager().ip for _ in range(2)]
    assert len(set(addresses)) == 2
    assert all(Path(address).is_absolute() and len(address) < 100 for address in addresses)


# --- the sandbox ---


@pytest.fixture
def sandbox():
    """Start the embedded pair as a person would; all are ended after the test."""
    started = []

    def start(*words):
        command = [sys.executable, "-m", "pdmigrate.cli", "sandbox", *map(str, words)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_sandbox_says_five_lines_and_serves(sandbox):
    process = sandbox()
    assert select.select([process.stdout], [], [], 60)[0]
    lines = [process.stdout.readline().rstrip("\n") for _ in range(5)]
    names, values = zip(*(line.split("=", 1) for line in lines), strict=True)
    assert names == ("PAGERDUTY_URL", "PAGERDUTY_TOKEN", "HARNESS_URL", "HARNESS_API_KEY", "HARNESS_ACCOUNT")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", values[0])
    assert all(values)
    assert "Ctrl-C" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=300)
    assert rest == "", "everything else goes to stderr"
    assert process.returncode == 0


def test_an_account_that_is_none_is_one_line(run, tmp_path):
    (tmp_path / "odd.json").write_text("[]", encoding="utf-8")
    code, [error], _ = run("sandbox", "--account", tmp_path / "odd.json")
    assert (code, "odd.json" in error) == (2, True)


def test_a_port_that_is_taken_is_one_line(sandbox):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        out, error = (process := sandbox("--harness-port", port)).communicate(timeout=300)
    assert (process.returncode, out) == (2, "")
    assert error.splitlines()[-1] == f"pdmigrate: The port {port} is taken: choose another one, or 0 for any."
    assert "Traceback" not in error


@pytest.mark.parametrize("size", [1, 2, 3])
def test_of_several_codes_the_first_of_the_documented_order_counts(size):
    """Whatever the order in which the steps ended; a code that nobody knows is an error, not a success."""
    order = [1, 2, 6, 7, 4, 3, 5, 0]
    for codes in itertools.permutations(order, size):
        assert worst_code(list(codes)) == min(codes, key=order.index)
    assert worst_code([]) == 0
    with pytest.raises(ValueError, match="not in"):
        worst_code([99])


def test_a_command_that_was_stopped_ends_with_its_code_wherever_the_signal_met_it(tmp_path):
    """Python keeps in mind that one met an exec() of a text, as data classes are made by, and ends `-m` by the signal."""
    stopped = "def main():\n    try:\n        exec('raise KeyboardInterrupt')\n    except KeyboardInterrupt:\n        return 7\n"
    (tmp_path / "sitecustomize.py").write_text(f"from pdmigrate import cli\n{stopped}cli.main = main\n")
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, "-m", "pdmigrate.cli"], env={**os.environ, "PYTHONPATH": paths}, check=False
    )
    assert ended.returncode == 7
