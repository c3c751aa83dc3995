"""What people paste in the place of a key, and the way to both sides in migration.yaml."""

import pytest

from pdmigrate.errors import SettingsError
from pdmigrate.workspace.settings import parse_settings, resolve_key, resolve_network

KEY = "u+4f1cKEY_key-9d"
WORKSPACE = {"name": "acme", "source": {"kind": "embedded"}, "target": {"kind": "embedded"}}


@pytest.mark.parametrize("pasted", [KEY, f" {KEY}\n", f"Bearer {KEY}", f"bearer  {KEY}"])
def test_a_key_or_an_oauth_token_is_taken(monkeypatch, pasted):
    monkeypatch.setenv("PD_TOKEN", pasted)
    assert resolve_key("env:PD_TOKEN", oauth=True) == (f"Bearer {KEY}" if "earer" in pasted else KEY)


@pytest.mark.parametrize(
    "pasted, words",
    [
        (f"“{KEY}”", "quotation marks"),
        (f'"{KEY}"', "quotation marks"),
        (f"'{KEY}", "quotation marks"),
        (f"Token token={KEY}", "words of a header"),
        (f"token={KEY}", "words of a header"),
        (f"Authorization: Token token={KEY}", "words of a header"),
        (f"Bearer “{KEY}”", "quotation marks"),
        (f"Bearer Token token={KEY}", "words of a header"),
        ("Bearer", "words of a header|nothing stands after"),
        (f"{KEY} {KEY}", "a space or a line break"),
        (f"{KEY}\u200b", "characters that no key has"),
        (f"{KEY}…", "characters that no key has"),
    ],
)
def test_what_cannot_be_a_key_is_refused_and_never_shown(monkeypatch, pasted, words):
    monkeypatch.setenv("PD_TOKEN", pasted)
    with pytest.raises(SettingsError, match=rf"secret env:PD_TOKEN cannot be a key: .*({words})") as caught:
        resolve_key("env:PD_TOKEN", oauth=True)
    assert KEY not in str(caught.value)


def test_harness_takes_no_bearer(monkeypatch):
    monkeypatch.setenv("HARNESS_API_KEY", f"Bearer {KEY}")
    with pytest.raises(SettingsError, match="words of a header"):
        resolve_key("env:HARNESS_API_KEY")


def test_a_key_that_begins_like_a_word_is_a_key(monkeypatch):
    monkeypatch.setenv("PD_TOKEN", "tokenish4711")
    assert resolve_key("env:PD_TOKEN") == "tokenish4711"


def test_the_way_is_named_once_for_both_sides(monkeypatch, tmp_path):
    monkeypatch.setenv("OUR_PROXY", "http://ann:pass@proxy:8080")
    settings = parse_settings({**WORKSPACE, "proxy": "env:OUR_PROXY", "ca_bundle": "ca.pem"})
    network = resolve_network(settings, tmp_path)
    assert (network.proxy, network.ca_bundle) == ("http://ann:pass@proxy:8080", str(tmp_path / "ca.pem"))
    assert (
        resolve_network(parse_settings({**WORKSPACE, "ca_bundle": "/etc/ca.pem"}), tmp_path).ca_bundle == "/etc/ca.pem"
    )
    assert (
        resolve_network(parse_settings({**WORKSPACE, "proxy": "http://proxy:8080"}), tmp_path).proxy
        == "http://proxy:8080"
    )


def test_a_password_never_stands_in_migration_yaml():
    with pytest.raises(SettingsError, match=r"proxy: a proxy with a password is given by reference") as caught:
        parse_settings({**WORKSPACE, "proxy": "http://ann:pass@proxy:8080"})
    assert "ann:pass" not in str(caught.value)
