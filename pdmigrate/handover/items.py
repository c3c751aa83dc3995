"""The list of what people must do, in the order in which it should be done: what a thing needs comes before it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

from pdmigrate.handover.channels import list_channels
from pdmigrate.handover.links import Links
from pdmigrate.handover.objects import format_local
from pdmigrate.handover.reaching import list_missing
from pdmigrate.harness import records
from pdmigrate.mapping.contacts import describe_cut, describe_first_wait, find_first_minute
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.pagerduty.not_carried import NotCarried
from pdmigrate.plan.actions import Action
from pdmigrate.plan.planning import WAITS
from pdmigrate.wire.canonical import canonical_json

STAGES = {
    "countries": "Ask Harness for countries",
    "teams": "Make the user groups",
    "users": "People accept their invitation",
    "reach": "Make people reachable",
    "contact_methods": "Contact details, each by its owner",
    "notification_rules": "Notification rules, each by its owner",
    "schedules": "Make the schedules",
    "overrides": "Enter the overrides",
    "escalation_policies": "Make the escalation policies",
    "services": "Give each service its owner and its policy",
    "alert_rules": "Make the alert rules",
    "integrations": "Point the senders at Harness",
    "renewals": "Run pdmigrate again before these dates",
    "removed": "Look at what PagerDuty no longer has",
}
"""Kinds of items in working order: what takes weeks is asked for first. `countries`, `reach`, `alert_rules`, `integrations`,
`renewals` and `removed` are no kinds of objects. A test page (`tests`) is asked for apart, when all of this is done."""

NEEDS = {
    "account": "an account that is enabled and unlocked",
    "channel": "a contact method",
    "own": "contact methods of one's own",
    "rule": "a first step that is heard",
}
"""What somebody lacks who cannot be reached, by the part of the key."""


ABOUT = {
    "reach": "users",
    "integrations": "services",
    "alert_rules": "services",
    "renewals": "schedules",
    "tests": "users",
}
"""Kinds of items to the kind of the object that they are about."""


@dataclass(frozen=True)
class Tick:
    """Done, by whom and when (ISO 8601). evidence: what Harness shows, in words, or the name of a file kept beside."""

    digest: str
    by: str
    at: str
    evidence: str = ""


@dataclass(frozen=True)
class Item:
    """One thing for a person. ids: the PagerDuty objects that it stands for. file: to work from, in the handover folder.

    digest: over what is asked for; a tick holds as long as it stays the same. tick: the one that holds.
    """

    key: str
    kind: str
    ids: tuple[str, ...]
    name: str
    file: str = ""
    link: str = ""
    back: str = ""
    expected: str = ""
    digest: str = ""
    tick: Tick | None = None

    @property
    def what(self) -> str:
        return {"integrations": "re-point", "tests": "test page"}.get(self.kind, "make by hand")

    @property
    def text(self) -> str:
        return f"{STAGES[self.kind]}: {self.name}" if self.kind in STAGES else self.name

    @property
    def about(self) -> tuple[str, str]:
        """(kind, PagerDuty id) of the object that it belongs to."""
        return ABOUT.get(self.kind, self.kind), self.ids[0] if self.ids else ""


def list_items(found: Draft, links: Links) -> tuple[Item, ...]:
    """Everything that the plan leaves to people, and what comes with any plan: accounts, apps, senders."""
    parts = (
        _from_plan,
        _from_people,
        _from_reach,
        _from_apps,
        _from_services,
        _from_senders,
        _from_routers,
        _from_countries,
        _from_fidelity,
        _from_removed,
    )
    order = list(STAGES)
    items = (item for part in parts for item in part(found, links))
    return tuple(sorted(items, key=lambda item: (order.index(item.kind), item.name.casefold(), item.key)))


def _make_item(
    links: Links,
    kind: str,
    id: str,
    name: str,
    *,
    expected: str,
    file: str = "",
    ids: tuple[str, ...] = (),
    part: str = "",
    back: str = "",
    content: object = None,
) -> Item:
    """part: tells two items of one object apart. content: of its file, so that a change in there is one.

    Links are not in the digest: they may change with the address of the account.
    """
    key = f"{kind}:{id}" + (f"/{part}" if part else "")
    said = {"key": key, "kind": kind, "ids": ids or (id,), "name": name, "file": file, "expected": expected}
    digest = hashlib.sha256(canonical_json([said, content]).encode()).hexdigest()[:16]
    back = back or links.to_pagerduty(kind, id.partition("_")[0])
    return Item(key, kind, ids or (id,), name, file, links.to_harness(), back, expected, digest)


# --- what Harness takes from people only ---


def _from_plan(found: Draft, links: Links) -> Iterator[Item]:
    schedules = {a.identifier: a for a in found.plan.actions if a.kind == "schedules"}
    for action in found.plan.actions:
        if action.verb == "handover" and action.before is None:
            if action.reason == WAITS:
                expected = (
                    "After terraform apply and another run of pdmigrate it is written by API; nobody types it in."
                )
            else:
                expected = _EXPECT[action.kind](found, action)
            yield _make_item(
                links,
                action.kind,
                action.key,
                action.name,
                expected=expected,
                file=name_file(action, schedules),
                ids=action.sources,
                content=action.after,
            )


def name_file(action: Action, schedules: dict[str, Action]) -> str:
    """The file of an object; an override stands in its schedule's."""
    if action.reason == WAITS:
        return "terraform/main.tf.json"
    if action.kind == "overrides":
        schedule = schedules.get(action.identifier.partition("/")[0])
        return f"schedules/{schedule.identifier}.yaml" if schedule else "overrides.csv"
    folders = {"schedules": "schedules", "escalation_policies": "policies"}
    if action.kind in folders:
        return f"{folders[action.kind]}/{action.identifier}.yaml"
    sheets = {"contact_methods": "contact_details.csv", "notification_rules": "notification_rules.csv"}
    return sheets.get(action.kind, "terraform/main.tf.json")


