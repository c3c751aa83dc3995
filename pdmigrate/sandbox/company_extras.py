"""What the embedded company has beside rotas and services: counted in a migration, not carried over."""

from pdmigrate.sandbox.company_shapes import API, make_key, make_record, refer

ABILITIES = (
    "sso",
    "advanced_reports",
    "teams",
    "read_only_users",
    "team_responders",
    "service_support_hours",
    "urgencies",
    "manage_schedules",
    "manage_api_keys",
    "coordinated_responding",
    "event_rules",
    "event_orchestrations",
)


def build_extras(users: dict, teams: dict, services: dict) -> dict:
    """Abilities, business services, maintenance windows, orchestrations and rulesets."""
    return {
        "abilities": list(ABILITIES),
        "business_services": _business_services(teams),
        "maintenance_windows": _maintenance_windows(users, services),
        "event_orchestrations": _orchestrations(users, teams),
        "paths_of_services": {"PSERV05": {"sets": [{"id": "start", "rules": [_suppress("canary")]}]}},
        "rulesets": _rulesets(users, teams),
    }


def _business_services(teams: dict) -> list[dict]:
    lines = (
        ("PBIZ01", "Buying in the shop", "Owen Clarke", "PTEAM04"),
        ("PBIZ02", "Getting the parcel", "Priya Raman", "PTEAM06"),
        ("PBIZ03", "Finding things", "Anja Krüger", None),
    )
    return [_business_service(*line, teams) for line in lines]


def _business_service(record_id: str, name: str, contact: str, team: str | None, teams: dict) -> dict:
    owner = refer(teams[team]) if team else None
    return make_record("business_service", record_id, name, description=None, point_of_contact=contact, team=owner)


def _maintenance_windows(users: dict, services: dict) -> list[dict]:
    lines = (
        ("PMAINT1", "Recommendations: new model", "2025-10-05T22:00:00-04:00", "2025-12-01T06:00:00-05:00", "PSERV17"),
        ("PMAINT2", "Scanner firmware", "2025-09-14T20:00:00-04:00", "2025-09-14T23:30:00-04:00", "PSERV18"),
    )
    made = []
    for number, (record_id, name, start, end, service) in enumerate(lines, start=1):
        window = make_record("maintenance_window", record_id, name, description=name, start_time=start, end_time=end)
        window |= {"sequence_number": number, "services": [refer(services[service])], "created_by": refer(users["tom"])}
        made.append({**window, "teams": services[service]["teams"]})
    return made


def _orchestrations(users: dict, teams: dict) -> list[dict]:
    lines = (
        ("b02e973d-9620-4e0a-9edc-00fedf7d4694", "Shop alerts", "Routes what the shop's monitors send", "PTEAM03", 2),
        (
            "5c1d7e52-03bb-4b0e-8f0e-3f8d5a1f2c11",
            "Nightly batch noise",
            "Suppresses what nobody needs to see",
            "PTEAM07",
            0,
        ),
    )
    made = []
    for record_id, name, description, team, routes in lines:
        by = {"created_by": refer(users["tom"]), "updated_by": refer(users["lin"]), "team": refer(teams[team])}
        at = {
            "created_at": "2024-11-18T16:42:01Z",
            "updated_at": "2025-04-02T10:00:00Z",
            "version": make_key(record_id),
        }
        record = {"id": record_id, "self": f"{API}/event_orchestrations/{record_id}", "name": name}
        made.append({**record, "description": description, "routes": routes, **by, **at, **_paths(record_id, routes)})
    return made


def _paths(record_id: str, routes: int) -> dict:
    parent = {"id": record_id, "type": "event_orchestration_reference"}
    routed = [
        _rule("event.source matches 'cart'", {"route_to": "PSERV10"}),
        _rule("event.source matches 'card'", {"route_to": "PSERV05"}),
    ]
    catch_all = {"actions": {"route_to": "unrouted"}}
    router = {
        "type": "router",
        "parent": parent,
        "sets": [{"id": "start", "rules": routed[:routes]}],
        "catch_all": catch_all,
    }
    suppressing = [] if routes else [_suppress("nightly")]
    everything = {"type": "global", "parent": parent, "sets": [{"id": "start", "rules": suppressing}]}
    return {"router": router, "global": {**everything, "catch_all": {"actions": {}}}}


def _suppress(word: str) -> dict:
    return _rule(f"event.summary matches '{word}'", {"suppress": True})


def _rule(expression: str, actions: dict) -> dict:
    marked = make_key(expression)[:8]
    return {
        "id": marked,
        "label": expression,
        "conditions": [{"expression": expression}],
        "actions": actions,
        "disabled": False,
    }


def _rulesets(users: dict, teams: dict) -> list[dict]:
    record_id = "0e84de00-9511-4380-9f4f-a7b568bb49a0"
    by = {"creator": refer(users["tom"]), "updater": refer(users["tom"]), "team": refer(teams["PTEAM03"])}
    at = {"created_at": "2024-02-24T21:18:52Z", "updated_at": "2024-12-25T14:54:23Z"}
    record = {"id": record_id, "name": "Monolith alarms", "type": "global", "self": f"{API}/rulesets/{record_id}"}
    rules = [
        {
            "id": "14e56445-ebab-4dd0-ba9d-fc28a41b7e7b",
            "position": 0,
            "disabled": False,
            "catch_all": True,
            "actions": {},
        }
    ]
    return [{**record, "routing_keys": ["R0" + make_key(record_id)[:30].upper()], **by, **at, "rules": rules}]
