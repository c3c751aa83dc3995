"""The page Account survey: how big and how odd the account is, before anything is planned. `preview` writes it.

Not to be mixed up with `pdmigrate survey`, which keeps what a target has in a file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from operator import itemgetter
from typing import Any

from pdmigrate.handover.items import STAGES
from pdmigrate.mapping.scope import list_records
from pdmigrate.oncall.words import format_number
from pdmigrate.pagerduty.dependents import DEPENDENTS, LISTED, Dependent, list_dependents
from pdmigrate.pagerduty.shapes import SHAPES, TRAITS, choose_shape
from pdmigrate.pages.show import Figure, Link, Page, Section, Tag, make_table
from pdmigrate.pages.stale import list_stale, section_stale
from pdmigrate.pages.words import KIND_NAMES, format_requests, format_time, warn_if
from pdmigrate.plan.answers import Conflict
from pdmigrate.plan.effort import WHO, Effort, list_hours
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.preview import Preview

NAMED = 5
"""So many objects are named in a cell; the others are counted."""
NO_WORK = ("tags", "licenses", "service_dependencies")
"""Dependents that are decided on once for all of them, and are no work each."""


def make_page(preview: Preview, minutes: Mapping[str, tuple[int, int]]) -> Page:
    """The whole page. minutes: in place of those of plan/effort.py, from migration.yaml."""
    account, asked = preview.draft.account, _list_questions(preview)
    dependents, stale = list_dependents(preview.snapshot.rows), list(list_stale(preview))
    hours = list_hours(_count_work(preview, dependents, len(stale)), minutes)
    low, high = _add_up(hours)
    unknown = [kind for kind in DEPENDENTS if kind not in preview.snapshot.rows or kind in account.unread]
    blind = f" ({_count(unknown, 'kind')} unknown)" if unknown else ""
    lead = (
        f"{_count(account.services, 'service')}, {_count(account.all_schedules, 'schedule')}, "
        f"{_count(account.policies, 'escalation policy')}, {_count(account.users, 'user')}. {_count(asked, 'question')} "
        f"to answer, {_count(stale, 'thing')} perhaps not needed any more. What else hangs on PagerDuty: {len(dependents)}{blind}. By the "
        f"assumptions below all of this is {low:,.0f} to {high:,.0f} hours of work, for all who take part."
    )
    unread = len(account.unread) + len(account.hidden)
    figures = (
        Figure("Questions", str(len(asked)), warn_if(len(preview.draft.open))),
        Figure(f"Also talk to PagerDuty{blind}", str(len(dependents)), warn_if(dependents or unknown)),
        Figure("Perhaps not needed", str(len(stale))),
        Figure("Could not be read", str(unread), warn_if(unread)),
        Figure("Hours", f"{low:,.0f}–{high:,.0f}"),
    )
    facts = (
        ("Account", account.host or account.subdomain or "not known"),
        ("Data as of", format_time(preview.snapshot.taken)),
        ("Requests to PagerDuty", format_requests(preview.snapshot.requests, preview.snapshot.retries)),
    )
    sections = (
        section_size(preview),
        section_shapes(preview),
        section_zones(preview),
        section_questions(preview),
        section_by_hand(preview),
        section_stale(preview, stale),
        section_dependents(preview, dependents),
        section_each(dependents),
        section_unread(preview),
        section_hours(preview, hours),
    )
    return Page("survey", "Account survey", lead, figures=figures, facts=facts, sections=sections)


# --- how big ---


PARTS = {
    "contact_methods": ("users", "contact_methods"),
    "notification_rules": ("users", "notification_rules"),
    "overrides": ("schedules", "overrides_subschedule"),
    "senders": ("services", "integrations"),
}
"""What stands in other objects: in which, and as what it is called there."""


def _count_unread(preview: Preview, kind: str) -> int:
    """Of how many objects this part was not read: they are in no count of it."""
    holder, part = PARTS.get(kind, ("", ""))
    records = list_records(preview.draft.account).get(holder, {})
    return sum(part in getattr(record, "unread", ()) for record in records.values())


def _with_unread(preview: Preview, label: str, kind: str) -> str:
    number = _count_unread(preview, kind)
    return f"{label} (those of {number} {PARTS[kind][0]} were not read)" if number else label


def section_size(preview: Preview) -> Section:
    """Objects by kind: in the account, and in scope."""
    account, out = preview.draft.account, preview.draft.count_out_of_scope()
    inside = {kind: counts["in_source"] for kind, counts in preview.draft.count_kinds().items()}
    rows = [
        (_with_unread(preview, KIND_NAMES[kind], kind), inside[kind] + out.get(kind, 0), inside[kind]) for kind in KINDS
    ]
    senders = sum(len(service.integrations) for service in account.services.values())
    rows.append((_with_unread(preview, "Senders (integrations)", "senders"), senders, _count_senders(preview)))
    rows += [(f"{_label(kind)} (not carried over)", number, 0) for kind, number in account.inventory.items()]
    columns: dict[str, Callable[[Any], Any]] = {
        "Kind": lambda row: row[0],
        "In PagerDuty": lambda row: row[1],
        "In scope": lambda row: row[2],
    }
    odd = len(account.problems) + len(account.remarks)
    text = "Overrides are those that are not over. " + (
        f"{format_number(odd, 'thing')} arrived otherwise than PagerDuty documents: see the page Preview."
        if odd
        else ""
    )
    return Section("How big it is", text, make_table(rows, columns))


def _in_scope(preview: Preview, kind: str) -> list[Any]:
    """The records of a kind that are in scope."""
    reasons = preview.draft.reasons[kind]
    return [record for id, record in list_records(preview.draft.account)[kind].items() if id in reasons]


def _count_senders(preview: Preview) -> int:
    return sum(len(service.integrations) for service in _in_scope(preview, "services"))


def section_shapes(preview: Preview) -> Section:
    """Schedules by shape, then by what they have beside it."""
    account = preview.draft.account
    by_shape: dict[str, list[str]] = {}
    for one in account.all_schedules.values():
        by_shape.setdefault(choose_shape(one, account.since), []).append(one.name)
    rows = [(shape, by_shape[shape], means) for shape, means in SHAPES.items() if shape in by_shape]
    for trait, (has, means) in TRAITS.items():
        names = [one.name for one in account.all_schedules.values() if has(one, account.since)]
        rows += [(f"With: {trait[0].lower()}{trait[1:]}", names, means)] * bool(names)
    table = make_table(
        rows,
        {
            "Shape": lambda row: row[0],
            "Schedules": lambda row: len(row[1]),
            "What it means": lambda row: row[2],
            "Which": lambda row: _name_some(row[1]),
        },
        "There is no schedule.",
    )
    return Section(
        "Schedules by shape",
        "Each has one shape; what it has beside that stands in the rows that begin with 'With'.",
        table,
    )


def section_zones(preview: Preview) -> Section:
    """Time zones of schedules and of people."""
    account = preview.draft.account
    schedules = Counter(one.time_zone for one in account.all_schedules.values())
    people = Counter(user.time_zone or "none" for user in account.users.values())
    zones = sorted({*schedules, *people}, key=lambda zone: (-schedules[zone], -people[zone], zone))
    columns: dict[str, Callable[[str], Any]] = {
        "Time zone": str,
        "Schedules": lambda zone: schedules[zone],
        "People": lambda zone: people[zone],
    }
    return Section("Time zones", table=make_table(zones, columns), open_up_to=12)


# --- what will be asked, and what is for people to make ---


def _list_questions(preview: Preview) -> list[Conflict]:
    return [*preview.draft.open.values(), *(one.conflict for one in preview.draft.answered.values())]


def section_questions(preview: Preview) -> Section:
    """Questions by class, those that somebody has answered already among them."""
    by_class: dict[str, list[Conflict]] = {}
    for one in _list_questions(preview):
        by_class.setdefault(one.about, []).append(one)
    answered = preview.draft.count_conflicts()["decided"]
    table = make_table(
        sorted(by_class.items(), key=lambda one: (-len(one[1]), one[0])),
        {
            "Class": lambda one: one[0].replace("_", " "),
            "Questions": lambda one: len(one[1]),
            "Answered": lambda one: answered.get(one[0], 0),
            "About": lambda one: _name_some(conflict.name for conflict in one[1]),
            "For example": lambda one: one[1][0].question,
        },
        "Nothing is asked.",
    )
    note = "As things stand in scope. An answer may bring up another question, and one may do for a whole class."
    return Section("What will be asked", note, table)


def _new_people(preview: Preview) -> int:
    """How many in scope have no account that is accepted, by the email that PagerDuty has."""
    people = {email.lower() for email, person in preview.draft.state.people.items() if person.accepted}
    return sum(user.email.strip().lower() not in people for user in _in_scope(preview, "users"))


def _list_by_hand(preview: Preview) -> Iterator[tuple[str, int, str]]:
    """What stage of the handover, how many, and why a person has to."""
    draft, services = preview.draft, len(_in_scope(preview, "services"))
    countries = sum(map(len, draft.mapped.unserved.values()))
    yield (
        STAGES["countries"],
        countries,
        "phone and SMS methods in countries that Harness does not serve: weeks ahead",
    )
    yield STAGES["users"], _new_people(preview), "an invitation is accepted by the person alone"
    push = sum(one.type.startswith("push") for user in _in_scope(preview, "users") for one in user.contact_methods)
    yield "Install the app", push, "the app registers itself on its owner's telephone"
    if not draft.state.oncall:
        why = "Harness publishes no API for it: typed in from the files of the handover"
        counts = draft.count_kinds()
        for kind in (kind for kind in KINDS if KINDS[kind].contract):
            yield STAGES[kind], counts[kind]["in_source"], why
        yield STAGES["services"], services, why
        yield STAGES["alert_rules"], services, why
    why = "each sender holds PagerDuty's address: only its owner can give it Harness's"
    yield _with_unread(preview, STAGES["integrations"], "senders"), _count_senders(preview), why
    routers = sum(
        one.kind in ("event_orchestrations", "rulesets") and bool(one.matters) for one in draft.account.not_carried
    )
    yield (
        "Split what routes alerts",
        routers,
        "rules that route or suppress are not carried over: see Stays behind in Preview",
    )


def section_by_hand(preview: Preview) -> Section:
    """What no run can do."""
    columns: dict[str, Callable[[Any], Any]] = {
        "What": lambda row: row[0],
        "How many": lambda row: row[1],
        "Why": lambda row: row[2],
    }
    rows = [row for row in _list_by_hand(preview) if row[1] or "not read" in row[0]]
    return Section(
        "To do by hand",
        "In scope, whatever the answers will be. After load the handover has each with its file and its link.",
        make_table(rows, columns, "Nothing is left to people."),
    )


# --- who else talks to PagerDuty ---


def section_dependents(preview: Preview, dependents: Iterable[Dependent]) -> Section:
    """Each kind with what to do about it; one that was not read, or not asked for, is no zero."""
    numbers, rows = Counter(one.kind for one in dependents), preview.snapshot.rows
    unread = preview.draft.account.unread

    def count(kind: str) -> int | Tag:
        if kind in unread:
            return Tag("could not be read", "warn")
        asked = kind in rows or kind not in DEPENDENTS
        return numbers[kind] if asked else Tag("not asked")

    table = make_table(
        LISTED,
        {
            "Kind": lambda kind: LISTED[kind].label,
            "Number": count,
            "What they do today": lambda kind: LISTED[kind].does,
            "What to do": lambda kind: LISTED[kind].then,
        },
    )
    note = "None of it is carried over, and none of it is in the plan: each is for a person."
    if not any(kind in rows for kind in DEPENDENTS):
        note += " This data was taken without them: run preview on the account with source.dependents: true."
    return Section("Who else talks to PagerDuty", note, table)


def section_each(dependents: Iterable[Dependent]) -> Section:
    """Each of them, with its owner and a link."""
    table = make_table(
        dependents,
        {
            "Kind": lambda one: LISTED[one.kind].label,
            "Name": lambda one: one.name,
            "Sort": lambda one: one.sort,
            "Hangs on": lambda one: list(one.on),
            "Owner, or the team of what it hangs on": lambda one: one.owner or "not said",
            "State": lambda one: Tag(one.state, "plain") if one.state else "",
            "In PagerDuty": lambda one: Link(one.opens, one.link) if one.link else "",
        },
        "None is known.",
    )
    note = "Addresses, keys and scripts are not kept: whoever needs one looks it up in PagerDuty."
    return Section("Each of them", note, table, level=3, open_up_to=60)


# --- what could not be read, and the hours ---


MEANS = {
    "absent": "the account does not have it: its plan leaves it out, or nothing is served there",
    "forbidden": "this key may not read it: an administrator's key, or a scope, is needed",
    "refused": "PagerDuty did not take the question: look it up in PagerDuty",
    "not answered": "no whole answer came: run preview again, or look it up in PagerDuty",
}
"""By the first word of what a snapshot keeps about a kind that was not read."""


def section_unread(preview: Preview) -> Section:
    """What is not known, in PagerDuty's words."""
    account = preview.draft.account
    rows = [(_label(kind), why, MEANS.get(why.partition(":")[0], "")) for kind, why in sorted(account.unread.items())]
    whole = {kind: frozenset(there) for kind, there in list_records(account).items()}
    hidden = [said for one in account.hidden if (said := one.describe(whole))]
    rows += [("Named, and in no list", said, "this key may not see it, or it is gone") for said in hidden]
    columns: dict[str, Callable[[Any], Any]] = {
        "What": lambda row: row[0],
        "PagerDuty's words": lambda row: row[1],
        "What it means": lambda row: row[2],
    }
    table = make_table(rows, columns, "Everything that was asked for was read.")
    return Section(
        "What could not be read", "Not read is not empty: the counts above are without it." * bool(rows), table
    )


