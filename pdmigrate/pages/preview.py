"""The page of step 2."""

from datetime import datetime, timedelta

from pdmigrate.mapping.fidelity import NOT_CARRIED
from pdmigrate.mapping.judge import read_shown
from pdmigrate.mapping.scope import Reasons, find_shared
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import EscalationPolicy, Problem, Schedule, Service
from pdmigrate.pagerduty.v3_records import Event, ScheduleV3
from pdmigrate.pages.report import Figure, Page, Section, Tag, make_table
from pdmigrate.pages.timeline import Lane, draw_timeline
from pdmigrate.pages.words import (
    KIND_NAMES,
    TONES,
    make_bars,
    section_conflicts,
    section_counts,
    section_fates,
    section_fields,
    tell_requests,
    tell_time,
)
from pdmigrate.steps.preview import Preview

DAYS_DRAWN = 14
MOST_DRAWN = 12


def make_page(preview: Preview, status: str) -> Page:
    draft, open_count = preview.draft, len(preview.draft.open)
    counts = draft.count_kinds()
    carried = sum(c["exact"] + c["changed"] for c in counts.values())
    whole = sum(c["in_source"] for c in counts.values())
    lead = (
        f"{carried} of {whole} objects in scope can be carried over as things stand; {open_count} questions are open."
    )
    figures = (
        Figure("Services", str(counts["services"]["in_source"])),
        Figure("Schedules", str(counts["schedules"]["in_source"])),
        Figure("People", str(counts["users"]["in_source"])),
        Figure("Open questions", str(open_count), "warn" if open_count else "good"),
        Figure("Requests to PagerDuty", tell_requests(preview.snapshot.requests, preview.snapshot.retries)),
    )
    facts = (
        ("Data as of", tell_time(preview.snapshot.taken)),
        ("Snapshot", preview.snapshot.digest[:12]),
    )
    return Page("preview", "Preview", lead, status, figures, tuple(part(preview) for part in PARTS.values()), facts)


def section_schedules(preview: Preview) -> Section:
    """Schedules with their rotation patterns and zones, and what becomes of them."""
    grades = _grades(preview, "schedules")
    rows = [
        {
            "name": s.name,
            "zone": s.time_zone,
            "layers": _tell_parts(s),
            "overrides": _count_overrides(s, preview.draft.account.since),
            "grade": grades.get(s.id),
            "holds": preview.draft.work.fidelity.get(s.id, NOT_CARRIED).tell(),
            "leans": preview.draft.work.fidelity.get(s.id, NOT_CARRIED).tell_needs(),
            "fidelity": preview.draft.work.fidelity.get(s.id, NOT_CARRIED).reason,
            "why": _in(preview, "schedules", s.id),
        }
        for s in _scoped(preview, "schedules", preview.draft.account.all_schedules)
    ]
    columns = {
        "name": "Schedule",
        "zone": "Time zone",
        "layers": "Layers, top first, or events",
        "overrides": "Overrides",
        "grade": "Becomes",
        "holds": "How long it holds",
        "leans": "Leans on",
        "fidelity": "Why",
        "why": "In scope because",
    }
    return Section("Schedules", table=make_table(rows, columns))


def section_timeline(preview: Preview) -> Section:
    """Who is on call over the next two weeks, by PagerDuty's own rendering."""
    account = preview.draft.account
    end = min(account.since + timedelta(days=DAYS_DRAWN), account.until)
    names = {user.id: user.name for user in account.users.values()}
    shown = _scoped(preview, "schedules", account.all_schedules)[:MOST_DRAWN]
    lanes = [
        Lane(s.name, make_bars(_who(s, preview).clip(rota.to_instant(account.since), rota.to_instant(end)), names))
        for s in shown
    ]
    if not lanes:
        return Section("Who is on call", "No schedule is in scope.")
    drawing = draw_timeline(
        lanes, account.since, end, "UTC", f"Who is on call in PagerDuty, the next {DAYS_DRAWN} days"
    )
    more = len(_scoped(preview, "schedules", account.all_schedules)) - len(shown)
    return Section("Who is on call", f"{more} more schedules are in the table above." if more else "", drawing=drawing)


