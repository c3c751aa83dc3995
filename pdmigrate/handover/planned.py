"""The list of what people must do, in the order in which it should be done: what a thing needs comes before it."""

from collections.abc import Iterator
from itertools import accumulate, pairwise

from pdmigrate.handover.event_rules import list_drafted
from pdmigrate.handover.items import STAGES, Item, make_item, name_document
from pdmigrate.handover.links import Links
from pdmigrate.handover.objects import format_local
from pdmigrate.handover.people import list_invited, list_missing, list_own
from pdmigrate.handover.services import list_lines, name_group
from pdmigrate.harness import records
from pdmigrate.mapping.contacts import describe_cut, describe_first_wait, find_first_minute
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.oncall.words import format_number
from pdmigrate.plan.actions import Action
from pdmigrate.plan.planning import WAITS


def list_items(found: Draft, links: Links) -> tuple[Item, ...]:
    """Everything that the plan leaves to people, and what comes with any plan: accounts, apps, senders."""
    parts = (_from_plan, list_invited, list_missing, list_own, list_drafted, _from_fidelity, _from_removed)
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
                expected = _expect(found, action)
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
        return name_document("schedules", schedule.identifier) if schedule else "overrides.csv"
    folders = {"schedules": "schedules", "escalation_policies": "policies"}
    if action.kind in folders:
        return name_document(folders[action.kind], action.identifier)
    sheets = {"contact_methods": "contact_details.csv", "notification_rules": "notification_rules.csv"}
    return sheets.get(action.kind, "terraform/main.tf.json")


def _expect(found: Draft, action: Action) -> str:
    """What Harness shows once it is done."""
    match action.kind:
        case "schedules":
            schedule = action.read(records.Schedule)
            number = len(schedule.rotations)
            return (
                f"AI SRE, On-Call, Schedules shows {action.name!r} in {schedule.time_zone} with {number} "
                f"rotation{'s' * (number != 1)}, and its preview names the people of on_call_next in the file at those hours."
            )
        case "overrides":
            override = action.read(records.Override)
            records_of = {wish.identifier: wish.record for wish in found.mapped.desired}
            zones = {id: one.time_zone for id, one in records_of.items() if isinstance(one, records.Schedule)}
            zone = zones.get(action.identifier.partition("/")[0], "UTC")
            start, end = format_local(override.start, zone), format_local(override.end, zone)
            return f"The preview of the schedule shows {override.person} from {start} to {end} ({zone})."
        case "escalation_policies":
            policy = action.read(records.EscalationPolicy)
            waits, number = ", ".join(str(level.timeout_minutes) for level in policy.levels), len(policy.levels)
            return (
                f"AI SRE, On-Call, Escalation Policies shows {action.name!r}, owned by "
                f"{name_group(found, policy.owner_group)}, with {number} level{'s' * (number != 1)}, timeouts of {waits} "
                "min and the targets of the file; retries 0."
            )
        case "contact_methods":
            methods = action.read(records.ContactDetails).methods
            named = ", ".join(f"{one.type} {one.address} ({one.label})" for one in methods)
            sources = [m for m in found.account.users[action.key].contact_methods if m.id in action.sources]
            cut = [said for method in sources if (said := describe_cut(method))]
            return ". ".join([f"The profile of {action.identifier}, Contact Methods, lists {named}", *cut]) + "."
        case "notification_rules":
            # minutes after the page are what the person lives through, waits what the form asks for
            planned = action.read(records.NotificationRule).steps
            minutes = list(accumulate(step.wait_minutes for step in planned))
            channels = [" and ".join(f"{one.type} {one.address}" for one in step.methods) for step in planned]
            steps = "; ".join(f"at minute {at} {named}" for at, named in zip(minutes, channels, strict=True))
            waits = " and ".join(f"{later - at} min" for at, later in pairwise(minutes))
            form = f" (waits of {waits})" if waits else ""
            first = find_first_minute(found.account.users[action.key], action.sources)
            said = f"The profile of {action.identifier}, Notification Rules: {steps}{form}."
            return f"{said} {describe_first_wait(first)}" if first else said
        case "teams":
            number = len(action.read(records.UserGroup).users)
            return f"After terraform apply the project has the user group {action.identifier} with {format_number(number, 'member')}."
        case "users":  # the provider sends the first role only (harness_platform_user, role_bindings)
            member = action.read(records.Membership)
            rest = ", ".join(member.roles[1:])
            by_hand = f" Give the other roles by hand: {rest}." if rest else ""
            groups = ", ".join(member.groups) or "none"
            return f"After terraform apply {action.identifier} is invited, with the groups {groups}.{by_hand}"
    raise AssertionError(f"nobody is asked to make {action.kind} by hand")


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
