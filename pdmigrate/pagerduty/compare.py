"""What changed in the source between two snapshots: configuration only, object by object, field by field. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pdmigrate.pagerduty.account import Account, dump_record
from pdmigrate.pagerduty.records import Problem


@dataclass(frozen=True)
class SourceChange:
    """One object that is not what it was.

    what: created, changed, gone, unreadable, unreadable no more. fields: the names of what is different; of the last two, why.
    """

    kind: str
    id: str
    name: str
    what: str
    fields: tuple[str, ...] = ()


def compare_accounts(before: Account, after: Account) -> list[SourceChange]:
    """All changes by kind and id; none exactly where both have one digest, which is over the same things."""
    old, new = _gather(before), _gather(after)
    changes = []
    for kind, id in sorted({*old, *new}):
        had, has = old[kind, id], new[kind, id]
        one, other = ([dump_record(record) for record in records] for records in (had, has))
        if one != other:
            what = "created" if not had else "gone" if not has else "changed"
            fields = _name_fields(one, other) if had and has else ()
            changes.append(SourceChange(kind, id, [*had, *has][-1].name, what, fields))
    if before.subdomain != after.subdomain:
        changes.append(SourceChange("account", before.subdomain, after.subdomain, "changed", ("subdomain",)))
    return [*changes, *_compare_problems(before.problems, after.problems)]


def _gather(account: Account) -> dict[tuple[str, str], list[Any]]:
    """The records by kind and id: two of a schedule that stands in both lists, layer-based and shift-based."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for kind, records in account.list_configured():
        for id, record in records.items():
            found[kind, id].append(record)
    return found


def _name_fields(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> tuple[str, ...]:
    """The fields that are not in both as they are; `type` where a schedule is of another sort, or of both sorts now."""
    if [row.keys() for row in old] != [row.keys() for row in new]:
        return ("type",)
    pairs = ((name, one[name], other[name]) for one, other in zip(old, new, strict=True) for name in one)
    return tuple(dict.fromkeys(name for name, one, other in pairs if one != other))


def _compare_problems(before: tuple[Problem, ...], after: tuple[Problem, ...]) -> Iterator[SourceChange]:
    """Rows that cannot be read any more, or only now can; one that says the same twice counts twice."""
    old, new = Counter(before), Counter(after)
    for problem in sorted(old | new, key=lambda one: (one.kind, one.id, one.message)):
        if old[problem] != new[problem]:
            word = "unreadable" if new[problem] > old[problem] else "unreadable no more"
            yield SourceChange(problem.kind, problem.id, problem.name, word, (problem.message,))
