"""The embedded company: a mid-size online retailer on PagerDuty, with the untidiness of a real one."""

from datetime import UTC, datetime

from pdmigrate.sandbox.company_extras import build_extras
from pdmigrate.sandbox.company_people import build_harness_people, build_users
from pdmigrate.sandbox.company_policies import build_policies
from pdmigrate.sandbox.company_schedules import build_overrides, build_schedules
from pdmigrate.sandbox.company_services import NEW_SERVICE, build_services, make_service
from pdmigrate.sandbox.company_shapes import SUBDOMAIN, refer
from pdmigrate.sandbox.company_teams import build_teams
from pdmigrate.sandbox.company_v3 import build_v3_schedules, refer_v3

__all__ = ["build_company", "build_harness_people", "change_company"]

LEAVES = "PUSER21"  # Ben Achebe
JOINS, JOINED = "PUSER16", "PSCHED06"  # Noam Adler, Checkout primary


def build_company(now: datetime, with_v3: bool = False) -> dict:
    """The company's account document. Only overrides and layers that start or end soon depend on `now`, by the day."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    users = build_users()
    teams, members = build_teams(users)
    schedules = build_schedules(users, teams, today)
    policies = build_policies(users, teams, schedules)
    services = build_services(teams, policies)
    document = {
        "subdomain": SUBDOMAIN,
        "time_zone": "America/New_York",
        "users": list(users.values()),
        "teams": list(teams.values()),
        "team_members": members,
        "schedules": list(schedules.values()),
        "overrides": build_overrides(users, schedules, today),
        "schedules_v3": [],
        "escalation_policies": list(policies.values()),
        "services": list(services.values()),
        **build_extras(users, teams, services),
    }
    if with_v3:
        _add_v3(document, users, teams)
    return document


def change_company(document: dict) -> None:
    """A week goes by: Ben Achebe leaves, Noam Adler joins the rota of Checkout, the service Loyalty points is added."""
    _remove_user(document, LEAVES)
    _add_to_rota(document, JOINED, JOINS)
    teams, policies = _by_id(document["teams"]), _by_id(document["escalation_policies"])
    document["services"].append(make_service(len(document["services"]) + 1, NEW_SERVICE, teams, policies))


def _add_v3(document: dict, users: dict, teams: dict) -> None:
    document["schedules_v3"] = build_v3_schedules(users, teams)
    policies = _by_id(document["escalation_policies"])
    for schedule, policy in zip(document["schedules_v3"], (policies["PPOL15"], policies["PPOL14"]), strict=True):
        policy["escalation_rules"][0]["targets"].append(refer_v3(schedule))
        schedule["escalation_policies"].append(refer(policy))


def _remove_user(document: dict, user_id: str) -> None:
    document["users"] = _without(document["users"], user_id)
    for team_id, members in document["team_members"].items():
        document["team_members"][team_id] = _without_person(members, user_id)
    for schedule_id, overrides in document["overrides"].items():
        document["overrides"][schedule_id] = _without_person(overrides, user_id)
    _remove_from_rotas(document["schedules"], user_id)
    _remove_from_policies(document["escalation_policies"], user_id)


def _remove_from_rotas(schedules: list, user_id: str) -> None:
    """A rotation closes the gap."""
    for schedule in schedules:
        schedule["users"] = _without(schedule["users"], user_id)
        for layer in schedule["schedule_layers"]:
            layer["users"] = _without_person(layer["users"], user_id)


def _remove_from_policies(policies: list, user_id: str) -> None:
    """A level that would have nobody goes with them."""
    for policy in policies:
        for rule in policy["escalation_rules"]:
            rule["targets"] = _without(rule["targets"], user_id)
        policy["escalation_rules"] = [rule for rule in policy["escalation_rules"] if rule["targets"]]


def _without(records: list, user_id: str) -> list:
    return [record for record in records if record["id"] != user_id]


def _without_person(entries: list, user_id: str) -> list:
    return [entry for entry in entries if entry["user"]["id"] != user_id]


def _add_to_rota(document: dict, schedule_id: str, user_id: str) -> None:
    schedule, user = _by_id(document["schedules"])[schedule_id], refer(_by_id(document["users"])[user_id])
    schedule["schedule_layers"][0]["users"].append({"user": user})
    schedule["users"].append(user)


def _by_id(records: list) -> dict:
    return {record["id"]: record for record in records}
