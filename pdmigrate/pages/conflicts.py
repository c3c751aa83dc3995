"""The page of step 4."""

from collections import Counter
from collections.abc import Callable, Iterable

from pdmigrate.pages.report import Figure, Page, Section, Tag, make_table
from pdmigrate.pages.words import KIND_NAMES, list_changes, section_conflicts
from pdmigrate.plan.actions import Action
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.conflicts import Decided

RISKIEST = sorted(KINDS, key=lambda kind: KINDS[kind].risk)
VERBS_BY_RISK = ("update", "adopt", "create", "handover", "keep")
MOST_UNFOLDED = 200
VERB_TONES = {"create": "good", "update": "warn", "adopt": "warn", "keep": "plain", "handover": "warn"}


def make_page(decided: Decided, status: str) -> Page:
    open_count, writes = len(decided.draft.open), sum(action.writes for action in decided.plan.actions)
    lead = _tell_lead(decided, open_count, writes)
    figures = (
        Figure("Open questions", str(open_count), "warn" if open_count else "good"),
        Figure("Answered", str(len(decided.draft.answered))),
        Figure("To write", str(writes)),
        Figure("Held", str(len(decided.plan.held)), "warn" if decided.plan.held else "good"),
    )
    facts = (
        ("Plan", decided.plan.digest),
        ("Snapshot", decided.plan.source[:12]),
        ("Target", decided.plan.target),
        ("Requests about clock changes", str(decided.clock_requests)),
    )
    return Page(
        "conflicts", "Conflicts and plan", lead, status, figures, tuple(part(decided) for part in PARTS.values()), facts
    )


def _tell_lead(decided: Decided, open_count: int, writes: int) -> str:
    if decided.refusals:
        return "The plan is refused: " + " ".join(decided.refusals)
    if open_count:
        return f"{open_count} questions wait for an answer; the plan would write {writes} objects."
    if decided.goes_on is not None:
        left = len(decided.plan.pending) - decided.goes_on
        return f"A load of this plan broke off: {decided.goes_on} steps are done, {left} are left. Load goes on from there."
    if decided.plan.empty:
        return "Nothing to do: Harness is as PagerDuty says."
    approved = f"approved by {decided.approval.by}" if decided.approval else "not approved yet"
    return f"Every question is answered. The plan writes {writes} objects and is {approved}."


def section_open(decided: Decided) -> Section:
    return section_conflicts(decided.draft.open.values(), "Open questions", "No question is open.")


def section_answers(decided: Decided) -> Section:
    """What was decided, by whom, and why."""
    rows = [
        {
            "about": a.conflict.about.replace("_", " "),
            "name": a.conflict.name,
            "question": a.conflict.question,
            "choice": " ".join(filter(None, (a.choice.replace("_", " "), a.value))),
            "by": a.by,
            "why": a.why,
        }
        for a in decided.draft.answered.values()
    ]
    columns = {
        "about": "Class",
        "name": "Object",
        "question": "Question",
        "choice": "Decision",
        "by": "By",
        "why": "Why",
    }
    table = make_table(rows, columns, empty="Nothing had to be decided.")
    return Section("Decisions", " ".join(decided.strays), table, folded=len(rows) > 40)


def section_counts(decided: Decided) -> Section:
    """The plan by kind."""
    rows = [{"kind": KIND_NAMES[kind], **counts} for kind, counts in decided.plan.count().items()]
    columns = {
        "kind": "Kind",
        "create": "Create",
        "update": "Update",
        "adopt": "Adopt",
        "keep": "Keep",
        "handover": "For a person",
    }
    return Section("The plan", f"Digest {decided.plan.digest}. Nothing is ever deleted.", make_table(rows, columns))


def section_guards(decided: Decided) -> Section:
    """Why the plan may not pass, and who lets it pass all the same."""
    rows = [
        {
            "guard": guard.guard,
            "sentence": guard.sentence,
            "waived": Tag(f"waived by {guard.waived_by}", "warn") if guard.waived_by else Tag("refuses", "bad"),
        }
        for guard in decided.guards
    ]
    columns = {"guard": "Guard", "sentence": "What it says", "waived": "And"}
    return Section("Guards", table=make_table(rows, columns, empty="No guard refuses this plan."))


