"""The services of the embedded company."""

from dataclasses import dataclass

from pdmigrate.sandbox.company_shapes import SUBDOMAIN, make_key, make_part, make_record, refer

CONSTANT_HIGH = {"type": "constant", "urgency": "high"}
CONSTANT_LOW = {"type": "constant", "urgency": "low"}
BY_SEVERITY = {"type": "constant", "urgency": "severity_based"}
BY_HOURS = {"type": "use_support_hours", "during_support_hours": CONSTANT_HIGH, "outside_support_hours": CONSTANT_LOW}
INTEGRATIONS = {
    "events": ("events_api_v2_inbound_integration", "Events API v2"),
    "legacy": ("generic_events_api_inbound_integration", "Events API v1"),
    "cloudwatch": ("aws_cloudwatch_inbound_integration", "Amazon CloudWatch"),
    "email": ("generic_email_inbound_integration", "Email"),
}


@dataclass(frozen=True)
class Line:
    """One service: whose policy and which teams by number, how alerts come in, how incidents behave."""

    name: str
    policy: int
    teams: tuple[int, ...]
    inbound: str = "events"
    urgency: dict | None = None
    status: str = "active"
    acknowledge: int | None = 1800
    resolve: int | None = 14_400
    last_incident: str | None = None
    hours: tuple[str, str, str] | None = None


LINES = (
    Line("Kubernetes clusters", 1, (3,), "events cloudwatch", last_incident="2025-10-02T03:14:15Z", status="warning"),
    Line("Edge & CDN", 2, (3,), last_incident="2025-09-28T17:40:00Z"),
    Line("Deploy pipeline", 1, (3,), urgency=BY_HOURS, hours=("America/New_York", "09:00:00", "18:00:00")),
    Line("Identity and sign-in", 2, (3,), last_incident="2025-10-05T11:02:33Z"),
    Line(
        "Card payments", 3, (1,), "events legacy", last_incident="2025-10-06T20:15:42Z", acknowledge=600, resolve=None
    ),
    Line("Wallets & gift cards", 3, (1,), last_incident="2025-08-19T09:31:00Z"),
    Line("Refunds", 3, (1,), urgency=BY_HOURS, hours=("London", "09:00:00", "17:30:00"), acknowledge=None),
    Line("Fraud scoring", 4, (2,), urgency=BY_SEVERITY, last_incident="2025-09-11T06:07:08Z"),
    Line("Chargebacks", 4, (1, 2), "email", urgency=CONSTANT_LOW),
    Line("Cart API", 5, (4,), last_incident="2025-10-04T01:22:10Z", status="critical"),
    Line("Checkout web", 5, (4,), "events cloudwatch", last_incident="2025-10-06T22:48:59Z"),
    Line("<b>Flash sale</b> engine", 14, (4,), last_incident="2024-11-29T08:00:12Z", acknowledge=300),
    Line("Gift wrap 🎁", 5, (4,), urgency=CONSTANT_LOW, resolve=86_400),
    Line("Search API", 6, (5,), last_incident="2025-10-01T13:13:13Z"),
    Line("Search indexing", 6, (5,), urgency=BY_HOURS, hours=("Europe/Berlin", "08:00:00", "20:00:00")),
    Line("Product catalog", 7, (5,), "events email", last_incident="2025-07-23T15:00:00Z"),
    Line("Recommendations", 7, (5, 7), urgency=CONSTANT_LOW, status="maintenance"),
    Line("Warehouse scanners", 8, (6,), last_incident="2025-10-03T04:44:04Z"),
    Line("Delivery tracking", 9, (6,), last_incident="2025-09-30T19:20:00Z", acknowledge=3600),
    Line('Returns "portal"', 9, (6,), urgency=CONSTANT_LOW),
    Line("Order events pipeline", 10, (7,), "events cloudwatch", last_incident="2025-09-15T22:10:00Z"),
    Line("Sales reports", 11, (7,), "email", urgency=CONSTANT_LOW, acknowledge=None, resolve=None),
    Line("Support desk", 12, (8,), "email", last_incident="2025-10-06T14:35:00Z"),
    Line("Legacy monolith", 13, (3,), "legacy email", last_incident="2025-06-17T10:00:01Z"),
    Line("Store Wi-Fi (old)", 15, (), "", status="disabled", last_incident="2023-12-24T16:00:00Z"),
)
NEW_SERVICE = Line("Loyalty points", 3, (1,), acknowledge=900)


def build_services(teams: dict[str, dict], policies: dict[str, dict]) -> dict[str, dict]:
    """The services by id. Enters each service in its policy, too."""
    made = [make_service(number, line, teams, policies) for number, line in enumerate(LINES, start=1)]
    return {service["id"]: service for service in made}


def make_service(number: int, line: Line, teams: dict[str, dict], policies: dict[str, dict]) -> dict:
    """A service, entered in its policy."""
    policy = policies[f"PPOL{line.policy:02}"]
    service = make_record("service", f"PSERV{number:02}", line.name, **_behaviour(line))
    policy["services"].append(refer(service))
    inbound = [_make_integration(place, word, service) for place, word in enumerate(line.inbound.split(), start=1)]
    owners = [refer(teams[f"PTEAM{team:02}"]) for team in line.teams]
    return {**service, "teams": owners, "escalation_policy": refer(policy), "integrations": inbound}


def _behaviour(line: Line) -> dict:
    return {
        "description": None,
        "created_at": "2024-01-15T09:00:00-05:00",
        "updated_at": "2025-05-20T09:00:00-04:00",
        "status": line.status,
        "alert_creation": "create_alerts_and_incidents",
        "alert_grouping_parameters": {"type": None, "config": None},
        "addons": [],
        "response_play": None,
        "last_incident_timestamp": line.last_incident,
        "incident_urgency_rule": line.urgency or CONSTANT_HIGH,
        "acknowledgement_timeout": line.acknowledge,
        "auto_resolve_timeout": line.resolve,
        **_support_hours(line),
    }


def _support_hours(line: Line) -> dict:
    if line.hours is None:
        return {"support_hours": None, "scheduled_actions": []}
    zone, start, end = line.hours
    hours = {"type": "fixed_time_per_day", "time_zone": zone, "days_of_week": [1, 2, 3, 4, 5]}
    at = {"type": "named_time", "name": "support_hours_start"}
    action = {"type": "urgency_change", "at": at, "to_urgency": "high"}
    return {"support_hours": {**hours, "start_time": start, "end_time": end}, "scheduled_actions": [action]}


def _make_integration(place: int, word: str, service: dict) -> dict:
    kind, name = INTEGRATIONS[word]
    part_id = f"PINT{service['id'][-2:]}{place}"
    key = make_key(part_id)
    inbound = (
        {"integration_email": f"{part_id.lower()}@{SUBDOMAIN}.pagerduty.com"}
        if word == "email"
        else {"integration_key": key}
    )
    fields = {"name": name, "service": refer(service), "created_at": "2024-01-15T09:05:00-05:00", "vendor": None}
    return make_part(kind, part_id, service, "integrations", name, **fields, **inbound)