def section_policies(preview: Preview) -> Section:
    """Policies with levels and timeouts."""
    grades = _grades(preview, "escalation_policies")
    rows = [
        {"name": p.name, "levels": _tell_levels(p), "loops": p.num_loops, "grade": grades.get(p.id)}
        for p in _scoped(preview, "escalation_policies", preview.draft.account.policies)
    ]
    columns = {"name": "Policy", "levels": "Levels", "loops": "Run again", "grade": "Becomes"}
    return Section("Escalation policies", table=make_table(rows, columns))


def section_teams(preview: Preview) -> Section:
    """Teams and the user groups that they become."""
    account, work = preview.draft.account, preview.draft.work
    rows = [
        {"name": t.name, "members": len(account.members_of(t)), "group": work.groups.get(t.id, "not carried over")}
        for t in _scoped(preview, "teams", account.teams)
    ]
    return Section(
        "Teams", table=make_table(rows, {"name": "Team", "members": "Members", "group": "User group in Harness"})
    )


def section_services(preview: Preview) -> Section:
    """Services with their policy."""
    grades, account = _grades(preview, "services"), preview.draft.account
    rows = [
        {
            "name": s.name,
            "policy": (s.escalation_policy.summary or s.escalation_policy.id) if s.escalation_policy else "none",
            "status": s.status or "",
            "integrations": len(s.integrations),
            "again": _tell_again(s),
            "last": (s.last_incident_timestamp or "")[:10],
            "grade": grades.get(s.id),
        }
        for s in _scoped(preview, "services", account.services)
    ]
    columns = {
        "name": "Service",
        "policy": "Policy",
        "status": "Status",
        "integrations": "Integrations",
        "again": "Pages again after an acknowledgement",
        "last": "Last incident",
        "grade": "Becomes",
    }
    return Section("Services", table=make_table(rows, columns))


def _tell_again(service: Service) -> str:
    """Harness has no such time-out: where a service relies on it, it is a question."""
    return f"after {service.acknowledgement_timeout // 60} min" if service.acknowledgement_timeout else "no"


def section_countries(preview: Preview) -> Section:
    """Countries that Harness neither calls nor sends SMS to: the first thing to ask for, since it takes longest."""
    rows = [
        {"code": f"+{code}", "numbers": len(names), "people": sorted(set(names))}
        for code, names in sorted(preview.draft.work.unserved.items())
    ]
    columns = {"code": "Country code", "numbers": "Numbers", "people": "People"}
    table = make_table(rows, columns, empty="Harness serves the country of every number in scope.")
    return Section("Countries that Harness does not serve", COUNTRIES if rows else "", table)


def section_people(preview: Preview) -> Section:
    """People with their contact information."""
    rows = [
        {
            "name": u.name,
            "email": u.email,
            "contacts": [_tell_contact(m) for m in u.contact_methods],
            "rules": len(u.notification_rules),
        }
        for u in _scoped(preview, "users", preview.draft.account.users)
    ]
    columns = {"name": "Person", "email": "Email", "contacts": "Contact methods", "rules": "Notification rules"}
    return Section("People", table=make_table(rows, columns), folded=len(rows) > 60)


def section_oddities(preview: Preview) -> Section:
    """What arrived otherwise than PagerDuty documents it."""
    account = preview.draft.account
    rows = [_tell_oddity(p, Tag("not carried over", "bad")) for p in account.problems]
    rows += [_tell_oddity(p, Tag("noted", "warn")) for p in account.remarks]
    columns = {"kind": "Kind", "name": "Name", "id": "PagerDuty id", "effect": "Effect", "what": "What is odd"}
    table = make_table(rows, columns, empty="Everything arrived as PagerDuty documents it.")
    return Section("Arrived otherwise than documented", table=table, folded=len(rows) > 40)


