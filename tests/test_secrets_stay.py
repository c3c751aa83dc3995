"""Keys and passwords stay where they belong: whatever the environment, a typing error, or a server's own words do."""

import base64
import logging
import subprocess
import sys
from urllib.parse import quote

import pytest
import requests
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from pdmigrate.cli import main
from pdmigrate.errors import AnswerError, PdmigrateError, SettingsError, SideError, UnreachableError, strip_controls
from pdmigrate.harness.address import read_base_url
from pdmigrate.pagerduty.client import make_client
from pdmigrate.runs.publish import holds_secret
from pdmigrate.sandbox.server import serve
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.redaction import mask_secrets, spell_secret
from pdmigrate.wire.transport import Patience, Transport
from pdmigrate.workspace.database import read_password
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import make_workspace

KEY = "u+Geheim/K3y_of-20.chars"
PASSWORD = "sw0rdfish-sw0rdfish"


@pytest.fixture
def parrot():
    """A server that answers 400 with what it is told to say, and remembers the headers it was asked with."""
    app = Flask(__name__)

    @app.before_request
    def note():
        app.config.update(ASKED=dict(request.headers), PATH=request.environ["REQUEST_URI"])

    @app.route("/<path:_>", methods=["GET", "POST"])
    def refuse(_):
        return {"error": {"message": app.config.get("WORDS", ""), "code": app.config.get("CODE", 2001)}}, 400

    server = serve(app)
    yield server
    server.stop()


# --- what the environment adds ---


