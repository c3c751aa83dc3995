"""The page of step 2."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from pdmigrate.mapping.proof import NOT_CARRIED
from pdmigrate.mapping.scope import Reasons, find_shared, list_records
from pdmigrate.oncall.words import format_number, format_turn
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.dependents import list_dependents
from pdmigrate.pagerduty.event_rules import EventRule, pick_rules
from pdmigrate.pagerduty.needs import describe_unread
from pdmigrate.pagerduty.records import ContactMethod, EscalationPolicy, Problem, Schedule, Service, Team, User
from pdmigrate.pagerduty.v3_records import Event, ScheduleV3
from pdmigrate.pages.on_call import section_on_call
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.words import (
    KIND_NAMES,
    format_requests,
    format_time,
    section_conflicts,
    section_counts,
    section_fields,
    section_outcomes,
    tag_outcome,
    tell_apart,
    warn_if,
)
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.preview import Preview

Named = TypeVar("Named", User, Team, Service, EscalationPolicy, Schedule | ScheduleV3)


def make_page(preview: Preview) -> Page:
    draft, open_count = preview.draft, len(preview.draft.open)
    counts = draft.count_kinds()
    carried = sum(c["exact"] + c["changed"] for c in counts.values())
    whole = sum(c["in_source"] for c in counts.values())
    waiting = sum(draft.count_waiting().values())
    lead = f"{carried:,} of {format_number(whole, 'object')} in scope can be carried over as things stand."
    if open_count:
        lead += (
            f" {format_number(open_count, 'question waits', 'questions wait')} for your answer, and with "
            f"{'it' if open_count == 1 else 'them'} {format_number(waiting, 'object')}."
        )
    figures = (
        Figure("Services", str(counts["services"]["in_source"])),
        Figure("Schedules", str(counts["schedules"]["in_source"])),
        Figure("People", str(counts["users"]["in_source"])),
        Figure("Open questions", str(open_count), warn_if(open_count)),
        Figure("Requests to PagerDuty", format_requests(preview.snapshot.requests, preview.snapshot.retries)),
    )
    facts = (
        ("Data as of", format_time(preview.snapshot.taken)),
        ("Snapshot", preview.snapshot.digest[:12]),
    )
    return Page("preview", "Preview", lead, figures=figures, facts=facts)


def section_schedules(preview: Preview) -> Section:
    """Schedules with their rotation patterns and zones, and what becomes of them."""
    grades = _grades(preview, "schedules")
    rows = _scoped(preview, "schedules", preview.draft.account.all_schedules)
    names = tell_apart(rows)
    columns: Columns[Schedule | ScheduleV3] = {
        "Schedule": lambda s: names[s.id],
        "Time zone": lambda s: s.time_zone,
        "Layers, top first, or events": _describe_parts,
        "Overrides": lambda s: _count_overrides(s, preview.draft.account.since),
        "Becomes": lambda s: grades.get(s.id),
        "How long it holds": lambda s: preview.draft.mapped.fidelity.get(s.id, NOT_CARRIED).describe(),
        "Proof": lambda s: preview.draft.mapped.fidelity.get(s.id, NOT_CARRIED).describe_needs(),
        "Why": lambda s: preview.draft.mapped.fidelity.get(s.id, NOT_CARRIED).reason,
        "In scope because": lambda s: preview.draft.reasons["schedules"][s.id],
    }
    table = make_table(rows, columns)
    return Section("Schedules", table=table)


def section_policies(preview: Preview) -> Section:
    """Policies with levels and timeouts."""
    grades = _grades(preview, "escalation_policies")
    rows = _scoped(preview, "escalation_policies", preview.draft.account.policies)
    names = tell_apart(rows)
    columns: Columns[EscalationPolicy] = {
        "Policy": lambda p: names[p.id],
        "Levels": _describe_levels,
        "Repeats": lambda p: p.num_loops,
        "Becomes": lambda p: grades.get(p.id),
    }
    table = make_table(rows, columns)
    return Section("Escalation policies", table=table)


def section_teams(preview: Preview) -> Section:
    """Teams and the user groups that they become."""
    account, mapped = preview.draft.account, preview.draft.mapped
    rows = _scoped(preview, "teams", preview.draft.account.teams)
    names = tell_apart(rows)
    columns: Columns[Team] = {
        "Team": lambda t: names[t.id],
        "Members": lambda t: len(account.members_of(t)),
        "User group in Harness": lambda t: mapped.groups.get(t.id, "not carried over"),
    }
    return Section("Teams", table=make_table(rows, columns))


def section_services(preview: Preview) -> Section:
    """Services with their policy."""
    grades = _grades(preview, "services")
    rows = _scoped(preview, "services", preview.draft.account.services)
    names = tell_apart(rows)
    columns: Columns[Service] = {
        "Service": lambda s: names[s.id],
        "Policy": lambda s: (s.escalation_policy.summary or s.escalation_policy.id) if s.escalation_policy else "none",
        "Status": lambda s: s.status or "",
        "Integrations": lambda s: len(s.integrations),
        "Pages again after an acknowledgement": lambda s: (
            f"after {s.acknowledgement_timeout // 60} min" if s.acknowledgement_timeout else "no"
        ),
        "Last incident": lambda s: (s.last_incident_timestamp or "")[:10],
        "Becomes": lambda s: grades.get(s.id),
    }
    return Section("Services", table=make_table(rows, columns))


def section_countries(preview: Preview) -> Section:
    """Countries that Harness neither calls nor sends SMS to: the first thing to ask for, since it takes longest."""
    unserved = preview.draft.mapped.unserved
    columns: Columns[str] = {
        "Country code": lambda code: code,
        "Phone and SMS methods": lambda code: len(unserved[code]),
        "People": lambda code: sorted(set(unserved[code])),
    }
    table = make_table(sorted(unserved), columns, "Harness serves the country of every number in scope.")
    return Section("Countries that Harness does not serve", COUNTRIES if unserved else "", table)


def section_people(preview: Preview) -> Section:
    """People with their contact information."""
    rows = _scoped(preview, "users", preview.draft.account.users)
    names = tell_apart(rows)
    columns: Columns[User] = {
        "Person": lambda u: names[u.id],
        "Email": lambda u: u.email,
        "Contact methods": lambda u: [_describe_contact(m) for m in u.contact_methods],
        "Notification rules": lambda u: len(u.notification_rules),
    }
    table = make_table(rows, columns)
    return Section("People", table=table, open_up_to=60)


def section_oddities(preview: Preview) -> Section:
    """What arrived otherwise than PagerDuty documents it."""
    account = preview.draft.account
    odd = [(p, Tag("not carried over", "bad")) for p in account.problems]
    odd += [(p, Tag("noted", "warn")) for p in account.remarks]
    columns: Columns[tuple[Problem, Tag]] = {
        "Kind": lambda one: KIND_NAMES.get(one[0].kind, _name_kind(one[0].kind)),
        "Name": lambda one: one[0].name,
        "PagerDuty id": lambda one: one[0].id,
        "Effect": lambda one: one[1],
        "What is odd": lambda one: one[0].message,
    }
    table = make_table(odd, columns, "Everything arrived as PagerDuty documents it.")
    return Section("Arrived otherwise than documented", table=table, open_up_to=40)


NEVER_READ = {
    "Status update rules": "they tell people of status updates, and page nobody",
}
"""What PagerDuty keeps in places of its own, and pdmigrate does not read."""

NOT_ASKED = {
    "extensions": (
        "Others that talk to PagerDuty",
        "not asked for (source.dependents): extensions, webhooks, workflows, status pages, alert grouping and the like",
    ),
    "handoff_rules": (
        "Handoff rules",
        "not asked for (source.handoff_rules): one request a person; not carried over by pdmigrate",
    ),
    "service_orchestrations": (
        "Service orchestrations",
        "not asked for (source.service_orchestrations): one request a service; their rules may suppress alerts",
    ),
}
"""What is read only where it is asked for: the snapshot's name for it to ours, and to why it is not here."""


