"""What Harness does with every alert, worked out from the embedded Harness alone: the oracle of the proof's campaigns.

It shares no code with the library: on-call answers are the server's own, levels are walked over its stored document.
"""

import json
from bisect import bisect_right
from datetime import datetime

import requests

BASE = "pdmigrate-oncall/v1/accounts/{account}/orgs/{org}/projects/{project}"
SERVED = ("email", "phone", "sms")


class Effects:
    """Everything that Harness does: who is on call, who is paged by each level and for each service, who is reached."""

    def __init__(self, document, coverage, start, end):
        self.held, self.start, self.end = document, start, end
        self.coverage = coverage
        self.scope = "default/sre/"
        oncall = document["oncall"]
        self.policies = {row["identifier"]: row for row in oncall["escalation_policies"].values()}
        self.schedules = {row["identifier"]: row for row in oncall["schedules"].values()}
        self.groups = {row["identifier"]: row for row in document["user_groups"]}
        self.emails = {user["uuid"]: user["email"] for user in document["users"]}
        self.rules = list(oncall["alert_rules"].values())
        self.settings = {row["identifier"]: row for row in oncall["services"].values()}

    def describe(self, watched):
        """Comparable effects by object: (kind, name) to what is done. watched: (kind, identifier) of what we carried over."""
        found = {}
        for kind, identifier in sorted(watched):
            if kind == "schedules":
                found[kind, identifier] = self.coverage.get(identifier, ())
            elif kind == "escalation_policies":
                found[kind, identifier] = json.dumps(self.list_levels(identifier), default=sorted)
            elif kind == "services":
                found[kind, identifier] = json.dumps(self.list_pages(identifier), sort_keys=True)
        return found

    def list_levels(self, identifier):
        """Whom each level pages: people, and schedules by what they are. When it does shows in the pages of services.

        Of a policy that no service pages by, when each level begins is said here.
        """
        policy = self.policies.get(identifier)
        rows = policy["levels"] if policy else ()
        levels = [sorted(map(self.describe_target, row["targets"])) for row in rows]
        return levels if self.is_run(identifier) else [levels, self.list_begins(rows)]

    def is_run(self, identifier):
        """Whether an alert of any service runs the policy."""
        own = {name: row.get("escalation_policy") for name, row in self.settings.items()}
        return any(r["paging"] and identifier == (r["escalation_policy"] or own.get(r["service"])) for r in self.rules)

    def list_begins(self, rows):
        """The minutes at which the levels begin, each as often as it is tried."""
        waits = [row["timeout_minutes"] for row in rows for _ in range(row["retries"] + 1)]
        return [sum(waits[:number]) for number in range(len(waits))]

    def describe_target(self, target):
        if target["type"] == "user":
            return f"user {target['id']}"
        if target["type"] == "user_group":
            return f"group {sorted(self.people_of_group(target['id']))}"
        return f"{target['type']} {target['id'] if self.is_there(target) else 'gone'}"

    def is_there(self, target):
        schedule, _, rotation = target["id"].partition("/")
        there = self.schedules.get(schedule)
        return there is not None and (not rotation or rotation in [one["name"] for one in there["rotations"]])

    def people_of_group(self, identifier):
        group = self.groups.get(identifier, {"users": ()})
        return {self.emails[uuid] for uuid in group["users"] if uuid in self.emails}

    def list_policies(self, service):
        """The policies by which alerts of a service page."""
        names = [
            rule["escalation_policy"] or self.settings.get(service, {}).get("escalation_policy")
            for rule in self.rules
            if rule["service"] == service and rule["paging"]
        ]
        return [name for name in dict.fromkeys(names) if name in self.policies]

    def list_pages(self, service):
        """Who is notified at which minute, for pages on a grid and at every edge of every schedule on the way."""
        ways = [self.policies[name]["levels"] for name in self.list_policies(service)]
        targets = [t["id"].partition("/")[0] for levels in ways for level in levels for t in level["targets"]]
        edges = {edge for id in targets for start, end, _ in self.coverage.get(id, ()) for edge in (start, end)}
        moments = sorted({self.start, *(t for e in edges for t in (e - 1, e)), *range(self.start, self.end, 6 * 3600)})
        pages = [(t, self.page(ways, t)) for t in moments if self.start <= t < self.end]
        return [row for at, row in enumerate(pages) if not at or row[1] != pages[at - 1][1]]

    def page(self, ways, instant):
        paged = {}
        for levels in ways:
            minute = 0
            for level in levels:
                for _ in range(level["retries"] + 1):
                    people = {p for t in level["targets"] for p in self.people_of(t, instant + 60 * minute)}
                    if people:
                        paged.setdefault(minute, set()).update(people)
                        minute += level["timeout_minutes"]
        return [[minute, sorted(people)] for minute, people in sorted(paged.items())]

    def people_of(self, target, instant):
        if target["type"] == "user":
            return {target["id"]}
        if target["type"] == "user_group":
            return self.people_of_group(target["id"])
        if not self.is_there(target):
            return set()
        entries = self.coverage.get(target["id"].partition("/")[0], ())
        at = bisect_right([start for start, _, _ in entries], instant) - 1
        return set(entries[at][2]) if at >= 0 and instant < entries[at][1] else set()

    def told(self, person):
        """By channel the minutes at which somebody is told of a page; nothing where the account takes none.

        Somebody whose first step leads nowhere is told by nothing: later steps are of no use to a first page.
        """
        user = next((u for u in self.held["users"] if u["email"] == person), None)
        if user is None or user["disabled"] or user["locked"]:
            return {}
        details = self.held["oncall"]["contact_details"].get(person, {"methods": []})["methods"]
        known = {f"{m['type']} {m['address']}" for m in details if m["type"] in SERVED}
        rule = self.held["oncall"]["notification_rules"].get(person)
        if rule is None or not rule["steps"]:
            return {channel: [0] for channel in known}
        found, minute = {}, 0
        for number, step in enumerate(rule["steps"]):
            minute += step["wait_minutes"]
            arrives = {f"{m['type']} {m['address']}" for m in step["methods"]} & known
            if not arrives and not number:
                return {}
            for channel in arrives:
                found.setdefault(channel, []).append(minute)
        return found

    def has_rule(self, person):
        return person in self.held["oncall"]["notification_rules"]

    def list_paged(self, watched):
        """Everybody who can be paged by what we carried over."""
        people = {
            p for kind, id in watched if kind == "schedules" for _, _, who in self.coverage.get(id, ()) for p in who
        }
        for kind, identifier in watched:
            for level in (
                self.policies.get(identifier, {"levels": ()})["levels"] if kind == "escalation_policies" else ()
            ):
                people |= {t["id"] for t in level["targets"] if t["type"] == "user"}
                people |= {
                    p for t in level["targets"] if t["type"] == "user_group" for p in self.people_of_group(t["id"])
                }
        return people


def read_effects(url, key, document, start, end):
    """The effects of an embedded Harness as it is now. start, end: instants of the window."""
    place = BASE.format(account="embedded", org="default", project="sre")
    window = {"from": _write(start), "to": _write(end)}
    coverage = {}
    for row in document["oncall"]["schedules"].values():
        answer = requests.get(
            f"{url}/{place}/schedules/{row['identifier']}/on-call",
            {**window, "accountIdentifier": "embedded"},
            headers={"x-api-key": key},
            timeout=600,
        )
        answer.raise_for_status()
        entries = answer.json()["entries"]
        coverage[row["identifier"]] = tuple(
            (_read(e["start"]), _read(e["end"]), tuple(sorted(e["people"]))) for e in entries
        )
    return Effects(document, coverage, start, end)


def _read(text):
    return int(datetime.fromisoformat(text).timestamp())


def _write(instant):
    from datetime import UTC

    return datetime.fromtimestamp(instant, UTC).isoformat()


def is_told_worse(before, after):
    """Whether somebody misses a notification, or gets one later."""
    return any(
        len(after.get(channel, ())) < len(minutes) or any(b > a for a, b in zip(minutes, after[channel], strict=False))
        for channel, minutes in before.items()
    )