def test_a_netrc_puts_nothing_in_the_place_of_the_key(tmp_path, monkeypatch, parrot):
    """By a name that the system resolves to this machine and that is not asked directly, as a real side is."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login ann password {PASSWORD}\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    url = parrot.url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 - asked, not bound to
    assert (
        requests.get(f"{url}/x", timeout=600).request.headers["Authorization"].startswith("Basic ")
    )  # as requests does it
    for headers in ({"x-api-key": KEY}, {"Authorization": f"Token token={KEY}"}):
        with pytest.raises(AnswerError):
            Transport("Harness", url, headers).send("GET", "/x")
        assert parrot.app.config["ASKED"].get("Authorization") == headers.get("Authorization")


# --- what a server repeats ---

FORMS = {
    "as it is": KEY,
    "in capitals": KEY.upper(),
    "in small letters": KEY.lower(),
    "percent": quote(KEY, safe=""),
    "percent, small": quote(KEY, safe="").lower(),
    "every byte": "".join(f"%{byte:02X}" for byte in KEY.encode()),
    "base 64": base64.b64encode(KEY.encode()).decode(),
    "base 64 for addresses": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "base 64 of a user and a key": base64.b64encode(f"ann:{KEY}".encode()).decode(),
    "base 64 with more behind": base64.b64encode(f"a:{KEY}:more".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_key_that_a_server_repeats_is_masked(parrot, form):
    parrot.app.config["WORDS"] = f"No user has the key {form} here"
    parrot.app.config["CODE"] = form
    client = make_client(parrot.url, "us", KEY)
    with pytest.raises(AnswerError) as caught:
        client.transport.send("GET", "/users")
    said = str(caught.value)
    assert "No user has the key" in said
    assert form not in said
    assert not [end for end in (form[:14], form[6:-6]) if end in said]


def test_a_key_of_which_the_end_is_cut_off_is_masked():
    assert mask_secrets(f"the key {KEY[:15]}", [KEY]) == "the key …"
    assert mask_secrets("the key of nobody", [KEY]) == "the key of nobody"


@given(st.binary(max_size=9), st.binary(max_size=9))
def test_base_64_is_known_wherever_the_key_stands_in_it(before, behind):
    text = base64.b64encode(before + KEY.encode() + behind).decode()
    assert [form for form in spell_secret(KEY) if form in text.lower()]
    assert holds_secret(text.encode(), [KEY])


# --- what somebody types ---

ADDRESSES = (
    "https://ann:{}@h.example",
    "https://{}@h.example/gateway",
    "https://ann:a/{}@h.example",
    "http://[::1:{}@h",
)


@pytest.mark.parametrize("typed", ADDRESSES)
@pytest.mark.parametrize("option", ["--source-url", "--target-url"])
def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path, capsys, typed, option):
    address = typed.format(PASSWORD)
    live = ["--source", "pagerduty", "--target", "harness", option, address]
    assert main(["init", str(tmp_path / "w"), *live]) == 2
    assert (
        main(
            [
                "snapshot",
                "--subdomain",
                "acme",
                "--base-url",
                address,
                "--to",
                str(tmp_path / "a"),
                "--token",
                "env:HOME",
            ]
        )
        == 2
    )
    with pytest.raises(SettingsError) as caught:
        read_base_url(address)
    said = capsys.readouterr()
    assert PASSWORD not in said.out + said.err + str(caught.value)
    assert len(said.err.splitlines()) == 2
    assert not (tmp_path / "w").exists()


HOSTS = ("http://a..b", f"http://{'a' * 64}.example", "http://*", "http://h:99999", "http://h:port", "http://[::1")


@pytest.mark.parametrize("address", [*HOSTS, "ftp://h", "http://", "http://a b", "http://\x1b[31m"])
def test_an_address_that_is_none_is_one_line(tmp_path, capsys, address):
    said = [
        "snapshot",
        "--subdomain",
        "acme",
        "--base-url",
        address,
        "--to",
        str(tmp_path / "a"),
        "--token",
        "env:HOME",
    ]
    assert main(said) == 2
    assert capsys.readouterr().err.splitlines() == [
        "pdmigrate: --base-url: it is no address: write https://HOST or https://HOST:PORT."
    ]
    with pytest.raises(SettingsError):
        read_base_url(address)


@pytest.mark.parametrize("proxy", HOSTS[:2])
def test_a_proxy_that_is_none_is_one_line(monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    transport = Transport("Harness", "http://harness.invalid", {}, patience=Patience(tries=1))
    with pytest.raises(UnreachableError):
        transport.send("GET", "/x")


@pytest.mark.parametrize("place", ["h:port", "[::1", "a..b", "a" * 300, "h\ud800", "127.0.0.1:1/x?nonsense=1"])
def test_a_database_url_that_is_none_is_one_line(place):
    with pytest.raises(SettingsError, match=r"^[^\n]*$") as caught:
        Journal(f"postgresql://ann:{PASSWORD}@{place}", "acme", "acme")
    assert PASSWORD not in str(caught.value)


def test_the_password_of_the_journal_is_looked_for_in_what_is_published():
    assert read_password(f"postgresql://ann:{PASSWORD}@h/x") == PASSWORD
    assert [read_password(url) for url in ("postgresql://h:port/x", "nothing", "postgresql://h/x")] == ["", "", ""]


def test_a_password_in_the_address_of_a_proxy_is_not_shown(monkeypatch, caplog):
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:{PASSWORD}@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    transport = Transport("Harness", "http://harness.invalid", {}, patience=Patience(tries=2, first=0.01))
    with caplog.at_level(logging.DEBUG), pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9") as caught:
        transport.send("GET", "/x")
    assert PASSWORD not in str(caught.value) + caplog.text


# --- what becomes an address, and what reaches a terminal ---


@pytest.mark.parametrize(
    "id, part",
    [("PABC1", "PABC1"), ("../x", "..%2Fx"), ("a?b#c", "a%3Fb%23c"), ("a\0\n", "a%00%0A"), ("a@b.c", "a@b.c")],
)
def test_an_id_is_one_part_of_an_address(parrot, id, part):
    assert encode_part(id) == part
    with pytest.raises(AnswerError):
        Transport("PagerDuty", parrot.url, {}).send("GET", f"/schedules/{encode_part(id)}/users")
    assert parrot.app.config["PATH"] == f"/schedules/{part}/users"


@pytest.mark.parametrize("id", ["", ".", ".."])
def test_an_id_that_changes_the_address_is_never_asked_for(id):
    with pytest.raises(SideError, match="which no request can ask for"):
        encode_part(id)


ESCAPES = "\x1b[2J\x1b]0;mine\x07\x9b31m\u202egnihton\r\x08"


def test_what_a_terminal_would_obey_is_stripped_from_messages():
    said = str(PdmigrateError(f"The team {ESCAPES}\nis gone"))
    assert said == "The team [2J]0;mine31mgnihton is gone"
    assert strip_controls("a\tb\nc") == "a\tb\nc"


def test_nothing_that_is_printed_commands_the_terminal(tmp_path, parrot):
    """A server's words in an error, a name in status, and a log line: in a process of its own, byte by byte."""
    parrot.app.config["WORDS"] = f"No {ESCAPES} here"
    folder = tmp_path / "w"
    make_workspace(folder, {"name": f"acme {ESCAPES[:9]}"})
    (folder / "state").mkdir()
    (folder / "state" / "strays.json").write_text('["a \\u001b[2J stray \\u009b31m"]', encoding="utf-8")
    asked = [
        "snapshot",
        "--subdomain",
        "acme",
        "--base-url",
        parrot.url,
        "--to",
        str(tmp_path / "a"),
        "--token",
        "env:HOME",
    ]
    for arguments, word in ((asked, b"No "), (["status", str(folder)], b"stray")):
        done = subprocess.run([sys.executable, "-m", "pdmigrate.cli", *arguments], capture_output=True, timeout=600)
        written = done.stdout + done.stderr
        assert word in written
        assert not [byte for byte in b"\x1b\x07\x08\r" if byte in written]
        assert "\x9b".encode() not in written
        assert "\u202e".encode() not in written
