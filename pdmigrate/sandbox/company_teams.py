"""The teams of the embedded company, and who is what in them."""

from pdmigrate.sandbox.company_shapes import make_record, refer

# id, name, description, parent, members as handle:role; the first two names collide once they are cleaned
TEAMS = (
    (
        "PTEAM01",
        "Payments",
        "Cards, wallets, refunds",
        None,
        "james:manager sophie:manager raj:responder fiona:responder ben:responder maya:observer",
    ),
    ("PTEAM02", "payments!", "Fraud and chargebacks", "PTEAM01", "olivia:manager liam:responder sophie:responder"),
    (
        "PTEAM03",
        "Platform",
        "Clusters, network, deploys",
        None,
        "maya:manager tom:manager lin:responder carlos:responder aisha:responder pieter:responder femke:responder vikram:responder yuki:responder",
    ),
    (
        "PTEAM04",
        "Checkout & Cart",
        None,
        None,
        "owen:manager hana:responder luis:responder emily:responder kofi:responder rachel:responder noam:responder",
    ),
    (
        "PTEAM05",
        "Search & Catalog 🔎",
        "What customers find",
        None,
        "anja:manager lukas:responder mila:responder jonas:responder sanne:responder",
    ),
    (
        "PTEAM06",
        "Warehouse & Delivery",
        "From the shelf to the door",
        None,
        "priya:manager arjun:responder divya:responder meera:responder storeops:observer",
    ),
    (
        "PTEAM07",
        "Data Platform",
        "Pipelines and reports",
        "PTEAM03",
        "tom:manager chloe:responder jack:responder zoe:observer",
    ),
    (
        "PTEAM08",
        "Customer Support <b>Tier 2</b>",
        None,
        None,
        "dan:manager grace:responder victor:responder nina:responder storeops:responder",
    ),
)


def build_teams(users: dict[str, dict]) -> tuple[dict[str, dict], dict[str, list]]:
    """The teams by id and their members by team id. Enters the teams in the users, too."""
    teams = {line[0]: _make_team(*line[:4]) for line in TEAMS}
    members = {line[0]: _make_members(line[4], users) for line in TEAMS}
    by_id = {user["id"]: user for user in users.values()}
    for team_id, entries in members.items():
        for entry in entries:
            by_id[entry["user"]["id"]]["teams"].append(refer(teams[team_id]))
    return teams, members


def _make_team(team_id: str, name: str, description: str | None, parent: str | None) -> dict:
    above = {"id": parent, "type": "team_reference"} if parent else None
    return make_record("team", team_id, name, description=description, default_role="manager", parent=above)


def _make_members(line: str, users: dict[str, dict]) -> list[dict]:
    pairs = [entry.split(":") for entry in line.split()]
    return [{"user": refer(users[handle]), "role": role} for handle, role in pairs]