NEVER_READ = {
    "Status update rules": "they tell people of status updates, and page nobody",
    "Alert grouping settings": "those that stand apart from services group alerts into one page; in Harness each pages",
}
"""What PagerDuty keeps in places of its own, and pdmigrate does not read."""


def section_aside(preview: Preview) -> Section:
    """What PagerDuty has that is not part of this migration, and what could not be read."""
    account = preview.draft.account
    rows = [
        {"kind": KIND_NAMES[kind], "number": n, "why": _tell_out(kind, preview)}
        for kind, n in preview.draft.count_out_of_scope().items()
        if n
    ]
    rows += [_tell_aside(kind, n, account) for kind, n in account.inventory.items()]
    rows += [_tell_unread(kind, why) for kind, why in account.unread.items()]
    if "handoff_rules" not in preview.snapshot.rows:
        why = "not asked for (source.handoff_rules): one request a person; not carried over by pdmigrate"
        rows.append({"kind": "Handoff rules", "number": None, "why": why})
    if "service_orchestrations" not in preview.snapshot.rows:
        why = "not asked for (source.service_orchestrations): one request a service; their rules may suppress alerts"
        rows.append({"kind": "Service orchestrations", "number": None, "why": why})
    rows += [{"kind": kind, "number": None, "why": f"never asked for: {why}"} for kind, why in NEVER_READ.items()]
    columns = {"kind": "Kind", "number": "Number", "why": "Why", "matters": "Suppress or reroute alerts"}
    table = make_table(rows, columns, empty="Nothing stays behind unseen.")
    return Section("Stays behind", "Counted, so that nobody is surprised.", table)


def _tell_out(kind: str, preview: Preview) -> str:
    if kind in ("contact_methods", "notification_rules") and not preview.draft.work.rules.contact_details:
        return "left out by rules.contact_details: people set them up in Harness themselves"
    return "out of scope: no chosen service needs it"


def _tell_aside(kind: str, number: int, account: Account) -> dict:
    matters = [f"{one.name}: {one.matters}" for one in account.not_carried if one.kind == kind and one.matters]
    return {"kind": _name_kind(kind), "number": number, "why": "not carried over by pdmigrate", "matters": matters}


def _tell_unread(kind: str, why: str) -> dict:
    return {"kind": _name_kind(kind), "number": None, "why": f"could not be read, {why}"}


def _tell_oddity(problem: Problem, effect: Tag) -> dict:
    name = {"kind": KIND_NAMES.get(problem.kind, _name_kind(problem.kind)), "name": problem.name, "id": problem.id}
    return {**name, "effect": effect, "what": problem.message}


