"""Words and small tables that several pages share."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.rota import Rota, to_datetime
from pdmigrate.pages.report import Section, Tag, make_table
from pdmigrate.pages.timeline import Bar
from pdmigrate.plan.actions import Action
from pdmigrate.plan.answers import Conflict
from pdmigrate.plan.kinds import KINDS

KIND_NAMES = {name: kind.label for name, kind in KINDS.items()}
TONES = {"exact": "good", "changed": "warn", "handed_over": "warn", "lost": "bad"}


def tell_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def tell_instant(instant: int, zone: str) -> str:
    return f"{to_datetime(instant).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def tell_requests(requests: int, retries: int) -> str:
    """How many requests were made, and how many of them were repeats."""
    return f"{requests:,}" + (f", {retries:,} of them repeats" if retries else "")


def tell_hours(seconds: int) -> str:
    return f"{seconds / 3600:,.1f} h"


def percent(part: int, whole: int) -> str:
    """Never rounded up to 100: only all of it is all of it."""
    if part == whole:
        return "100.000 %"
    return f"{min(99.999, 100 * part / whole):.3f} %"


def section_counts(draft: Draft, landed: bool = False) -> Section:
    """What becomes of every object in scope; the four add up to the source's count, and where they do not it is said."""
    rows = [{"kind": KIND_NAMES[kind], **counts} for kind, counts in draft.count_kinds(landed).items()]
    columns = {
        "kind": "Kind",
        "in_source": "In PagerDuty",
        "exact": "Exact",
        "changed": "Changed, and said",
        "handed_over": "For a person to make",
        "lost": "Not carried over",
    }
    wrong = draft.miscounted
    text = (
        f"The counts do not add up: {'; '.join(wrong)}."
        if wrong
        else "Every object in scope stands in exactly one column."
    )
    return Section("What becomes of everything", text, make_table(rows, columns))


def section_fates(draft: Draft) -> Section:
    """Every object that is not carried over exactly, and why."""
    rows = [
        {
            "kind": KIND_NAMES[f.kind],
            "name": f.name,
            "id": f.id,
            "grade": Tag(f.grade.replace("_", " "), TONES[f.grade]),
            "reason": f.reason,
        }
        for f in draft.work.fates
        if f.grade != "exact"
    ]
    columns = {"kind": "Kind", "name": "Name", "id": "PagerDuty id", "grade": "What becomes of it", "reason": "Why"}
    table = make_table(rows, columns, empty="Everything is carried over exactly.")
    return Section(
        "Not exactly the same",
        "Changed, handed to a person, or not carried over: each with its reason.",
        table,
        folded=len(rows) > 40,
    )


def section_fields(draft: Draft) -> Section:
    """What of their fields stays behind or is changed, the same said once: also what leaves its object exact."""
    said = Counter(
        (fate.kind, one.field, one.grade, one.reason)
        for fate in draft.work.fates
        for one in fate.fields
        if one.grade != "exact"
    )
    order = list(KIND_NAMES)
    rows = [
        {
            "kind": KIND_NAMES[kind],
            "field": field.replace("_", " "),
            "grade": Tag(grade.replace("_", " "), TONES[grade]),
            "reason": reason,
            "objects": number,
        }
        for (kind, field, grade, reason), number in sorted(said.items(), key=lambda one: (order.index(one[0][0]), *one))
    ]
    columns = {"kind": "Kind", "field": "Field", "grade": "What becomes of it", "reason": "Why", "objects": "Objects"}
    note = "What pages nobody leaves its object exact, and is said here."
    table = make_table(rows, columns, empty="Every field is carried over exactly.")
    return Section("Fields that are not exactly the same", note, table, folded=len(rows) > 40)


def section_conflicts(conflicts: Iterable[Conflict], title: str, empty: str) -> Section:
    """Questions with what they mean for paging and what each option will do."""
    rows = [
        {
            "about": conflict.about.replace("_", " "),
            "name": conflict.name,
            "id": conflict.id,
            "question": conflict.question,
            "meaning": conflict.meaning,
            "recommended": conflict.recommended.replace("_", " "),
            "options": [f"{o.name.replace('_', ' ')}: {o.effect}" for o in conflict.options],
        }
        for conflict in conflicts
    ]
    columns = {
        "about": "Class",
        "name": "Object",
        "id": "Id",
        "question": "Question",
        "meaning": "What it means for paging",
        "recommended": "Recommended",
        "options": "Options",
    }
    return Section(title, table=make_table(rows, columns, empty=empty))


def list_changes(action: Action) -> list[str]:
    """Field by field, before and after, short enough to be read."""
    if action.before is None:
        return ["new"]
    if action.after is None:
        return ["taken back"]
    return [f"{name}: {_brief(before)} → {_brief(after)}" for name, before, after in action.changes()]


def name_people(draft: Draft) -> dict[str, str]:
    """The name behind each email that is paged."""
    users = draft.account.users
    return {email: users[id].name for id, email in draft.work.emails.items() if id in users}


def make_bars(rota: Rota, names: dict[str, str]) -> tuple[Bar, ...]:
    """A rota as bars of a timeline, with people's names where they are known."""
    people = [(s, e, ", ".join(sorted(names.get(p, p) for p in who))) for s, e, who in rota.entries]
    return tuple(Bar(to_datetime(s), to_datetime(e), text, text) for s, e, text in people)


def _brief(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} entries" if value and isinstance(value[0], dict) else ", ".join(map(str, value)) or "none"
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
