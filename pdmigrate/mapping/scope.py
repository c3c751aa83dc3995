"""Which objects move: all, or some services and exactly what they need, each with the reason why it is in."""

import difflib

from pdmigrate.errors import SettingsError
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import Reference, Schedule
from pdmigrate.pagerduty.rota_v3 import list_members
from pdmigrate.pagerduty.v3_records import ScheduleV3

Reasons = dict[str, dict[str, str]]
"""Kind to PagerDuty id to the reason."""


def choose_scope(account: Account, services: str | list[str]) -> Reasons:
    """The objects in scope. Raises SettingsError for a service that is not there, with the nearest right name."""
    if services == "all":
        return {kind: dict.fromkeys(records, "the whole account") for kind, records in _kinds(account).items()}
    reasons: Reasons = {kind: {} for kind in _kinds(account)}
    for word in services:
        service = _find_service(account, word)
        reasons["services"][service.id] = "chosen"
    _follow_services(account, reasons)
    _follow_policies(account, reasons)
    _follow_schedules(account, reasons)
    _follow_teams(account, reasons)
    return reasons


def _kinds(account: Account) -> dict[str, dict]:
    return {
        "users": account.users,
        "teams": account.teams,
        "schedules": account.all_schedules,
        "escalation_policies": account.policies,
        "services": account.services,
    }


def _find_service(account: Account, word: str):
    found = [s for s in account.services.values() if word in (s.id, s.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError(
            f"scope.services: {word!r} names {len(found)} services: write the id ({', '.join(s.id for s in found)})."
        )
    near = difflib.get_close_matches(word, [s.name for s in account.services.values()], n=1)
    hint = f"did you mean {near[0]!r}?" if near else "see the services on the preview page."
    raise SettingsError(f"scope.services: PagerDuty has no service {word!r}: {hint}")


def _follow_services(account: Account, reasons: Reasons) -> None:
    for id in list(reasons["services"]):
        service = account.services[id]
        _add(reasons, "teams", service.teams, f"team of the service {service.name}", account.teams)
        if service.escalation_policy:
            _add(
                reasons,
                "escalation_policies",
                [service.escalation_policy],
                f"pages for {service.name}",
                account.policies,
            )


def _follow_policies(account: Account, reasons: Reasons) -> None:
    for id in list(reasons["escalation_policies"]):
        policy = account.policies[id]
        targets = [target for rule in policy.escalation_rules for target in rule.targets]
        why = f"target of the policy {policy.name}"
        _add(reasons, "teams", policy.teams, f"team of the policy {policy.name}", account.teams)
        _add(reasons, "schedules", targets, why, account.all_schedules)
        _add(reasons, "users", targets, why, account.users)


def _follow_schedules(account: Account, reasons: Reasons) -> None:
    for id in list(reasons["schedules"]):
        schedule = account.all_schedules[id]
        _add(reasons, "users", list_people(schedule), f"on call in {schedule.name}", account.users)
        _add(reasons, "teams", schedule.teams, f"team of the schedule {schedule.name}", account.teams)


def list_people(schedule: Schedule | ScheduleV3) -> list[Reference]:
    """Everybody who stands in it, stand-ins too; one may be named more than once."""
    if isinstance(schedule, ScheduleV3):
        return [Reference(id=id, type="user") for id in list_members(schedule)]
    places = [place.user for layer in schedule.schedule_layers for place in layer.users]
    return [*places, *(entry.user for entry in schedule.overrides if entry.user)]


def _follow_teams(account: Account, reasons: Reasons) -> None:
    for id in list(reasons["teams"]):
        team = account.teams[id]
        _add(reasons, "users", [m.user for m in account.members_of(team)], f"member of {team.name}", account.users)


def _add(reasons: Reasons, kind: str, references, why: str, there: dict) -> None:
    for reference in references:
        if reference.id in there:
            reasons[kind].setdefault(reference.id, why)
