"""What need not move: unused, or quiet for long, by PagerDuty's own word. A part of the page Account survey."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from pdmigrate.mapping.scope import list_records
from pdmigrate.pagerduty.lists import Row
from pdmigrate.pages.show import Link, Section, make_table
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.plan.kinds import KINDS, SOURCE_KINDS
from pdmigrate.steps.preview import Preview

QUIET_DAYS = 90
"""A service without an incident for so long may be one that nobody needs any more."""
Stale = tuple[str, str, str, str]
"""Kind, id, name, and why it need not move."""


def list_stale(preview: Preview) -> Iterator[Stale]:
    """What nobody would miss, by what PagerDuty says; what was not read is never taken for unused."""
    account, rows = preview.draft.account, preview.snapshot.rows
    read = set(rows) - set(account.unread)
    raw = {row.get("id"): row for kind in SOURCE_KINDS for row in rows.get(kind) or [] if isinstance(row, dict)}
    used = {target.id for p in account.policies.values() for rule in p.escalation_rules for target in rule.targets}
    for id, schedule in account.all_schedules.items():
        if "escalation_policies" in read and id not in used and not schedule.escalation_policies:
            yield "schedules", id, schedule.name, "no policy uses it"
    for id, policy in account.policies.items():
        if "services" in read and id not in preview.draft.used_policies and not raw.get(id, {}).get("services"):
            yield "escalation_policies", id, policy.name, "no service uses it"
    before = preview.snapshot.taken - timedelta(days=QUIET_DAYS)
    for id, service in account.services.items():
        why = "disabled" if service.status == "disabled" else _describe_quiet(raw.get(id, {}), before)
        if why:
            yield "services", id, service.name, why
    for id, user in account.users.items():
        if raw.get(id, {}).get("invitation_sent") is True:
            yield "users", id, user.name, "was invited to PagerDuty and has never accepted: no login"
    for id, team in account.teams.items():
        if "team_members" in read and not team.unread and not account.members_of(team):
            yield "teams", id, team.name, "has no member"


def _describe_quiet(row: Row, before: datetime) -> str:
    """Why a service seems not to be needed; "" where it is, where it is new, or where nothing is said of it."""
    last, made = _read_time(row.get("last_incident_timestamp")), _read_time(row.get("created_at"))
    if last:
        return f"no incident since {last:%Y-%m-%d}" if last < before else ""
    never = "last_incident_timestamp" in row and row["last_incident_timestamp"] is None
    return f"never had an incident, made on {made:%Y-%m-%d}" if never and made and made < before else ""


def _read_time(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def section_stale(preview: Preview, stale: Iterable[Stale]) -> Section:
    """What need not move, with PagerDuty's page of it."""
    host = preview.draft.account.host
    records = list_records(preview.draft.account)
    table = make_table(
        stale,
        {
            "Kind": lambda one: KIND_NAMES[one[0]],
            "Name": lambda one: Link(one[2], f"https://{host}/{KINDS[one[0]].link.format(one[1])}" if host else ""),
            "Why": lambda one: one[3],
            "Team": lambda one: [team.summary or team.id for team in getattr(records[one[0]][one[1]], "teams", ())],
            "In scope": lambda one: one[1] in preview.draft.reasons[one[0]],
        },
        "Everything seems to be in use.",
    )
    note = (
        f"By PagerDuty's own word: unused, or quiet for {QUIET_DAYS} days. Nothing is left out for that: a service may be quiet "
        "because it is well. Ask its team; what may go is left out with scope in migration.yaml."
    )
    return Section("What is perhaps not needed any more", note, table, open_up_to=40)
