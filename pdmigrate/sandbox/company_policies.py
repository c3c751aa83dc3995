"""The escalation policies of the embedded company."""

from pdmigrate.sandbox.company_shapes import make_record, refer

# id, name, team, loops, levels: minutes, then schedules by number and users by handle; "*" deals round robin
POLICIES = (
    ("PPOL01", "Platform", "PTEAM03", 2, ("15 2", "15 3", "30 19 maya")),
    ("PPOL02", "Platform follow-the-sun", "PTEAM03", 1, ("10 1", "20 19")),
    ("PPOL03", "Payments", "PTEAM01", 2, ("5 4 5", "10 james ben", "15 19")),
    ("PPOL04", "Fraud", "PTEAM02", 0, ("30 15", "30 olivia")),
    ("PPOL05", "Checkout", "PTEAM04", 1, ("10 6 7", "15 owen", "30 19")),
    ("PPOL06", "Search", "PTEAM05", 1, ("15 8", "15 16", "30 anja")),
    ("PPOL07", "Catalog", "PTEAM05", 0, ("30 9", "30 8")),
    ("PPOL08", "Warehouse", "PTEAM06", 2, ("10 10", "10 priya", "20 19")),
    ("PPOL09", "Delivery", "PTEAM06", 0, ("20 11",)),
    ("PPOL10", "Data pipelines", "PTEAM07", 1, ("30 12 13", "60 tom")),
    ("PPOL11", "Data reports", "PTEAM07", 0, ("60 17",)),
    ("PPOL12", "Support", "PTEAM08", 1, ("*10 grace victor nina", "20 14", "30 dan")),
    ("PPOL13", "Legacy monolith", "PTEAM03", 1, ("30 18", "30 maya tom")),
    ("PPOL14", 'War room "peak"', None, 2, ("5 20 19", "5 maya owen james")),
    ("PPOL15", "Store mailbox", "PTEAM08", 0, ("30 storeops",)),
)


def build_policies(users: dict[str, dict], teams: dict[str, dict], schedules: dict[str, dict]) -> dict[str, dict]:
    """The policies by id. Enters each policy in the schedules that it uses, too."""
    policies = {line[0]: _make_policy(line, users, teams, schedules) for line in POLICIES}
    for policy in policies.values():
        for schedule_id in sorted(_schedule_ids(policy)):
            schedules[schedule_id]["escalation_policies"].append(refer(policy))
    return policies


def _make_policy(line: tuple, users: dict, teams: dict, schedules: dict) -> dict:
    policy_id, name, team, loops, levels = line
    rules = [_make_rule(policy_id, number, level, users, schedules) for number, level in enumerate(levels, start=1)]
    fields = {"description": None, "num_loops": loops, "on_call_handoff_notifications": "if_has_services"}
    references = [refer(teams[team])] if team else []
    made = make_record("escalation_policy", policy_id, name, **fields, escalation_rules=rules)
    return {**made, "services": [], "teams": references}


def _make_rule(policy_id: str, number: int, level: str, users: dict, schedules: dict) -> dict:
    minutes, *targets = level.lstrip("*").split()
    return {
        "id": f"PRULE{policy_id[-2:]}{number}",
        "escalation_delay_in_minutes": int(minutes),
        "targets": [refer(_find_target(target, users, schedules)) for target in targets],
        "escalation_rule_assignment_strategy": "round_robin" if level.startswith("*") else "assign_to_everyone",
    }


def _find_target(word: str, users: dict, schedules: dict) -> dict:
    return schedules[f"PSCHED{int(word):02}"] if word.isdigit() else users[word]


def _schedule_ids(policy: dict) -> set[str]:
    targets = [target for rule in policy["escalation_rules"] for target in rule["targets"]]
    return {target["id"] for target in targets if target["type"] == "schedule_reference"}
