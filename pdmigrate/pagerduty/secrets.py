"""What of PagerDuty's answers a snapshot keeps: a list of what may stay. Of everything else the name stays, without its value.

May stay what the tables of fields.py know: what is carried over, compared, or made by PagerDuty as a link. Addresses lose
whatever opens something: their query, a user's part, a private path. A field that no table has keeps its name, so that it
is noticed as unknown.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from pdmigrate.pagerduty.dependents import DEPENDENTS
from pdmigrate.pagerduty.dependents import keep as keep_dependent
from pdmigrate.pagerduty.event_rules import keep_parts
from pdmigrate.pagerduty.fields import TABLES, FieldTable, show_value

HIDDEN = "(not kept)"
"""In place of a value that is not kept and says something."""
KEYS = frozenset({"integration_key", "integration_email", "routing_key", "routing_keys"})
"""Whoever has an integration key can page the company. They stay where somebody asks for it."""
CALENDAR = re.compile(r"_cal_url$|_feed_url$")
"""Names of calendar addresses, an account's and a person's own: whoever has one can read who is on call."""
LINK = frozenset(["id", "type", "summary", "self", "html_url", "name", "deleted_at"])
"""What is kept of an object inside another that is only named there."""

LISTED = {
    "business_services": "description point_of_contact team",
    "maintenance_windows": "description start_time end_time sequence_number services created_by teams",
    "event_orchestrations": "description routes created_by updated_by team created_at updated_at version suppressing_rules",
    "rulesets": "creator updater team created_at updated_at suppressing_rules routing_rules routing_keys",
    "service_orchestrations": "suppressing_rules",
    "oncalls": "escalation_policy escalation_level schedule user start end",
}
"""What is kept of kinds that are not carried over, beside LINK. Of any other kind it is LINK alone."""
WITH_RULES = ("event_orchestrations", "rulesets", "service_orchestrations")
"""Kinds whose rows have event rules beside that, which `keep_parts` reduces to what may stay."""
BY_OWNER = {"team_members": "members", "overrides": "entries", "renderings": "subschedules", "handoff_rules": ""}
"""Kinds whose rows stand by the id of their owner, with the table of a row."""
OF_THE_READING = frozenset({"subdomain", "time_zone", "recorded", "abilities", "unread"})
"""What the reading itself has said."""

GONE = re.escape(HIDDEN)
ADDRESS = re.compile(rf"[a-z][a-z0-9+.-]*://(?:{GONE}|[^\s<>\"'\]])+", re.IGNORECASE)
"""What has been taken out of an address is a part of it: a snapshot that is read again loses nothing more."""
PRIVATE = re.compile(r"(/(?:private|feed|ical)/).*", re.IGNORECASE)
PLAIN = re.compile(r"https://[\w.-]+/[\w./-]*", re.ASCII)
"""Most addresses: nothing of them is cut but what is behind a private part, and that is told quickly."""
USER_PART = re.compile(r"(://)[^/@]*@")
SECRET_PARAMETER = re.compile(
    rf"([?&#;][\w.-]*(?:token|key|secret|sig|signature|passw\w*|pwd|auth|credential)[\w.-]*=)(?:{GONE}|[^&#;\s])+",
    re.IGNORECASE,
)
Keep = Callable[[Any], Any]


def strip_secrets(rows: dict[str, Any], keep_keys: bool = False) -> dict[str, Any]:
    """The rows of an account by kind, with what may stay. keep_keys: integration keys stay too."""
    return {kind: _strip_kind(kind, found, keep_keys) for kind, found in rows.items()}


def _strip_kind(kind: str, found: Any, keep_keys: bool) -> Any:
    if kind in OF_THE_READING:
        return found
    if kind in BY_OWNER and isinstance(found, dict):
        keep = _read_table(BY_OWNER[kind], keep_keys) if BY_OWNER[kind] else _keep_link
        return {owner: _each(keep, part) for owner, part in found.items()}
    if kind == "oncalls" and isinstance(found, dict):
        return {name: _keep_listed(kind, each, keep_keys) if name == kind else each for name, each in found.items()}
    if kind in DEPENDENTS:
        return _each(lambda row: keep_dependent(row) if isinstance(row, dict) else {}, found)
    return _each(_read_table(kind, keep_keys), found) if kind in TABLES else _keep_listed(kind, found, keep_keys)


def _keep_listed(kind: str, found: Any, keep_keys: bool) -> Any:
    names = LINK | set(LISTED.get(kind, "").split()) - (frozenset() if keep_keys else KEYS)

    def keep(row: Any) -> Any:
        kept = {name: value for name, value in row.items() if name in names} if isinstance(row, dict) else {}
        kept = {name: value if name in KEYS else _keep_link(value) for name, value in kept.items()}
        return kept | _keep_texts(keep_parts(row)) if kind in WITH_RULES and isinstance(row, dict) else kept

    return _each(keep, found)


def _each(keep: Keep, found: Any) -> Any:
    return [keep(one) for one in found] if isinstance(found, list) else keep(found)


@cache
def _read_table(kind: str, keep_keys: bool) -> Keep:
    """What keeps a row of this kind: by the name of each field."""
    table = TABLES[kind]
    fields: dict[str, Keep] = {}

    def keep(row: Any) -> Any:
        if not isinstance(row, dict):
            return _keep_link(row)
        kept = {}
        for name, value in row.items():
            if name not in fields:
                fields[name] = _choose(table, name, keep_keys)
            kept[name if name in table.plain or name in table.names else show_value(name)] = fields[name](value)
        return kept

    return keep


def _choose(table: FieldTable, name: str, keep_keys: bool) -> Keep:
    """What becomes of a field's value."""
    if name in KEYS and keep_keys and name in table.names:
        return lambda value: value
    if name in KEYS or CALENDAR.search(name):
        return hide
    part = table.parts.get(name) or (name if name in table.own.split() else "")
    whole = next((TABLES[kind] for kind in table.whole.split() if name in TABLES[kind].names), None)
    if not part and name not in table.names:
        return _choose(whole, name, keep_keys) if whole else hide
    if part:
        return lambda value: _each(_read_table(part, keep_keys), value)
    reason = table.lost.get(name, table.listed.get(name))
    if reason is not None:  # only that it says something counts, but for those whose words need the value
        return _keep_plain if callable(reason) else _keep_word
    return _keep_text if name in table.carried.split() else _keep_link