def _label(kind: str) -> str:
    return LISTED[kind].label if kind in LISTED else KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


Hours = list[tuple[Effort, int, tuple[int, int], tuple[float, float]]]


def _count_work(preview: Preview, dependents: Iterable[Dependent], stale: int) -> dict[str, int]:
    draft = preview.draft
    counts = {kind: row["in_source"] for kind, row in draft.count_kinds().items()}
    by_hand = not draft.state.oncall
    return {
        "start": 1,
        "question": len(draft.open),
        "schedule": counts["schedules"],
        "schedule_by_hand": counts["schedules"] * by_hand,
        "policy_by_hand": counts["escalation_policies"] * by_hand,
        "service_by_hand": counts["services"] * by_hand,
        "team": counts["teams"],
        "sender": _count_senders(preview),
        "dependent": sum(one.kind not in NO_WORK for one in dependents),
        "stale": stale,
        "person": _new_people(preview),
    }


def _add_up(hours: Hours) -> tuple[float, float]:
    return sum(row[3][0] for row in hours), sum(row[3][1] for row in hours)


def _round(hours: float) -> float:
    return round(hours, 1)


def section_hours(preview: Preview, hours: Hours) -> Section:
    """The estimate, with its reasons and its sums by who works."""
    rows: list[tuple[Any, ...]] = [
        (e.what, _round(least), _round(most), e.who, number, f"{low}–{high}", e.why)
        for e, number, (low, high), (least, most) in hours
    ]
    sums = [("all", hours), *((who, [row for row in hours if row[0].who == who]) for who in WHO)]
    rows = [("All together", *map(_round, _add_up(part)), who, None, "", "") for who, part in sums if part] + rows
    names = ("Work", "Hours, at least", "At most", "Whose hours", "How many", "Minutes each", "Why")
    columns = dict(zip(names, map(itemgetter, range(len(names))), strict=True))
    note = (
        "The numbers are counted, the minutes are assumed: nobody has measured them here. Who knows better writes "
        "minutes: {sender: [5, 15]} in migration.yaml (the names stand in docs/walkthrough.md) and runs preview again."
    )
    unread = _count_unread(preview, "senders")
    note += f" The senders of {format_number(unread, 'service')} were not read, and are not in it." if unread else ""
    return Section("Hours, estimated", note, make_table(rows, columns))


def _count(things: Sized, noun: str) -> str:
    """As many as there are, in words: 1 policy, 2 policies."""
    number = len(things)
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def _name_some(names: Iterable[str]) -> list[str]:
    named = list(names)
    more = [f"and {len(named) - NAMED} more"] * (len(named) > NAMED)
    return [*named[:NAMED], *more]