def name_group(found: Draft, identifier: str | None) -> str:
    """As Harness lists it: the name, and the identifier that tells two of one name apart."""
    if identifier is None:
        return "a group that you choose"
    made = {a.identifier: a.name for a in found.plan.actions if a.kind == "teams"}
    there = {id: group.name for id, group in found.state.groups.items()}
    return f"{made.get(identifier) or there.get(identifier, identifier)} ({identifier})"


def name_policy(found: Draft, policy_id: str) -> str:
    """By its name in Harness; one that is not carried over is said to be missing."""
    wish = next((w for w in found.mapped.desired if (w.kind, w.key) == ("escalation_policies", policy_id)), None)
    if wish:
        return repr(wish.name)
    policy = found.account.policies.get(policy_id)
    return f"none yet, since {policy.name!r} is not carried over" if policy else "none"


def _expect_schedule(found: Draft, action: Action) -> str:
    schedule = action.read(records.Schedule)
    number = len(schedule.rotations)
    return (
        f"AI SRE, On-Call, Schedules shows {action.name!r} in {schedule.time_zone} with {number} "
        f"rotation{'s' * (number != 1)}, and its preview names the people of on_call_next in the file at those hours."
    )


def _expect_override(found: Draft, action: Action) -> str:
    override = action.read(records.Override)
    zones = {w.identifier: w.record.time_zone for w in found.mapped.desired if isinstance(w.record, records.Schedule)}
    zone = zones.get(action.identifier.partition("/")[0], "UTC")
    start, end = format_local(override.start, zone), format_local(override.end, zone)
    return f"The preview of the schedule shows {override.person} from {start} to {end} ({zone})."


def _expect_policy(found: Draft, action: Action) -> str:
    policy = action.read(records.EscalationPolicy)
    waits, number = ", ".join(str(level.timeout_minutes) for level in policy.levels), len(policy.levels)
    return (
        f"AI SRE, On-Call, Escalation Policies shows {action.name!r}, owned by "
        f"{name_group(found, policy.owner_group)}, with {number} level{'s' * (number != 1)}, timeouts of {waits} min "
        "and the targets of the file; retries 0."
    )


def _expect_contacts(found: Draft, action: Action) -> str:
    named = ", ".join(f"{one.type} {one.address} ({one.label})" for one in action.read(records.ContactDetails).methods)
    methods = [one for one in found.account.users[action.key].contact_methods if one.id in action.sources]
    cut = [said for one in methods if (said := describe_cut(one))]
    return ". ".join([f"The profile of {action.identifier}, Contact Methods, lists {named}", *cut]) + "."


def _expect_rules(found: Draft, action: Action) -> str:
    """Minutes after the page, since that is what the person will live through; the waits are what the form asks for."""
    planned = action.read(records.NotificationRule).steps
    minutes = list(accumulate(step.wait_minutes for step in planned))
    named = [" and ".join(f"{one.type} {one.address}" for one in step.methods) for step in planned]
    steps = "; ".join(f"at minute {at} {channels}" for at, channels in zip(minutes, named, strict=True))
    waits = " and ".join(f"{later - at} min" for at, later in pairwise(minutes))
    said = f"The profile of {action.identifier}, Notification Rules: {steps}{f' (waits of {waits})' if waits else ''}."
    first = find_first_minute(found.account.users[action.key], action.sources)
    return f"{said} {describe_first_wait(first)}" if first else said


def _expect_group(found: Draft, action: Action) -> str:
    number = len(action.read(records.UserGroup).users)
    return f"After terraform apply the project has the user group {action.identifier} with {number} members."


def _expect_user(found: Draft, action: Action) -> str:
    """The provider sends the first role only (harness_platform_user, role_bindings)."""
    member = action.read(records.Membership)
    rest = ", ".join(member.roles[1:])
    by_hand = f" Give the other roles by hand: {rest}." if rest else ""
    groups = ", ".join(member.groups) or "none"
    return f"After terraform apply {action.identifier} is invited, with the groups {groups}.{by_hand}"


_EXPECT = {
    "schedules": _expect_schedule,
    "overrides": _expect_override,
    "escalation_policies": _expect_policy,
    "contact_methods": _expect_contacts,
    "notification_rules": _expect_rules,
    "teams": _expect_group,
    "users": _expect_user,
}