def section_groups(decided: Decided) -> Section:
    """What changes, by kind and team: where to look first when the list is long."""
    counts: dict[tuple[str, str], Counter] = {}
    team_of = name_owners(decided)
    for action in _changing(decided.plan.actions):
        counts.setdefault((action.kind, team_of(action)), Counter())[action.verb] += 1
    ordered = sorted(counts.items(), key=lambda pair: (RISKIEST.index(pair[0][0]), pair[0][1].casefold()))
    rows = [
        {"kind": KIND_NAMES[kind], "team": team, **{v: found[v] for v in VERB_TONES}} for (kind, team), found in ordered
    ]
    columns = {"kind": "Kind", "team": "Team", "update": "Update", "adopt": "Adopt", "create": "Create"}
    columns |= {"handover": "For a person"}
    return Section("By kind and team", table=make_table(rows, columns, empty="Nothing changes."))


def section_actions(decided: Decided) -> Section:
    """Everything that changes, riskiest first, field by field."""
    changing, team_of = sorted(_changing(decided.plan.actions), key=_risk), name_owners(decided)
    rows = [
        {
            "kind": KIND_NAMES[a.kind],
            "team": team_of(a),
            "name": a.name,
            "verb": Tag(a.verb, VERB_TONES[a.verb]),
            "changes": list_changes(a),
            "reason": a.reason,
        }
        for a in changing
    ]
    columns = {"kind": "Kind", "team": "Team", "name": "Object", "verb": "Action"}
    columns |= {"changes": "Before → after", "reason": "Note"}
    table = make_table(rows, columns, empty="Nothing: everything is as it should be.")
    return Section("What will be written", table=table, folded=len(rows) > MOST_UNFOLDED)


def section_news(decided: Decided) -> Section:
    """What this plan has that the one before it had not, and the other way round."""
    then = {a.id: a for a in _changing(decided.last.actions)} if decided.last else {}
    now = {a.id: a for a in _changing(decided.plan.actions)}
    words = {id: _compare(then.get(id), now.get(id)) for id in [*now, *(id for id in then if id not in now)]}
    rows = [
        {"kind": KIND_NAMES[a.kind], "name": a.name, "what": word}
        for id, word in words.items()
        if word and (a := now.get(id) or then[id])
    ]
    columns = {"kind": "Kind", "name": "Object", "what": "In this plan"}
    table = make_table(rows, columns, empty="The same as the plan before it.")
    return Section("Compared with the last plan", table=table, folded=len(rows) > 40)


def _compare(then: Action | None, now: Action | None) -> str:
    if then is None or now is None:
        return "new" if then is None else "not any more"
    return "" if (then.verb, then.after) == (now.verb, now.after) else "differently"


def _changing(actions: Iterable[Action]) -> list[Action]:
    return [action for action in actions if action.verb != "keep"]


def _risk(action: Action) -> tuple:
    """What changes or takes away what pages today comes before what is new."""
    return (
        VERBS_BY_RISK.index(action.verb),
        action.after is not None,
        RISKIEST.index(action.kind),
        action.name.casefold(),
    )


def name_owners(decided: Decided) -> Callable[[Action], str]:
    """An action's group, by its name in Harness; people and their contact details belong to none."""
    names = {identifier: group.name for identifier, group in decided.draft.state.groups.items()}
    names |= {action.identifier: action.name for action in decided.plan.actions if action.kind == "teams"}

    def name_owner(action: Action) -> str:
        owner = (action.after or action.before or {}).get("owner_group") or ""
        return action.name if action.kind == "teams" else names.get(owner, owner)

    return name_owner


def section_held(decided: Decided) -> Section:
    """What is in no action, and why."""
    rows = [{"kind": KIND_NAMES[h.kind], "name": h.name, "reason": h.reason} for h in decided.plan.held]
    table = make_table(rows, {"kind": "Kind", "name": "Object", "reason": "Why"}, empty="Nothing is held back.")
    return Section("Held back", table=table)


PARTS = {
    "open": section_open,
    "answers": section_answers,
    "guards": section_guards,
    "counts": section_counts,
    "groups": section_groups,
    "news": section_news,
    "actions": section_actions,
    "held": section_held,
}
