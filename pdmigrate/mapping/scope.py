"""Which objects move: all, or some and exactly what they need, each with the reason why it is in."""

import difflib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pdmigrate.errors import SettingsError
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import Reference, Schedule
from pdmigrate.pagerduty.rota_v3 import list_members
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.kinds import KINDS, SOURCE_KINDS
from pdmigrate.plan.rules import Scope

Reasons = dict[str, dict[str, str]]
"""Kind to PagerDuty id to the reason."""

KEYS = {"services": "services", "teams": "teams", "schedules": "schedules", "policies": "escalation_policies"}
"""The key in `scope:` to the kind."""
FOLLOWED = ("services", "escalation_policies", "schedules", "teams")
"""What needs other objects, in an order in which none needs one of an earlier kind."""


def choose_scope(account: Account, scope: Scope) -> Reasons:
    """The objects in scope. Raises SettingsError for a name that is not there, with the nearest right one.

    Everything that is chosen brings what it needs: service → policy and teams; policy → schedules, users, teams;
    schedule → users and teams; team → members. A chosen team brings what belongs to it.
    """
    if scope.whole:
        return {kind: dict.fromkeys(records, "the whole account") for kind, records in list_records(account).items()}
    reasons: Reasons = {kind: {} for kind in list_records(account)}
    for key in KEYS:
        words = getattr(scope, key)
        for word in () if words == "all" else words:
            reasons[KEYS[key]][_find(account, key, word)] = "chosen"
    _follow_chosen_teams(account, reasons)
    for kind in FOLLOWED:
        _follow(account, reasons, kind)
    return reasons


def find_shared(account: Account, reasons: Reasons) -> dict[tuple[str, str], list[str]]:
    """(kind, id) of what is in scope to the names of the services outside the scope that use it too."""
    shared: dict[tuple[str, str], list[str]] = {}
    for id, service in account.services.items():
        if id in reasons["services"]:
            continue
        one: Reasons = {kind: {} for kind in list_records(account)}
        one["services"][id] = "chosen"
        for kind in FOLLOWED[:-1]:
            _follow(account, one, kind)
        for kind in ("teams", "schedules", "escalation_policies"):
            for used in one[kind].keys() & reasons[kind].keys():
                shared.setdefault((kind, used), []).append(service.name)
    return {place: sorted(names) for place, names in sorted(shared.items())}


def list_records(account: Account) -> dict[str, dict[str, Any]]:
    """The records of each kind that a scope chooses from, by id; schedules of both sorts."""
    return {kind: getattr(account, KINDS[kind].source) for kind in SOURCE_KINDS}


def _find(account: Account, key: str, word: str) -> str:
    kind = KEYS[key]
    records = list_records(account)[kind].values()
    found: list[str] = [record.id for record in records if word in (record.id, record.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError(
            f"scope.{key}: {word!r} names {len(found)} of them: write the id ({', '.join(sorted(found))})."
        )
    if kind in account.unread:
        raise SettingsError(f"scope.{key}: {word!r} is not known, since they could not be read: {account.unread[kind]}")
    near = difflib.get_close_matches(word, [record.name for record in records], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"see the {key} on the preview page."
    raise SettingsError(f"scope.{key}: PagerDuty has no {KINDS[kind].one} {word!r}: {hint}")


def _follow_chosen_teams(account: Account, reasons: Reasons) -> None:
    """What belongs to a team that was chosen by name."""
    chosen = {id: account.teams[id].name for id in reasons["teams"]}
    there = list_records(account)
    for kind in ("services", "escalation_policies", "schedules"):
        for record in there[kind].values():
            owner = next((chosen[team.id] for team in record.teams if team.id in chosen), None)
            if owner is not None:
                reasons[kind].setdefault(record.id, f"belongs to the team {owner}")


def list_needs(account: Account, kind: str, record: Any) -> Iterator[tuple[str, Iterable[Reference], str]]:
    """(kind, references, why) of whatever an object needs."""
    if kind == "services":
        yield "teams", record.teams, f"team of the service {record.name}"
        yield "escalation_policies", filter(None, [record.escalation_policy]), f"pages for {record.name}"
    elif kind == "escalation_policies":
        targets = [target for rule in record.escalation_rules for target in rule.targets]
        yield "teams", record.teams, f"team of the policy {record.name}"
        yield "schedules", targets, f"target of the policy {record.name}"
        yield "users", targets, f"target of the policy {record.name}"
    elif kind == "schedules":
        yield "users", list_people(record), f"on call in {record.name}"
        yield "teams", record.teams, f"team of the schedule {record.name}"
    else:
        yield "users", [member.user for member in account.members_of(record)], f"member of {record.name}"


def _follow(account: Account, reasons: Reasons, kind: str) -> None:
    """What the objects in scope of a kind need, as far as it is there."""
    there = list_records(account)
    for id in list(reasons[kind]):
        for needed, references, why in list_needs(account, kind, there[kind][id]):
            for reference in references:
                if reference.id in there[needed]:
                    reasons[needed].setdefault(reference.id, why)


def list_people(schedule: Schedule | ScheduleV3) -> list[Reference]:
    """Everybody who stands in it, stand-ins too; one may be named more than once."""
    if isinstance(schedule, ScheduleV3):
        return [Reference(id=id, type="user") for id in list_members(schedule)]
    places = [place.user for layer in schedule.schedule_layers for place in layer.users]
    return [*places, *(entry.user for entry in schedule.overrides if entry.user)]


def list_participants(schedule: Schedule, now: datetime) -> list[Reference]:
    """Everybody in the layers that have not ended, and do not end before they start; one may be named more than once."""
    live = (layer for layer in schedule.schedule_layers if layer.end is None or layer.end > max(now, layer.start))
    return [place.user for layer in live for place in layer.users]


def list_standing(schedule: Schedule | ScheduleV3, now: datetime) -> list[Reference]:
    """Everybody who is on call in it now or later: nobody of what is over, or covers no time."""
    if isinstance(schedule, ScheduleV3):
        return _list_members(schedule, now)
    stand_ins = [one.user for one in schedule.overrides if one.user and one.end > max(now, one.start)]
    return [*list_participants(schedule, now), *stand_ins]


def _list_members(schedule: ScheduleV3, now: datetime) -> list[Reference]:
    """Those of events that go on, or come, and of overrides and custom shifts that are not over."""
    events = [event for one in schedule.rotations for event in one.events]
    live = [e for e in events if e.effective_until is None or e.effective_until > max(now, e.effective_since)]
    members = [member for event in live for member in event.assignment_strategy.members]
    custom = [one for one in schedule.custom_shifts if one.end_time > max(now, one.start_time)]
    members += [given.member for one in custom for given in one.assignments]
    members += [one.overriding_member for one in schedule.overrides if one.end_time > max(now, one.start_time)]
    return [Reference(id=member.user_id, type="user") for member in members if member.user_id]
