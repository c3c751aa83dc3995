"""Words and small tables that several pages share."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.mapped import Outcome
from pdmigrate.oncall.rota import Rota, to_datetime, to_instant
from pdmigrate.pages.explained import link_question
from pdmigrate.pages.show import Columns, Section, Table, Tag, make_table
from pdmigrate.pages.timeline import Bar, Lane, draw_timeline
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.plan.actions import Action
from pdmigrate.plan.answers import Conflict
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.telling import Naming, name_plainly, tell, tell_new

KIND_NAMES = {name: kind.label for name, kind in KINDS.items()}
Layers = Iterable[tuple[str, Iterable[Rota]]]
TONES = {"exact": "good", "changed": "warn", "handed_over": "warn", "lost": "bad"}


def warn_if(attention: object) -> str:
    """The tone of a figure that is good as long as there is none of it."""
    return "warn" if attention else "good"


def count_things(number: int, thing: str) -> str:
    """1 object, 2 objects, no object."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}" if number else f"no {thing}"


def format_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def format_instant(instant: int, zone: str) -> str:
    return f"{to_datetime(instant).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def format_requests(requests: int, retries: int) -> str:
    """How many requests were made, and how many of them were repeats."""
    return f"{requests:,}" + (f", {retries:,} of them repeats" if retries else "")


def format_hours(seconds: int) -> str:
    return f"{seconds / 3600:,.1f} h"


def format_percent(part: int, whole: int) -> str:
    """Never rounded up to 100: only all of it is all of it."""
    if part == whole:
        return "100.000 %"
    return f"{min(99.999, 100 * part / whole):.3f} %"


def section_counts(draft: Draft, landed: bool = False) -> Section:
    """What becomes of every object in scope; the four add up to the source's count, and where they do not it is said."""
    table = table_counts(
        draft.count_kinds(landed),
        {
            "In PagerDuty": "in_source",
            "Exact": "exact",
            "Changed, and said": "changed",
            "For a person to make": "handed_over",
            "Not carried over": "lost",
        },
    )
    wrong = draft.miscounted
    text = (
        f"The counts do not add up: {'; '.join(wrong)}."
        if wrong
        else "Every object in scope stands in exactly one column."
    )
    return Section("What becomes of everything", text, table)


def table_counts(counts: Mapping[str, Mapping[str, int]], columns: Mapping[str, str]) -> Table:
    """A line for each kind. Columns: the heading, and the name of the count beneath it."""
    numbers = {heading: lambda one, name=name: one[1][name] for heading, name in columns.items()}
    return make_table(counts.items(), {"Kind": lambda one: KIND_NAMES[one[0]], **numbers})


def section_differences(
    schedules: Sequence[ScheduleParity], name: Callable[[str], str], sides: tuple[str, str], none: str, open_up_to: int
) -> Section:
    """When somebody else is on call, and who. name: of a person. sides: what they are called. none: no schedule is there."""
    columns: Columns[tuple[ScheduleParity, int, int, frozenset[str], frozenset[str]]] = {
        "Schedule": lambda one: one[0].name,
        "From": lambda one: format_instant(one[1], one[0].time_zone),
        "To": lambda one: format_instant(one[2], one[0].time_zone),
        sides[0]: lambda one: ", ".join(sorted(map(name, one[3]))) or "nobody",
        sides[1]: lambda one: ", ".join(sorted(map(name, one[4]))) or "nobody",
        "Reason": lambda one: one[0].compared.describe(one[1], one[2]),
    }
    rows = [(s, *difference) for s in schedules for difference in s.differences]
    table = make_table(rows, columns, "No second differs." if schedules else none)
    return Section("Differences", table=table, open_up_to=open_up_to)


def section_outcomes(draft: Draft) -> Section:
    """Every object that is not carried over exactly, and why."""
    columns: Columns[Outcome] = {
        "Kind": lambda f: KIND_NAMES[f.kind],
        "Name": lambda f: f.name,
        "PagerDuty id": lambda f: f.id,
        "What becomes of it": lambda f: Tag(f.grade.replace("_", " "), TONES[f.grade]),
        "Why": lambda f: f.reason,
    }
    rows = [f for f in draft.mapped.outcomes if f.grade != "exact"]
    table = make_table(rows, columns, "Everything is carried over exactly.")
    return Section(
        "Not exactly the same",
        "Changed, handed to a person, or not carried over: each with its reason.",
        table,
        open_up_to=40,
    )


