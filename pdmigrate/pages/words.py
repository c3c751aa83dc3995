"""Words and small tables that several pages share."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.mapped import Outcome
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.pages.explained import link_question
from pdmigrate.pages.show import Columns, Section, Table, Tag, make_table
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.plan.actions import Action
from pdmigrate.plan.answers import Conflict
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.telling import Naming, name_plainly, tell, tell_new

KIND_NAMES = {name: kind.label for name, kind in KINDS.items()}
GRADE_WORDS = {"exact": "exact", "changed": "changed", "handed_over": "to do by hand", "lost": "not carried over"}
TONES = {"exact": "good", "changed": "warn", "handed_over": "warn", "lost": "bad"}


def warn_if(attention: object) -> str:
    """The tone of a figure that is good as long as there is none of it."""
    return "warn" if attention else "good"


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


def section_counts(draft: Draft, landed: bool = False, listed: bool = False) -> Section:
    """What becomes of every object in scope; the five add up to the source's count, and where they do not it is said.

    listed: whether those that are changed stand below on the same page.
    """
    waiting = draft.count_waiting(landed)
    counts = {
        kind: {**count, "waiting": waiting[kind], "lost": count["lost"] - waiting[kind]}
        for kind, count in draft.count_kinds(landed).items()
    }
    table = table_counts(
        counts,
        {
            "In PagerDuty": "in_source",
            "Exact": "exact",
            "Changed (listed below)" if listed else "Changed": "changed",
            "To do by hand": "handed_over",
            "Waits for your answer": "waiting",
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
    names = tell_apart(schedules)
    columns: Columns[tuple[ScheduleParity, int, int, frozenset[str], frozenset[str]]] = {
        "Schedule": lambda one: names[one[0].id],
        "Time zone": lambda one: one[0].time_zone,
        "From": lambda one: format_instant(one[1], one[0].time_zone),
        "To": lambda one: format_instant(one[2], one[0].time_zone),
        sides[0]: lambda one: ", ".join(sorted(map(name, one[3]))) or "nobody",
        sides[1]: lambda one: ", ".join(sorted(map(name, one[4]))) or "nobody",
        "Reason": lambda one: one[0].compared.describe(one[1], one[2]),
    }
    rows = [(s, *difference) for s in schedules for difference in s.differences]
    table = make_table(rows, columns, "No second differs." if schedules else none)
    return Section("Differences", table=table, anchor="differences", open_up_to=open_up_to)


class Named(Protocol):
    """What has a name that something else may have, too."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


def tell_apart(things: Iterable[Named]) -> dict[str, str]:
    """The name of each by its id; of several of one name, with the id."""
    names = {thing.id: thing.name for thing in things}
    times = Counter(name.casefold() for name in names.values())
    return {id: f"{name} ({id})" if times[name.casefold()] > 1 else name for id, name in names.items()}


def tag_outcome(draft: Draft, outcome: Outcome) -> Tag:
    """What becomes of an object. What waits for an answer is neither lost nor an error."""
    if outcome.grade == "lost" and (outcome.kind, outcome.id) in draft.waiting:
        return Tag("waits for your answer")
    return Tag(GRADE_WORDS[outcome.grade], TONES[outcome.grade])


def section_outcomes(draft: Draft) -> Section:
    """Every object that is not carried over exactly, and why."""
    columns: Columns[Outcome] = {
        "Kind": lambda f: KIND_NAMES[f.kind],
        "Name": lambda f: f.name,
        "PagerDuty id": lambda f: f.id,
        "What becomes of it": lambda f: tag_outcome(draft, f),
        "Why": lambda f: f.reason,
    }
    rows = [f for f in draft.mapped.outcomes if f.grade != "exact"]
    table = make_table(rows, columns, "Everything is carried over exactly.")
    return Section(
        "Not exactly the same",
        "Changed, to do by hand, waiting for your answer, or not carried over: each with its reason.",
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
        "What becomes of it": lambda one: Tag(GRADE_WORDS[one[2]], TONES[one[2]]),
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
        "Recommended": lambda conflict: (
            conflict.recommended.replace("_", " ") + ", which changes who is paged" * conflict.changes_paging
        ),
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
