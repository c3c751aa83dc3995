"""What stays behind: fields that Harness has no place for, or nobody here knows, and records that cannot be used.

An unknown field that may decide who is paged is a question. It is asked once for all objects of a kind that have it, so
that one answer serves two hundred schedules, and asked again when another object has it.
"""

from collections.abc import Iterable
from typing import Any

from pdmigrate.mapping.mapped import (
    MOST_DESCRIPTION,
    FieldOutcome,
    Mapped,
    Stop,
    describe,
    judge_field,
    read_stop,
    stop_unless,
)
from pdmigrate.mapping.scope import FOLLOWED, list_needs, list_records
from pdmigrate.pagerduty.records import Noted, Problem, Reference
from pdmigrate.pagerduty.secrets import HIDDEN
from pdmigrate.plan.kinds import KINDS

SHOWN = 6
OPENS = "an address in it has a secret, which is not kept and not carried over"


def describe_left(record: Noted, pages: bool = True) -> list[FieldOutcome]:
    """An outcome for each field that stays behind. pages: False where the object pages nobody, so that none of them matters."""
    left = [FieldOutcome(one.path, "lost", one.reason, not (one.pages and pages)) for one in record.left_fields]
    words = "this version does not know {} and leaves it behind{}"
    unknown = [(one.path, words.format(one.path, ", by decision" * one.pages)) for one in record.unknown_fields]
    return left + [FieldOutcome(path, "lost", said) for path, said in unknown]


def describe_heading(record: Any, new: str, note: str = "", pages: bool = True) -> list[FieldOutcome]:
    """Name, description and what stays behind of an object that is called `new` in Harness, which allows fewer characters:
    the original name stands in the description."""
    text = "\n".join(filter(None, (note, record.description)))
    written = describe(record.name, new, text)
    cut = f"cut: it has {len(text)} characters, Harness takes {MOST_DESCRIPTION} together with the PagerDuty name"
    return [
        judge_field("name", "" if record.name == new else f"named {new!r} in Harness"),
        judge_field("description", OPENS if HIDDEN in text else "" if written.startswith(text) else cut),
        *describe_left(record, pages),
    ]


def describe_teams(mapped: Mapped, teams: Iterable[Reference]) -> FieldOutcome:
    """Harness knows one owner: the first team that is carried over."""
    teams = tuple(teams)
    owner = next((team for team in teams if team.id in mapped.groups), None)
    others = ", ".join(team.summary or team.id for team in teams if team is not owner)
    said = f"owned by {owner.summary or owner.id} alone" if owner else "owned by no team"
    return judge_field(
        "teams", f"{said}: Harness has one owner, and in PagerDuty it is also in {others}" if others else ""
    )


def stop_unknown(mapped: Mapped, kind: str, record: Noted) -> Stop | None:
    """Why the object does not move: something in it that may decide who is paged is not known, and nobody said ignore."""
    stops = [_read_answer(mapped, kind, found.path) for found in record.unknown_fields if found.pages]
    return min((stop for stop in stops if stop), key=lambda stop: stop.waits, default=None)


def _read_answer(mapped: Mapped, kind: str, path: str) -> Stop | None:
    holders = _list_holders(mapped, kind, path)
    field, _, value = path.partition("=")
    words = {
        "what": f"{field} set to {value}" if value else f"the field {field}",
        "number": len(holders),
        "kinds": KINDS[kind].label.lower(),
        "shown": ", ".join(holders[:SHOWN]) + (f" and {len(holders) - SHOWN} more" if len(holders) > SHOWN else ""),
    }
    answer = mapped.ask("unknown_field", kind, f"{kind}/{path}", path, detail=", ".join(holders), **words)
    return stop_unless("ignore", answer, f"it has {path}, which this version does not know")


def _list_holders(mapped: Mapped, kind: str, path: str) -> list[str]:
    """Who in scope has it, as 'name (id)', in one order."""
    if not mapped.holders:
        kinds = ("schedules", "escalation_policies", "services")
        there = [(one, f"{record.name} ({record.id})", record) for one in kinds for record in mapped.in_scope(one)]
        rules = ((user, rule) for user in mapped.in_scope("users") for rule in user.notification_rules)
        there += [("notification_rules", f"{user.name} ({rule.id})", rule) for user, rule in rules]
        for each, holder, record in there:
            for found in record.unknown_fields:
                mapped.holders.setdefault((each, found.path), []).append(holder)
    return sorted(mapped.holders[kind, path])


# --- records that arrived in a form that cannot be used: whatever needs one waits for its answer ---

MEANINGS = {
    "users": "Whoever it is may be on call today, and nobody can say under which address.",
    "teams": "Groups page nobody by themselves; what belongs to this team has no owner.",
    "schedules": "Nobody can say who is on call in it.",
    "escalation_policies": "Nobody can say whom it pages, or when.",
    "services": "Its alerts page somebody today, and nobody can say whom.",
}


def lose_unusable(mapped: Mapped) -> None:
    """Ask about each that the account, or what was chosen of it, needs; the others stay behind with the scope."""
    whole = all(mapped.scope[kind] == records.keys() for kind, records in list_records(mapped.account).items())
    needs = (list_needs(mapped.account, kind, one) for kind in FOLLOWED for one in mapped.in_scope(kind))
    named = set() if whole else {one.id for need in needs for _, references, _ in need for one in references}
    for problem in mapped.account.problems:
        if whole or problem.id in named:
            said = {"message": problem.message, "meaning": MEANINGS[problem.kind]}
            answer = mapped.ask("unusable_record", problem.kind, problem.id, problem.name, **said)
            mapped.stop(problem.kind, problem, [read_stop(answer, describe_unusable(problem))])
        else:
            reason = f"outside the scope; {describe_unusable(problem)}"
            mapped.lose(problem.kind, problem.id, problem.name, reason, decided="rule:scope")


def find_unusable(mapped: Mapped, kind: str, id: str) -> Problem | None:
    """What is wrong with a record that arrived; None where none of that id did, or where it can be used."""
    return mapped.account.unusable.get((kind, id))


def describe_unusable(problem: Problem) -> str:
    """What is wrong with it, as a reason."""
    return f"it arrived in a form that cannot be used: {problem.message}"