def _name_kind(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def section_scope(preview: Preview) -> Section:
    """What is in scope and why, and which services outside the scope use it too."""
    account, reasons = preview.draft.account, preview.draft.reasons
    if len(reasons["services"]) == len(account.services):
        return Section("Scope", "The whole account is in scope.")
    return tell_scope("Scope", account, reasons)


def tell_scope(title: str, account: Account, reasons: Reasons, most: int = 0) -> Section:
    """Every object in scope with the reason, and the services outside the scope that use it too.

    most: no more rows than that, and only of what comes along; the note says how many there are.
    """
    shared = find_shared(account, reasons)
    there = {"teams": account.teams, "schedules": account.all_schedules, "escalation_policies": account.policies}
    there |= {"services": account.services, "users": account.users}
    rows = [
        {"kind": KIND_NAMES[kind], "name": there[kind][id].name, "why": why, "also": shared.get((kind, id), [])}
        for kind in ("services", "escalation_policies", "schedules", "teams", "users")
        for id, why in reasons[kind].items()
        if not most or why != "chosen"
    ]
    columns = {"kind": "Kind", "name": "Name", "why": "In scope because", "also": "Also used by, outside the scope"}
    note = f"{sum(bool(row['also']) for row in rows)} of these are also used by services that do not move now."
    more = f"{len(rows) - most:,} more come along; the page preview lists them." if 0 < most < len(rows) else ""
    table = make_table(rows[: most or None], columns, "Nothing comes along.", more)
    return Section(title, note, table, folded=not most and len(rows) > 60)


COUNTRIES = (
    "Ask Harness for these countries now: adding one takes weeks. Until then nobody there is called or gets an SMS; "
    "email and the mobile app remain. What it serves is by its documentation of mid-2026; a release note of February "
    "2026 says the United States only, so have the others confirmed too."
)

PARTS = {
    "scope": section_scope,
    "counts": lambda preview: section_counts(preview.draft),
    "countries": section_countries,
    "schedules": section_schedules,
    "timeline": section_timeline,
    "policies": section_policies,
    "teams": section_teams,
    "services": section_services,
    "people": section_people,
    "conflicts": lambda preview: section_conflicts(
        preview.draft.open.values(), "Open questions", "No question is open."
    ),
    "fates": lambda preview: section_fates(preview.draft),
    "fields": lambda preview: section_fields(preview.draft),
    "oddities": section_oddities,
    "aside": section_aside,
}


def _scoped(preview: Preview, kind: str, there: dict) -> list:
    return sorted((r for id, r in there.items() if id in preview.draft.reasons[kind]), key=lambda r: r.name.casefold())


def _in(preview: Preview, kind: str, id: str) -> str:
    return preview.draft.reasons[kind][id]


def _grades(preview: Preview, kind: str) -> dict[str, Tag]:
    return {f.id: Tag(f.grade.replace("_", " "), TONES[f.grade]) for f in preview.draft.work.fates if f.kind == kind}


def _who(schedule: Schedule | ScheduleV3, preview: Preview) -> rota.Rota:
    """PagerDuty's rendering, by id."""
    return read_shown(schedule) or rota.Rota()


def _tell_parts(schedule: Schedule | ScheduleV3) -> list[str]:
    if isinstance(schedule, ScheduleV3):
        return [_tell_event(event) for one in schedule.rotations for event in one.events]
    return [_tell_layer(layer) for layer in schedule.schedule_layers]


def _tell_event(event: Event) -> str:
    strategy = event.assignment_strategy
    rotating = strategy.type == "rotating_member_assignment_strategy"
    how = f"in turns of {strategy.shifts_per_member or 1}" if rotating else "all at once"
    return f"{event.name or event.id}: {', '.join(event.recurrence)}; {len(strategy.members)} people, {how}"


def _count_overrides(schedule: Schedule | ScheduleV3, since: datetime) -> int:
    ends = [o.end_time if isinstance(schedule, ScheduleV3) else o.end for o in schedule.overrides]
    return sum(end > since for end in ends)


def _tell_layer(layer) -> str:
    names = [place.user.summary or place.user.id for place in layer.users]
    until = f", until {layer.end:%Y-%m-%d}" if layer.end else ""
    windows = f", {len(layer.restrictions)} windows" if layer.restrictions else ""
    return f"{layer.name or layer.id}: {', '.join(names) or 'nobody'}; a turn of {_tell_turn(layer.rotation_turn_length_seconds)}{windows}{until}"


def _tell_turn(seconds: int) -> str:
    for size, name in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return f"{seconds // size} {name}{'s' * (seconds // size > 1)}"
    return f"{seconds} seconds"


def _tell_levels(policy: EscalationPolicy) -> list[str]:
    return [
        f"{number}. {', '.join(t.summary or t.id for t in rule.targets)}, then {rule.escalation_delay_in_minutes} min"
        + (" (round robin)" if rule.round_robin else "")
        for number, rule in enumerate(policy.escalation_rules, 1)
    ]


def _tell_contact(method) -> str:
    kind = method.type.removesuffix("_contact_method").replace("_", " ")
    code = f"+{method.country_code} " if method.country_code and kind in ("phone", "sms", "whatsapp") else ""
    return f"{kind}: {code}{method.address or 'a reference only'}" + (" (blocked)" if method.blacklisted else "")
