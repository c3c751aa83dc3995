"""The embedded company cut down to a corner that a property can be tried on many times, and edits of people in it."""

import copy
from dataclasses import replace

from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json
from pdmigrate.workspace.snapshots import load_snapshot

SERVICES = ("PSERV01", "PSERV02", "PSERV03")


def make_corner(folder, chosen=SERVICES):
    """A workspace on some services of the company, decided as in the demo. Returns the folder."""
    make_demo_workspace(folder)
    return place_corner(folder, chosen)


def place_corner(folder, chosen=SERVICES):
    """Let a workspace have only these services of the company, and what they need. Returns the folder."""
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock()), chosen))
    return folder


def cut_down(document, chosen=SERVICES):
    """Some services and what they need; without contact details, so that a run takes a fraction of a second."""
    services = [s for s in document["services"] if s["id"] in chosen]
    policies = by_ids(document["escalation_policies"], [s["escalation_policy"]["id"] for s in services])
    policies = [policy | {"services": by_ids(policy["services"], chosen)} for policy in policies]
    targets = [t["id"] for p in policies for rule in p["escalation_rules"] for t in rule["targets"]]
    schedules = by_ids(document["schedules"], targets)
    teams = by_ids(document["teams"], [t["id"] for r in (*services, *policies, *schedules) for t in r.get("teams", ())])
    members = {team["id"]: document["team_members"][team["id"]] for team in teams}
    people = [u["user"]["id"] for s in schedules for layer in s["schedule_layers"] for u in layer["users"]]
    people += [m["user"]["id"] for rows in members.values() for m in rows] + targets
    overrides = {s["id"]: document["overrides"].get(s["id"], []) for s in schedules}
    people += [o["user"]["id"] for rows in overrides.values() for o in rows]
    small = {key: [] if isinstance(value, list) else value for key, value in document.items()}
    small |= {"abilities": document["abilities"], "overrides": overrides, "team_members": members}
    small |= {"services": services, "escalation_policies": policies, "schedules": schedules, "teams": teams}
    users = copy.deepcopy(by_ids(document["users"], people))
    known = {team["id"] for team in teams}
    for user in users:
        user["teams"] = [team for team in user["teams"] if team["id"] in known]
    return small | {"users": users}


def by_ids(rows, ids):
    return [row for row in rows if row["id"] in set(ids)]


def edit(job, side):
    return Store(job.workspace.sandbox / f"{side}.json", dict).change()


def look(job):
    """Harness's memory as far as people see it."""
    held = Store(job.workspace.sandbox / "harness.json", dict).read()
    groups = [{k: v for k, v in row.items() if k != "lastModifiedAt"} for row in held["user_groups"]]
    services = sorted(row["identifier"] for row in held["services"])
    return held["oncall"], sorted(groups, key=repr), services, sorted(row["email"] for row in held["invites"])


def read_latest(job):
    """The latest snapshot as it lies there, with what PagerDuty has shown since of changes of the clock."""
    found = load_snapshot(job.workspace.snapshots / job.workspace.find_state("snapshot")["file"])
    shown = (job.workspace.find_state("clock_windows") or {}).get("renderings", {})
    return replace(found, rows=found.rows | {"renderings": shown})
