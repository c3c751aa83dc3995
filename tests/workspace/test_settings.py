"""migration.yaml, strictly checked: each refusal is one line that says the key and what to do, and never a secret."""

import sys

import pytest
import yaml

from pdmigrate.errors import SettingsError
from pdmigrate.workspace.settings import make_workspace, parse_settings, read_settings, resolve_network, resolve_secret

EMBEDDED = {"name": "acme", "source": {"kind": "embedded"}, "target": {"kind": "embedded"}}
LIVE = {
    "name": "acme",
    "source": {"kind": "pagerduty", "token": "env:PD_TOKEN", "subdomain": "acme"},
    "target": {"kind": "harness", "api_key": "env:KEY", "account": "a1", "org": "default", "project": "sre"},
}


def refusal(data):
    with pytest.raises(SettingsError) as caught:
        parse_settings(data)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


def changed(data, path, value):
    """A copy of the settings with one key set; `...` as the value takes the key out."""
    *sections, key = path.split(".")
    copy = yaml.safe_load(yaml.safe_dump(data))
    place = copy
    for section in sections:
        place = place.setdefault(section, {})
    place[key] = value
    if value is ...:
        del place[key]
    return copy


# --- what is good ---


def test_the_two_kinds_and_a_name_are_enough():
    settings = parse_settings(EMBEDDED)
    assert (settings.scope.services, settings.rules.strategy, settings.rules.open_conflicts) == (
        "all",
        "preserve",
        "stop",
    )
    assert (settings.rules.contact_details, settings.rules.auto_approve, settings.horizon_days) == (True, [], 56)
    assert (settings.source.region, settings.target.base_url) == ("us", "https://app.harness.io/gateway")


def test_a_key_without_a_value_is_as_good_as_absent():
    written = changed(changed(LIVE, "source.region", None), "target.base_url", None)
    assert parse_settings(written) == parse_settings(LIVE)


def test_a_list_of_services_is_a_scope():
    assert parse_settings(changed(EMBEDDED, "scope.services", ["Cart API", "P1"])).scope.services == ["Cart API", "P1"]


# --- unknown and misspelt keys ---


