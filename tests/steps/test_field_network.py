"""The cases of data/cases about keys and networks: a server's manner, and the sentence and exit code of a run under it."""

import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest
import requests
from field_cases import CASES, NOW, serve_account
from mapping_account import policy, refer, service, user

from pdmigrate import conflicts, connect, invite, load, open_job, preview
from pdmigrate.errors import AnswerError, IncompleteFetchError, PdmigrateError, UsageError
from pdmigrate.pages import make_page
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN, start_pagerduty
from pdmigrate.wire.transport import Patience

ACCOUNT = CASES / "team-hierarchy" / "account"
"""What the server has: three teams."""
QUICK = Patience(first=0.01, longest=0.05, told=0.02)


@contextmanager
def open_served(tmp_path, monkeypatch, name, *rules, token=DEFAULT_TOKEN, url=""):
    """A job on the case's workspace, whose PagerDuty serves ACCOUNT by these rules and takes DEFAULT_TOKEN."""
    server = start_pagerduty(load_account(ACCOUNT))
    try:
        folder = shutil.copytree(CASES / name, tmp_path / name)
        written = (folder / "migration.yaml").read_text(encoding="utf-8")
        start, end = written.index("base_url: '"), written.index("'}")
        (folder / "migration.yaml").write_text(f"{written[:start]}base_url: '{url or server.url}{written[end:]}")
        monkeypatch.setenv("PD_TOKEN", token)
        replace_faults(server.app, list(rules))
        with open_job(folder, clock=lambda: NOW) as job:
            job.source.transport.patience = QUICK
            yield job
    finally:
        server.stop()


def read_all(job):
    """What the pages of connect and preview say."""
    return " ".join(repr(make_page(step(job))) for step in (connect, preview))


def test_http_no_teams_402(tmp_path, monkeypatch):
    """A plan without teams: there are none, which is said, and the migration goes on."""
    no_teams = {"kind": "402", "path": "/teams"}
    with open_served(tmp_path, monkeypatch, "http-no-teams-402", no_teams) as job:
        assert "plan has no teams" in read_all(job)
        invite(job)
        decided = conflicts(job)
        assert decided.error is None
        assert load(job, "all").error is None
        assert len(decided.draft.account.services) > 0


def test_http_team_gone_404(tmp_path, monkeypatch):
    """A team that is deleted between the list and its members: read again, or named as schedules are."""
    gone = {"kind": "404", "path": "/teams/PT2/members"}
    with open_served(tmp_path, monkeypatch, "http-team-gone-404", gone) as job:
        connect(job)
        with pytest.raises(IncompleteFetchError, match=r"team PT2 was removed while the account was read"):
            preview(job)


def test_http_total_says_more(tmp_path, monkeypatch):
    """PagerDuty counts one team more than it gives: not whole, and so not taken."""
    with open_served(tmp_path, monkeypatch, "http-total-says-more", {"kind": "counts_more", "path": "/teams"}) as job:
        connect(job)
        with pytest.raises(IncompleteFetchError, match="/teams"):
            preview(job)


def test_http_errors_string(tmp_path, monkeypatch):
    """The side's own words are shown, also where `errors` is a text."""
    refused = {"kind": "400_text", "path": "/services"}
    with open_served(tmp_path, monkeypatch, "http-errors-string", refused) as job:
        connect(job)
        with pytest.raises(AnswerError, match="The window that was asked for is not served here"):
            preview(job)


@pytest.mark.parametrize(
    "pasted",
    [f"“{DEFAULT_TOKEN}”", f"Token token={DEFAULT_TOKEN}", f"'{DEFAULT_TOKEN}'"],  # typographic quotes, and plain ones
)
def test_http_smart_quotes(tmp_path, monkeypatch, pasted):
    """A key that cannot be one, as it was pasted, is refused in a sentence that says so."""
    served = open_served(tmp_path, monkeypatch, "http-smart-quotes", token=pasted)
    with pytest.raises(UsageError, match=r"PD_TOKEN.*(quot|Token token=)") as raised, served as job:
        connect(job)
    assert DEFAULT_TOKEN not in str(raised.value)


def test_http_bearer(tmp_path, monkeypatch):
    """An OAuth token, written as `Bearer …`, opens the account."""
    with open_served(tmp_path, monkeypatch, "http-bearer", token=f"Bearer {DEFAULT_TOKEN}") as job:
        assert connect(job).error is None


@pytest.fixture
def untrusted(tmp_path):
    """The address of a server whose certificate nobody trusts."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_http_tls(tmp_path, monkeypatch, untrusted):
    """An untrusted certificate is said as such, with the way on."""
    served = open_served(tmp_path, monkeypatch, "http-tls", url=untrusted)
    with served as job, pytest.raises(PdmigrateError, match=r"certificate.*(REQUESTS_CA_BUNDLE|ca_bundle)"):
        connect(job)


def test_http_invite_unnamed(tmp_path):
    """Harness refuses one address of twelve in words that do not name it: the others are invited, and the one is named."""
    bad = "p07@example.com"
    users = [user(f"p{n:02}", contact_methods=[], notification_rules=[]) for n in range(12)]
    level = [refer("user", one["id"]) for one in users]
    rows = {"users": users, "escalation_policies": [policy("E1", (5, level))], "services": [service("V1", "E1")]}
    with serve_account(tmp_path, {"subdomain": "acme", "time_zone": "UTC", **rows}) as job:
        sandbox = f"{job.target.transport.base_url}/sandbox/config"
        requests.post(sandbox, json={"unwelcome_emails": [bad]}, timeout=600).raise_for_status()
        preview(job)
        conflicts(job)
        loaded = load(job, "all")
    [failed] = [done for done in loaded.done if done.outcome == "failed"]
    assert failed.action.identifier == bad
    assert "USER_DOMAIN_NOT_ALLOWED" in failed.note
    invited = [done for done in loaded.done if (done.action.kind, done.outcome) == ("users", "created")]
    assert len(invited) == 11
    assert loaded.error.exit_code == 5


def test_an_account_whose_plan_has_lost_its_teams_goes_on(tmp_path, monkeypatch):
    """Groups that were made before stay as they are, no guard stops the plan, and the old teams are named."""
    with open_served(tmp_path, monkeypatch, "http-no-teams-402") as job:
        for step in (connect, preview, invite, conflicts):
            step(job)
        assert load(job, "all").error is None
        groups = job.target.read_state().groups
        assert len(groups) == 4  # with that of all users
        url = job.source.transport.base_url
        requests.post(f"{url}/sandbox/faults", json=[{"kind": "402", "path": "/teams"}], timeout=600).raise_for_status()
        assert "still named by the" in read_all(job)
        invite(job)
        decided = conflicts(job)
        assert (decided.error, decided.refusals) == (None, ())
        loaded = load(job, "all")
        assert loaded.error is None
        assert job.target.read_state().groups == groups


def test_a_scope_of_teams_that_cannot_be_read_says_so(tmp_path, monkeypatch):
    no_teams = {"kind": "402", "path": "/teams"}
    with open_served(tmp_path, monkeypatch, "http-no-teams-402", no_teams) as job:
        path = job.workspace.settings_file
        path.write_text(path.read_text() + "scope: {teams: [Payments]}\n")
        with pytest.raises(
            UsageError, match=r"scope\.teams: 'Payments' is not known, since they could not be read: absent"
        ):
            preview(job)
