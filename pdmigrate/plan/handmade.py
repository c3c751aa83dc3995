"""What people have changed in Harness by hand, where that changes who is on call or who is paged: a question, always.

It is asked for each state of what Harness has, whatever the strategy, and says the effect: before and after in words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pdmigrate.harness.records import AlertRule, State
from pdmigrate.plan.actions import Desired, Fields
from pdmigrate.plan.answers import CLASSES, Conflict, Option
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.rules import Strategy
from pdmigrate.plan.telling import brief, tell
from pdmigrate.wire.canonical import canonical_json

KEEP, TAKE, RESTORE = "keep_harness", "take_source", "restore"
EFFECTS = {
    "changed_in_both": ("what people changed in Harness stays", "what PagerDuty says takes its place"),
    "changed_in_harness": ("Harness goes on paging as it was changed", "restored: it pages as PagerDuty says again"),
    "kept_in_harness": (
        "what people changed in Harness stays",
        "restored: what PagerDuty says is written to Harness again",
    ),
    "removed_in_target": ("it is made again, as PagerDuty says", "it stays removed, and so does what would need it"),
}
"""By class, what each of its options does, in their order; of changed_in_harness where nothing more can be said."""
KEPT_THERE = "changed in Harness and kept: "
"""How the reason of an action begins that leaves fields as people changed them."""


@dataclass(frozen=True)
class ByHand:
    """What people have changed in Harness: a field, or one rotation of it. both: PagerDuty has changed it as well.

    beside: PagerDuty alone has changed it, and what was in Harness before us would change with it.
    """

    field: str
    part: str
    have: Any
    want: Any
    both: bool
    beside: bool = False


def list_paging(kind: str, identifier: str, state: State) -> frozenset[str]:
    """The fields of an object that decide who is paged."""
    if kind == "teams":
        return frozenset({"users"} if identifier in state.paged_groups else ())
    return KINDS[kind].paging


def ask_changed(wish: Desired, changes: Iterable[ByHand], have: Fields, after: Fields, strategy: Strategy) -> Conflict:
    """Whether what people have changed in Harness is right. An answer is for this state of it.

    have, after: the object as it is, and as it will be if that is kept.
    """
    changes = list(changes)
    who = "in Harness, and in PagerDuty as well," if any(change.both for change in changes) else "in Harness"
    who = "in PagerDuty" if all(change.beside for change in changes) else who
    told = "; ".join(phrase for change in changes for phrase in _describe(change))
    clock, moved = _describe_clock(changes, have.get("time_zone"), after.get("time_zone"))
    detail = [[c.field, c.part, c.have, c.want] for c in changes]
    asked = make_question(
        (wish.kind, wish.key, wish.name),
        f"Changed {who} since the last run: {told}{clock}.",
        _describe_effects(changes),
        strategy,
        detail,
    )
    return asked.model_copy(update={"meaning": moved + asked.meaning})


def ask_dropped(key: str, name: str, have: Fields, want: Fields, strategy: Strategy) -> Conflict:
    """An override that PagerDuty does not have any more, and that people have changed in Harness."""
    changes = [ByHand(field, "", have.get(field), want.get(field), False) for field in ("person", "start", "end")]
    told = "; ".join(phrase for c in changes if c.have != c.want for phrase in _describe(c))
    return make_question(
        ("overrides", key, name),
        f"It is over in PagerDuty, or was cancelled there, and was changed in Harness: {told}.",
        (f"{have['person']} stands in until {have['end']}, as it was changed", "it is taken back: nobody stands in"),
        strategy,
        [have[field] for field in ("person", "start", "end")],
    )


def group_rules(state: State) -> dict[str, list[AlertRule]]:
    """The alert rules that page, by the service that they are for."""
    found: dict[str, list[AlertRule]] = {}
    for rule in state.alert_rules.values():
        if rule.paging:
            found.setdefault(rule.service, []).append(rule)
    return found


def find_other_rules(wish: Desired, rules: dict[str, list[AlertRule]]) -> list[AlertRule]:
    """Alert rules that page for the service beside its own. rules: as `group_rules` gives them."""
    own = rules.get(wish.identifier, ()) if wish.kind == "services" and "paging" in wish.fields else ()
    others = (rule for rule in own if rule.identifier != wish.identifier)
    return sorted(others, key=lambda rule: rule.identifier)


def ask_other_rule(wish: Desired, rule: AlertRule, strategy: Strategy) -> Conflict:
    """A second alert rule of a service: whoever is in its policy is paged as well."""
    policy = f"the policy {rule.escalation_policy}" if rule.escalation_policy else "the service's own policy"
    own = wish.fields.get("rule_policy") or wish.fields.get("escalation_policy")
    as_now = f"by {own} only" if wish.fields["paging"] and own else "nobody for it"
    return make_question(
        ("services", f"{wish.key}/{rule.identifier}", wish.name),
        f"A second alert rule pages for it, {rule.identifier}, by {policy}; PagerDuty pages {as_now}.",
        (
            "the second rule goes on paging as well",
            "its paging is switched off, and nothing else of that rule is touched",
        ),
        strategy,
        [rule.service, rule.paging, rule.escalation_policy],
    )


def ask_both(wish: Desired, last: Fields, have: Fields, both: Iterable[str], strategy: Strategy) -> Conflict:
    """Which side is right about fields that page nobody and that both have changed since `last`."""
    three = {name: (last.get(name), wish.fields[name], have.get(name)) for name in both}
    words = ((name, *map(brief, values)) for name, values in three.items())
    told = "; ".join(f"{name}: was {was}, PagerDuty says {want}, Harness {has}" for name, was, want, has in words)
    return _ask_either(
        "changed_in_both",
        (wish.kind, wish.key, wish.name),
        f"Changed in PagerDuty and in Harness since the last run. {told}.",
        "Whichever is taken, somebody's change is not there any more.",
        EFFECTS["changed_in_both"],
        recommended=TAKE if strategy == "overwrite" else KEEP,
        detail=canonical_json(list(three.values())),
    )


def ask_kept(wish: Desired, have: Fields, fields: Iterable[str]) -> Conflict:
    """Whether what people have changed in Harness alone, and what pages nobody, stays. It does until a person says otherwise."""
    three = {name: (have.get(name), wish.fields[name]) for name in fields}
    told = "; ".join(said for name, (has, want) in three.items() for said in tell(name, has, want, "PagerDuty says"))
    return _ask_either(
        "kept_in_harness",
        (wish.kind, wish.key, wish.name),
        f"Changed in Harness alone, and kept: {told}.",
        "Nobody is paged otherwise by it. Restored, what somebody wrote in Harness is not there any more.",
        EFFECTS["kept_in_harness"],
        recommended=KEEP,
        detail=canonical_json(list(three.values())),
    )


def ask_removed(wish: Desired) -> Conflict:
    """Whether what was carried over, and is not in Harness any more, is made again."""
    return _ask_either(
        "removed_in_target",
        (wish.kind, wish.key, wish.name),
        f"{wish.name} ({wish.identifier}) was carried over, and is not in Harness any more.",
        "Somebody has removed it there, or an invitation has lapsed; PagerDuty still has it.",
        EFFECTS["removed_in_target"],
        recommended="create_again",
        changes_paging=True,
    )


def make_question(
    place: tuple[str, str, str], question: str, effects: tuple[str, str], strategy: Strategy, detail: Any
) -> Conflict:
    """place: kind, key and name. effects: of keeping Harness's, and of taking PagerDuty's."""
    asked = _ask_either(
        "changed_in_harness",
        place,
        question,
        "",
        effects,
        recommended=TAKE if strategy == "overwrite" else KEEP,
        changes_paging=True,
        detail=canonical_json(detail),
    )
    said = (
        "Other people are paged than in PagerDuty, or at other times, and nothing is written to it before an answer. "
    )
    bound = f"An answer is for this state of it only: in decisions.yaml it says `question: {asked.digest}`."
    return asked.model_copy(update={"meaning": said + bound})


def _ask_either(
    about: str, place: tuple[str, str, str], question: str, meaning: str, effects: tuple[str, str], **more: Any
) -> Conflict:
    """place: kind, key and name. effects: of the two options of the class, in their order."""
    kind, id, name = place
    options = tuple(Option(name=word, effect=said) for word, said in zip(CLASSES[about], effects, strict=True))
    return Conflict(
        about=about, kind=kind, id=id, name=name, question=question, meaning=meaning, options=options, **more
    )


# --- words ---


def _describe(change: ByHand) -> Iterator[str]:
    if change.beside:
        own = "the rotations that were there before us"
        yield f"it goes by the clock of {change.want} instead of {change.have}, and {own} with it"
    else:
        was = "PagerDuty says" if change.both else "was"
        yield from (_describe_paged(change) if change.field == "users" else _tell(change, was))


def _tell(change: ByHand, was: str) -> list[str]:
    return tell(change.field, change.have, change.want, was, change.part)


def _describe_paged(change: ByHand) -> Iterator[str]:
    """Members of a group that a level pages."""
    more, fewer = (sorted(set(a) - set(b)) for a, b in ((change.have, change.want), (change.want, change.have)))
    if more:
        yield f"a level that targets the group pages {', '.join(more)} as well"
    if fewer:
        yield f"a level that targets the group pages {', '.join(fewer)} no more"


def _describe_effects(changes: list[ByHand]) -> tuple[str, str]:
    move = next((change for change in changes if change.beside), None)
    if move is None:
        return EFFECTS["changed_in_harness"]
    return (
        f"Harness goes on as it is, all of it by the clock of {move.have}, PagerDuty's rotations too",
        f"it pages as PagerDuty says, all of it by the clock of {move.want}",
    )


def _describe_clock(changes: Iterable[ByHand], now: str | None, then: str | None) -> tuple[str, str]:
    """By which clock rotations go that are kept, and that it moves, if it does: Harness has one zone for a schedule.

    The first is the same before the write and after it, so that an answer covers both.
    """
    stay = [change for change in changes if change.field == "rotations" and change.have is not None]
    if not stay or any(change.field == "time_zone" for change in changes):
        return "", ""
    moved = f"PagerDuty has moved the schedule: what is kept goes now by the clock of {now}, and then by {then}. "
    return f"; if that is kept, it goes by the clock of {then}", moved if now != then else ""