@pytest.mark.parametrize(
    "path,nearest",
    [
        ("nmae", "name"),
        ("horizon_day", "horizon_days"),
        ("source.tokn", "token"),
        ("source.sub_domain", "subdomain"),
        ("target.apikey", "api_key"),
        ("target.projct", "project"),
        ("scope.service", "services"),
        ("rules.stratgy", "strategy"),
        ("rules.autoapprove", "auto_approve"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_nearest_right_one(path, nearest):
    assert refusal(changed(LIVE, path, "x")) == f"migration.yaml: there is no key {path} (did you mean {nearest}?)."


def test_a_key_that_is_like_none_is_refused_with_all_there_are():
    said = refusal(changed(EMBEDDED, "rules.zzz", 1))
    assert said == (
        "migration.yaml: there is no key rules.zzz (there are contact_details, strategy, open_conflicts, auto_approve, "
        "terraform, invite_roles, renamed_domains, most_levels, people_file, guards)."
    )


def test_an_unknown_section_is_refused_even_when_it_is_empty():
    assert "did you mean rules?" in refusal({**EMBEDDED, "rule": {}})


# --- missing keys ---


@pytest.mark.parametrize("path", ["name", "source", "target", "source.kind", "target.kind"])
def test_a_missing_key_is_named(path):
    assert refusal(changed(EMBEDDED, path, ...)) == f"migration.yaml: {path} is missing."


@pytest.mark.parametrize(
    "path,kind",
    [
        ("source.token", "pagerduty"),
        ("source.subdomain", "pagerduty"),
        ("target.api_key", "harness"),
        ("target.account", "harness"),
        ("target.org", "harness"),
        ("target.project", "harness"),
    ],
)
@pytest.mark.parametrize("value", [..., None, ""], ids=["absent", "empty", "blank"])
def test_each_kind_says_what_it_needs(path, kind, value):
    section, _, key = path.partition(".")
    said = refusal(changed(LIVE, path, value))
    assert section in said
    assert key in said
    if value != "" or key not in ("token", "api_key"):
        assert said == f"migration.yaml: {section}: kind {kind} needs {key}."


def test_a_snapshot_needs_its_path():
    assert (
        refusal(changed(EMBEDDED, "source.kind", "snapshot")) == "migration.yaml: source: kind snapshot needs snapshot."
    )


@pytest.mark.parametrize("data", [None, [], "acme", 7])
def test_what_is_no_mapping_holds_no_settings(data):
    assert refusal(data) == "migration.yaml holds no settings: write at least name, source and target."


# --- values ---


@pytest.mark.parametrize(
    "path,value,said",
    [
        ("source.kind", "pagerdtuy", "source.kind: input should be 'pagerduty', 'snapshot' or 'embedded'"),
        (
            "target.kind",
            "harnes",
            "target.kind: no such kind of target (did you mean harness?); there are embedded, harness.",
        ),
        ("source.region", "asia", "source.region: input should be 'us' or 'eu'"),
        ("rules.strategy", "merge", "rules.strategy: input should be 'preserve' or 'overwrite'"),
        ("rules.open_conflicts", "ask", "rules.open_conflicts: input should be 'stop', 'skip' or 'recommended'"),
        ("rules.contact_details", "perhaps", "rules.contact_details: input should be a valid boolean"),
        ("rules.auto_approve", ["schedules"], "rules.auto_approve: 'schedules' cannot be approved in advance"),
        ("scope.services", "Cart API", "scope.services: write all, or a list of names and ids"),
        ("scope.services", [1], "scope.services: write all, or a list of names and ids"),
        ("horizon_days", 0, "horizon_days: input should be greater than or equal to 1"),
        ("horizon_days", 500, "horizon_days: input should be less than or equal to 400"),
        ("name", "", "name: string should have at least 1 character"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(path, value, said):
    assert said in refusal(changed(EMBEDDED, path, value))


def test_all_that_is_wrong_is_said_at_once():
    said = refusal(changed(changed(EMBEDDED, "rules.stratgy", "x"), "horizon_days", 0))
    assert "stratgy" in said
    assert "horizon_days" in said


# --- secrets ---

TOKEN = "u+8sYq-planted-token-Zx2"


@pytest.mark.parametrize("path", ["source.token", "target.api_key"])
@pytest.mark.parametrize("value", [TOKEN, f"token:{TOKEN}", f"pat.acc.{TOKEN}", f"ENV:{TOKEN}"])
def test_a_literal_token_is_refused_and_never_repeated(path, value):
    said = refusal(changed(LIVE, path, value))
    assert said.startswith(f"migration.yaml: {path}: a secret is given by reference")
    assert TOKEN not in said


@pytest.mark.parametrize("path", ["source.tken", "rules.strategy", "name", "source.kind", "scope.services", "source"])
def test_a_token_in_the_wrong_place_is_never_repeated(path):
    value = [TOKEN] if path == "name" else TOKEN
    assert TOKEN not in refusal(changed(LIVE, path, value))


def test_a_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("PD_TOKEN", f" {TOKEN}\n")
    assert resolve_secret("env:PD_TOKEN") == TOKEN


def test_a_secret_comes_from_a_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n", encoding="utf-8")
    assert resolve_secret(f"file:{path}") == TOKEN


def test_a_secret_that_is_not_there_is_said_by_its_reference(monkeypatch, tmp_path):
    monkeypatch.setenv("EMPTY", "  ")
    for reference in ("env:NOWHERE_TO_BE_FOUND", "env:EMPTY", f"file:{tmp_path / 'none'}", f"file:{tmp_path}"):
        with pytest.raises(SettingsError, match="is empty or not there") as caught:
            resolve_secret(reference)
        assert reference in str(caught.value)


@pytest.mark.parametrize("said", ["é".encode("latin-1"), TOKEN.encode("utf-16"), b"k" * 2_000_000])
def test_a_secret_file_that_holds_no_secret_is_one_line(tmp_path, said):
    path = tmp_path / "key"
    path.write_bytes(said)
    with pytest.raises(SettingsError, match=f"The secret file:{path} "):
        resolve_secret(f"file:{path}")


def test_a_keyring_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SettingsError, match=r"pdmigrate\[keyring\]"):
        resolve_secret("keyring:pagerduty/acme")


# --- the file ---


def test_an_absent_file_and_no_yaml_are_said(tmp_path):
    path = tmp_path / "migration.yaml"
    with pytest.raises(SettingsError, match="pdmigrate init"):
        read_settings(path)
    path.write_text("name: acme\nsource: {kind: embedded\ntarget: x: y\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"is no YAML near line [23]"):
        read_settings(path)
    path.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(SettingsError, match="is no YAML"):
        read_settings(path)


def test_a_choice_counts_in_place_of_the_file(tmp_path):
    path = make_workspace(tmp_path, {})
    choices = {"rules.strategy": "overwrite", "scope.services": ["Cart API"], "rules.contact_details": False}
    settings = read_settings(path, choices)
    assert (settings.rules.strategy, settings.rules.contact_details) == ("overwrite", False)
    assert settings.scope.services == ["Cart API"]
    assert settings.rules.open_conflicts == read_settings(path).rules.open_conflicts


def test_a_choice_that_makes_no_sense_is_said_to_be_in_decisions_yaml(tmp_path):
    with pytest.raises(SettingsError, match=r"^the choices in decisions\.yaml: rules\.strategy"):
        read_settings(make_workspace(tmp_path, {}), {"rules.strategy": "guess"})


def test_a_mistake_in_the_file_is_said_to_be_there_whatever_was_chosen(tmp_path):
    path = make_workspace(tmp_path, {})
    path.write_text(path.read_text().replace("strategy:", "stratgy:"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^migration\.yaml: there is no key rules\.stratgy"):
        read_settings(path, {"rules.strategy": "overwrite"})


def test_a_proxy_that_is_no_address_is_refused(tmp_path):
    settings = parse_settings(EMBEDDED | {"proxy": "[[[["})
    with pytest.raises(SettingsError, match="proxy: it is no address"):
        resolve_network(settings, tmp_path)