def section_not_carried(preview: Preview) -> Section:
    """What PagerDuty has that is not part of this migration, and what could not be read."""
    account, rules = preview.draft.account, preview.draft.mapped.rules
    left: list[tuple[str, int | None, str, list[str]]] = []
    for kind, number in preview.draft.count_out_of_scope().items():
        by_rule = KINDS[kind].own and not rules.contact_details
        why = "left out by rules.contact_details: people set them up in Harness themselves"
        left += [(KIND_NAMES[kind], number, why if by_rule else "out of scope: no chosen service needs it", [])] * bool(
            number
        )
    for kind, number in account.inventory.items():
        matters = [f"{one.name}: {one.matters}" for one in account.not_carried if one.kind == kind and one.matters]
        left.append((_name_kind(kind), number, "not carried over by pdmigrate", matters))
    left += [
        (_name_kind(kind), None, f"could not be read, {describe_unread(kind, why)}", [])
        for kind, why in account.unread.items()
    ]
    left += [(name, None, why, []) for key, (name, why) in NOT_ASKED.items() if key not in preview.snapshot.rows]
    others = len(list_dependents(preview.snapshot.rows))
    left += [("Others that talk to PagerDuty", others, "see the page Account survey", [])] * bool(others)
    left += [(name, None, f"never asked for: {why}", []) for name, why in NEVER_READ.items()]
    columns = dict(zip(("Kind", "Number", "Why", "Suppress or reroute alerts"), map(itemgetter, range(4)), strict=True))
    table = make_table(left, columns, "Nothing stays behind unseen.")
    return Section("Stays behind", "Counted, so that nobody is surprised.", table)


