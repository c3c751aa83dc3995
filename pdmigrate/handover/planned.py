"""The list of what people must do, in the order in which it should be done: what a thing needs comes before it."""

from collections.abc import Iterator
from itertools import accumulate, pairwise

from pdmigrate.handover.items import STAGES, Item, make_item
from pdmigrate.handover.links import Links
from pdmigrate.handover.objects import format_local
from pdmigrate.handover.people import list_invited, list_missing, list_own
from pdmigrate.handover.services import list_lines, name_group
from pdmigrate.harness import records
from pdmigrate.mapping.contacts import describe_extension, describe_first_wait, find_first_minute
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.plan.actions import Action
from pdmigrate.plan.planning import WAITS


def list_items(found: Draft, links: Links) -> tuple[Item, ...]:
    """Everything that the plan leaves to people, and what comes with any plan: accounts, apps, senders."""
    parts = (_from_plan, list_invited, list_missing, list_own, _from_fidelity, _from_removed)
    items = [item for part in parts for item in part(found, links)]
    items += [item for mine, _ in list_lines(found, links) for item in mine]
    order = list(STAGES)
    return tuple(sorted(items, key=lambda item: (order.index(item.kind), item.name.casefold(), item.key)))


def _from_plan(found: Draft, links: Links) -> Iterator[Item]:
    schedules = {a.identifier: a for a in found.plan.actions if a.kind == "schedules"}
    for action in found.plan.actions:
        if action.verb == "handover" and action.before is None:
            expected = "After terraform apply and another run of pdmigrate it is written by API; nobody types it in."
            if action.reason != WAITS:
                expected = _EXPECT[action.kind](found, action)
            yield make_item(
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
    cut = [said for one in methods if (said := describe_extension(one))]
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


def _from_fidelity(found: Draft, links: Links) -> Iterator[Item]:
    """Schedules that are right until a day: from then on Harness pages somebody else, or nobody."""
    for id in found.mapped.schedules:
        fidelity, name = found.mapped.fidelity[id], found.account.all_schedules[id].name
        if fidelity.until is not None:
            day = f"{to_datetime(fidelity.until):%Y-%m-%d}"
            expected = f"{name!r} holds until {day} ({fidelity.reason}). Run pdmigrate before then: this line names a later day, or is gone."
            yield make_item(links, "renewals", id, f"{name}: before {day}", expected=expected)


def _from_removed(found: Draft, links: Links) -> Iterator[Item]:
    """What PagerDuty has no more: we never delete a whole object, nor what somebody has changed since."""
    for action in found.plan.actions:
        if action.verb == "handover" and action.before is not None:
            said = f"{action.name!r} ({action.identifier}): {action.reason}"
            id = f"{action.kind}_{action.key}"
            yield make_item(links, "removed", id, action.name, expected=said, ids=(action.key,))