def section_fields(draft: Draft) -> Section:
    """What of their fields stays behind or is changed, the same said once: also what leaves its object exact."""
    said: Counter[tuple[str, str, str, str]] = Counter(
        (outcome.kind, one.field, one.grade, one.reason)
        for outcome in draft.mapped.outcomes
        for one in outcome.fields
        if one.grade != "exact"
    )
    order = list(KIND_NAMES)
    columns: Columns[tuple[str, str, str, str]] = {
        "Kind": lambda one: KIND_NAMES[one[0]],
        "Field": lambda one: one[1].replace("_", " "),
        "What becomes of it": lambda one: Tag(one[2].replace("_", " "), TONES[one[2]]),
        "Why": lambda one: one[3],
        "Objects": lambda one: said[one],
    }
    rows = sorted(said, key=lambda one: (order.index(one[0]), one))
    table = make_table(rows, columns, "Every field is carried over exactly.")
    note = "What pages nobody leaves its object exact, and is said here."
    return Section("Fields that are not exactly the same", note, table, open_up_to=40)


def section_conflicts(conflicts: Iterable[Conflict], title: str, empty: str) -> Section:
    """Questions with what they mean for paging and what each option will do."""
    columns: Columns[Conflict] = {
        "Class": lambda conflict: link_question(conflict.about),
        "Object": lambda conflict: " · ".join(filter(None, (conflict.name, conflict.note))),
        "Id": lambda conflict: conflict.id,
        "Question": lambda conflict: conflict.question,
        "What it means for paging": lambda conflict: conflict.meaning,
        "Recommended": lambda conflict: conflict.recommended.replace("_", " "),
        "Options": lambda conflict: [f"{o.name.replace('_', ' ')}: {o.effect}" for o in conflict.options],
    }
    return Section(title, table=make_table(conflicts, columns, empty))


def list_changes(action: Action, name: Naming = name_plainly) -> list[str]:
    """What will be otherwise, in words. name: of people, schedules, groups and policies."""
    if action.before is None:
        return tell_new(action.wanted, name) or ["new"]
    if action.after is None:
        return ["taken back"]
    return [said for field, before, after in action.changes() for said in tell(field, after, before, name=name)]


def name_people(draft: Draft) -> dict[str, str]:
    """The name behind each email that is paged."""
    users = draft.account.users
    return {email: users[id].name for id, email in draft.mapped.emails.items() if id in users}


def make_bars(rota: Rota, names: Mapping[str, str]) -> tuple[Bar, ...]:
    """A rota as bars of a timeline, with people's names where they are known."""
    people = [(s, e, ", ".join(sorted(names.get(p, p) for p in who))) for s, e, who in rota.entries]
    return tuple(Bar(to_datetime(s), to_datetime(e), text, text) for s, e, text in people)


def draw_sides(
    s: ScheduleParity,
    since: datetime,
    until: datetime,
    names: Mapping[str, str],
    harness: bool = True,
    layers: tuple[Layers, Layers] | None = None,
) -> str:
    """Both sides of a schedule as lanes, with what differs marked. harness: whether the target is drawn.

    layers: what goes into each side, above its result.
    """
    start, end = to_instant(since), to_instant(until)
    before, after = (
        [Lane(name, tuple(bar for rota in alone for bar in make_bars(rota, names))) for name, alone in side]
        for side in layers or ((), ())
    )
    lanes = [*before, Lane("PagerDuty", make_bars(s.before.clip(start, end), names), layers is not None)]
    lanes += [*after, Lane("Harness", make_bars(s.after.clip(start, end), names), True)] * harness
    spans = [(max(a, start), min(b, end)) for a, b, _, _ in s.differences if a < end and b > start]
    marks = [(to_datetime(a), to_datetime(b)) for a, b in spans]
    return draw_timeline(lanes, since, until, s.time_zone, s.name, marks)