EVENT_RULES = (
    "Nothing public in Harness takes them. The handover has them as a file for each service; until somebody has made "
    "their counterpart, what they keep quiet pages."
)


def section_event_rules(preview: Preview) -> Section:
    """What decides in PagerDuty whether an alert pages, service by service, in words."""
    rules, services = preview.draft.account.event_rules, preview.draft.account.services.values()
    about = {rule: [service.name for service in services if rule in pick_rules(rules, service.id)] for rule in rules}
    columns: Columns[EventRule] = {
        "Services": lambda rule: about[rule] or "no single one",
        "Rule": lambda rule: rule.in_words,
        "Of": lambda rule: f"{rule.name}{f': {rule.label}' if rule.label else ''}",
        "Effect": lambda rule: Tag("pages nobody", "warn") if rule.silences else "",
    }
    unread = preview.draft.account.rules_unread
    words = [EVENT_RULES] if rules else []
    words += [
        f"Not read, so nothing is known of them: {', '.join(_name_kind(kind).lower() for kind in unread)}."
    ] * bool(unread)
    table = make_table(rules, columns, "No event rule was found in what was read.")
    return Section("Event rules, to do by hand", " ".join(words), table)


def _name_kind(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def section_scope(preview: Preview) -> Section:
    """What is in scope and why, and which services outside the scope use it too."""
    account, reasons = preview.draft.account, preview.draft.reasons
    if len(reasons["services"]) == len(account.services):
        return Section("Scope", "The whole account is in scope.")
    return describe_scope("Scope", account, reasons)


def describe_scope(title: str, account: Account, reasons: Reasons, most: int = 0) -> Section:
    """Every object in scope with the reason, and the services outside the scope that use it too.

    most: no more rows than that, and only of what comes along; the note says how many there are.
    """
    shared = find_shared(account, reasons)
    there = list_records(account)
    rows = [
        (kind, id, why)
        for kind in ("services", "escalation_policies", "schedules", "teams", "users")
        for id, why in reasons[kind].items()
        if not most or why != "chosen"
    ]
    note = f"{sum(bool(shared.get((kind, id))) for kind, id, _ in rows)} of these are also used by services that do not move now."
    more = f"{len(rows) - most:,} more come along; the page preview lists them." if 0 < most < len(rows) else ""
    columns: Columns[tuple[str, str, str]] = {
        "Kind": lambda row: KIND_NAMES[row[0]],
        "Name": lambda row: there[row[0]][row[1]].name,
        "In scope because": lambda row: row[2],
        "Also used by, outside the scope": lambda row: shared.get((row[0], row[1]), []),
    }
    table = make_table(rows[: most or None], columns, "Nothing comes along.", more)
    return Section(title, note, table, open_up_to=None if most else 60)


COUNTRIES = (
    "Ask Harness for these countries now: adding one takes weeks. Until then nobody there is called or gets an SMS; "
    "email and the mobile app remain. What it serves is by its documentation of mid-2026; a release note of February "
    "2026 says the United States only, so have the others confirmed too."
)

PARTS: dict[str, Callable[[Preview], Section]] = {
    "scope": section_scope,
    "counts": lambda preview: section_counts(preview.draft, listed=True),
    "countries": section_countries,
    "schedules": section_schedules,
    "timeline": lambda preview: section_on_call(preview.draft),
    "policies": section_policies,
    "teams": section_teams,
    "services": section_services,
    "people": section_people,
    "conflicts": lambda preview: section_conflicts(
        preview.draft.open.values(), "Open questions", "No question is open."
    ),
    "outcomes": lambda preview: section_outcomes(preview.draft),
    "fields": lambda preview: section_fields(preview.draft),
    "oddities": section_oddities,
    "not_carried": section_not_carried,
    "event_rules": section_event_rules,
}


def _scoped(preview: Preview, kind: str, there: Mapping[str, Named]) -> list[Named]:
    return sorted((r for id, r in there.items() if id in preview.draft.reasons[kind]), key=lambda r: r.name.casefold())


def _grades(preview: Preview, kind: str) -> dict[str, Tag]:
    return {f.id: tag_outcome(preview.draft, f) for f in preview.draft.mapped.outcomes if f.kind == kind}


def _describe_parts(schedule: Schedule | ScheduleV3) -> list[str]:
    """A line for each layer, or for each event of a shift-based schedule."""
    if isinstance(schedule, ScheduleV3):
        return [_describe_event(event) for one in schedule.rotations for event in one.events]
    told = []
    for layer in schedule.schedule_layers:
        names = [place.user.summary or place.user.id for place in layer.users]
        until = f", until {layer.end:%Y-%m-%d}" if layer.end else ""
        windows = f", {format_number(len(layer.restrictions), 'window')}" if layer.restrictions else ""
        turn = format_turn(layer.rotation_turn_length_seconds)
        told.append(f"{layer.name or layer.id}: {', '.join(names) or 'nobody'}; a turn of {turn}{windows}{until}")
    return told


def _describe_event(event: Event) -> str:
    strategy = event.assignment_strategy
    rotating = strategy.type == "rotating_member_assignment_strategy"
    how = f"in turns of {strategy.shifts_per_member or 1}" if rotating else "all at once"
    return f"{event.name or event.id}: {', '.join(event.recurrence)}; {format_number(len(strategy.members), 'person', 'people')}, {how}"


def _count_overrides(schedule: Schedule | ScheduleV3, since: datetime) -> int:
    if isinstance(schedule, ScheduleV3):
        return sum(override.end_time > since for override in schedule.overrides)
    return sum(override.end > since for override in schedule.overrides)


def _describe_levels(policy: EscalationPolicy) -> list[str]:
    return [
        f"{number}. {', '.join(t.summary or t.id for t in rule.targets)}, then {rule.escalation_delay_in_minutes} min"
        + (" (round robin)" if rule.round_robin else "")
        for number, rule in enumerate(policy.escalation_rules, 1)
    ]


def _describe_contact(method: ContactMethod) -> str:
    kind = method.type.removesuffix("_contact_method").replace("_", " ")
    if kind.startswith("push"):  # its address is a token of the app, and no word for a page
        return "the app, by push" + (" (blocked)" if method.blacklisted else "")
    code = f"+{method.country_code} " if method.country_code and kind in ("phone", "sms", "whatsapp") else ""
    return f"{kind}: {code}{method.address or 'a reference only'}" + (" (blocked)" if method.blacklisted else "")
