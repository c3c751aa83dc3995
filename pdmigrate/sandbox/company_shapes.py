"""How the embedded company's records look: links, references, times."""

import hashlib
from datetime import datetime

from pdmigrate.sandbox.pagerduty_zones import find_zone
from pdmigrate.sandbox.store import Json

SUBDOMAIN = "acme"
API = "https://api.pagerduty.com"
SITE = f"https://{SUBDOMAIN}.pagerduty.com"
PATHS = {
    "user": ("users", "users"),
    "team": ("teams", "teams"),
    "schedule": ("schedules", "schedules"),
    "escalation_policy": ("escalation_policies", "escalation_policies"),
    "service": ("services", "service-directory"),
    "business_service": ("business_services", "business-services"),
    "maintenance_window": ("maintenance_windows", "service-directory/maintenance-windows"),
}


def make_record(kind: str, record_id: str, name: str, **fields: object) -> Json:
    """A record of PagerDuty's, with its links."""
    in_api, on_site = PATHS[kind]
    links = {"self": f"{API}/{in_api}/{record_id}", "html_url": f"{SITE}/{on_site}/{record_id}"}
    return {"id": record_id, "type": kind, "summary": name, **links, "name": name, **fields}


def make_part(kind: str, part_id: str, owner: Json, path: str, summary: str, **fields: object) -> Json:
    """A record that lives inside another, such as a contact method."""
    links = {"self": f"{owner['self']}/{path}/{part_id}", "html_url": None}
    return {"id": part_id, "type": kind, "summary": summary, **links, **fields}


def refer(record: Json) -> Json:
    """A reference to a record."""
    short = {field: record[field] for field in ("id", "summary", "self", "html_url")}
    return {**short, "type": f"{record['type']}_reference"}


def write_local(clock: str | datetime, zone: str) -> str:
    """A wall-clock time in a zone, as ISO 8601 with its offset."""
    read = datetime.fromisoformat(clock) if isinstance(clock, str) else clock
    return read.replace(tzinfo=find_zone(zone)).isoformat()


def make_key(name: str) -> str:
    """A key of 32 digits for an integration, the same for the same name."""
    return hashlib.sha256(f"integration {name}".encode()).hexdigest()[:32]