def hide(value: Any) -> Any:
    """What says nothing as it is, and whether something is on; of anything else, that it says something."""
    if isinstance(value, dict):
        return HIDDEN if any(hide(inner) for inner in value.values()) else {}
    return HIDDEN if value and not isinstance(value, bool) else value


def _keep_word(value: Any) -> Any:
    """A word, or what names an object; of any other structure, that it says something."""
    if isinstance(value, list):
        return [_keep_word(each) for each in value]
    return hide(value) if isinstance(value, dict) and not value.get("id") else _keep_link(value)


def _keep_plain(value: Any) -> Any:
    """Settings: numbers and words, in whatever depth."""
    if isinstance(value, dict):
        return {name: _keep_plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_keep_plain(each) for each in value]
    return value if not isinstance(value, str) or show_value(value) == value else hide(value)


def _keep_link(value: Any) -> Any:
    """A text whose addresses have no query, or what names an object."""
    if isinstance(value, dict):
        return {name: _keep_link(each) for name, each in value.items() if name in LINK}
    if isinstance(value, list):
        return [_keep_link(each) for each in value]
    if not isinstance(value, str) or "://" not in value:
        return value
    return _hide_private(value) if PLAIN.fullmatch(value) else ADDRESS.sub(_cut_address, value)


def _keep_text(value: Any) -> Any:
    """What people wrote and Harness is to have: only what opens something is taken out of its addresses."""
    if isinstance(value, str):
        return ADDRESS.sub(_mask_address, value) if "://" in value else value
    return _keep_link(value)


def _keep_texts(value: Any) -> Any:
    """The same in whatever depth."""
    if isinstance(value, dict):
        return {name: _keep_texts(each) for name, each in value.items()}
    return [_keep_texts(each) for each in value] if isinstance(value, list) else _keep_text(value)


def _mask_address(found: re.Match[str]) -> str:
    return _close(SECRET_PARAMETER.sub(rf"\g<1>{HIDDEN}", found[0]))


def _cut_address(found: re.Match[str]) -> str:
    if PLAIN.fullmatch(found[0]):
        return _hide_private(found[0])
    try:
        return _close(urlsplit(found[0])._replace(query="", fragment="").geturl())
    except ValueError:
        return HIDDEN


def _close(address: str) -> str:
    return _hide_private(USER_PART.sub(r"\1", address))


def _hide_private(address: str) -> str:
    return PRIVATE.sub(rf"\g<1>{HIDDEN}", address)