# --- what people must do whatever the plan can write ---


def _from_people(found: Draft, links: Links) -> Iterator[Item]:
    """Whoever has no account yet: nobody reaches them until they accept."""
    for action in found.plan.actions:
        person = found.state.people.get(action.identifier)
        if action.kind == "users" and action.verb != "handover" and not (person and person.accepted):
            expected = f"Access Control, Users shows {action.identifier} as active, no longer as pending."
            file = f"people/{action.key}.txt"
            yield _make_item(links, "users", action.key, action.name, expected=expected, file=file)


def _from_reach(found: Draft, links: Links) -> Iterator[Item]:
    """Whoever can be paged, and will not hear it by what is carried over alone."""
    for one in list_missing(found):
        file, name = f"people/{one.user.id}.txt", f"{one.user.name}: {NEEDS[one.part]}"
        yield _make_item(links, "reach", one.user.id, name, expected=one.expected, file=file, part=one.part)


def _from_apps(found: Draft, links: Links) -> Iterator[Item]:
    """The app registers itself on the person's own telephone, Slack is linked by the person, an extension has no place."""
    for one in list_channels(found):
        id, file = one.user.id, f"people/{one.user.id}.txt"
        yield _make_item(links, one.kind, id, one.name, expected=one.expected, file=file, ids=one.ids, part=one.part)


def _from_services(found: Draft, links: Links) -> Iterator[Item]:
    """Owner, policy and alert rule, where the target takes none of them by API."""
    for want in () if found.state.oncall else found.mapped.routes:
        policy, owner = name_policy(found, want.policy_key), name_group(found, want.owner)
        paging = "on" if want.paging else "off"
        told = {
            "services": f"Service Directory, {want.name!r}: owning user group {owner}, escalation policy override {policy}.",
            "alert_rules": f"Alert Rules has a rule for {want.name!r}: paging {paging}, escalation policy {policy}.",
        }
        for kind, expected in told.items():
            yield _make_item(links, kind, want.key, want.name, expected=expected, file="services.csv")


def _from_senders(found: Draft, links: Links) -> Iterator[Item]:
    """The webhook of a service pages for whatever arrives, whatever was decided about its urgency."""
    routes = {route.key: route for route in found.mapped.routes}
    for service in found.mapped.in_scope("services", found.account.services):
        route = routes.get(service.id)
        if route is None:
            expected = "The service is not carried over: this sender stays with PagerDuty until it is."
        elif route.paging:
            expected = "A test alert from this sender pages once, its repeat and its all-clear page nobody."
        else:
            expected = "A test alert from this sender is in the list of alerts and pages nobody: it does not come by the paging webhook."
        for sender in service.integrations:
            name = f"{service.name}: {sender.summary or sender.type or sender.id}"
            yield _make_item(
                links,
                "integrations",
                service.id,
                name,
                expected=expected,
                file="integrations.csv",
                ids=(sender.id,),
                part=sender.id,
            )


def list_routers(found: Draft) -> list[NotCarried]:
    """What sends to several services by rules of its own: nothing of it is carried over, and its senders are senders too."""
    return [
        one for one in found.account.not_carried if one.kind in ("event_orchestrations", "rulesets") and one.matters
    ]


def _from_routers(found: Draft, links: Links) -> Iterator[Item]:
    expected = "Whatever sent to it sends to the webhook of its own service; what its rules kept quiet stays quiet."
    for one in list_routers(found):
        name, back = f"{one.name}: {one.matters}", links.to_pagerduty(one.kind, one.id)
        yield _make_item(links, "integrations", one.id, name, expected=expected, file="integrations.csv", back=back)


def _from_countries(found: Draft, links: Links) -> Iterator[Item]:
    """One request a country: adding one takes Harness weeks."""
    for code, names in sorted(found.mapped.unserved.items()):
        expected = f"Harness confirms calls and SMS to {code}, for {', '.join(sorted(set(names)))}; then run again."
        yield _make_item(links, "countries", code, code, expected=expected, file="countries.csv")


def _from_fidelity(found: Draft, links: Links) -> Iterator[Item]:
    """Schedules that are right until a day: from then on Harness pages somebody else, or nobody."""
    for id in found.mapped.schedules:
        fidelity, name = found.mapped.fidelity[id], found.account.all_schedules[id].name
        if fidelity.until is not None:
            day = f"{to_datetime(fidelity.until):%Y-%m-%d}"
            expected = f"{name!r} holds until {day} ({fidelity.reason}). Run pdmigrate before then: this line names a later day, or is gone."
            yield _make_item(links, "renewals", id, f"{name}: before {day}", expected=expected)


def _from_removed(found: Draft, links: Links) -> Iterator[Item]:
    """What PagerDuty has no more: we never delete a whole object, nor what somebody has changed since."""
    for action in found.plan.actions:
        if action.verb == "handover" and action.before is not None:
            said = f"{action.name!r} ({action.identifier}): {action.reason}"
            id = f"{action.kind}_{action.key}"
            yield _make_item(links, "removed", id, action.name, expected=said, ids=(action.key,))
