"""The page of step 4."""

from collections import Counter
from collections.abc import Callable, Iterable

from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import Columns, Figure, Page, Section, Table, Tag, make_table
from pdmigrate.pages.words import KIND_NAMES, list_changes, section_conflicts, table_counts, warn_if
from pdmigrate.plan.actions import Action, Held
from pdmigrate.plan.answers import Settled
from pdmigrate.plan.guards import Refusal
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.conflicts import Decided

RISKIEST = sorted(KINDS, key=lambda kind: KINDS[kind].risk)
VERBS_BY_RISK = ("update", "adopt", "create", "handover", "keep")
MOST_UNFOLDED = 200
VERB_TONES = {"create": "good", "update": "warn", "adopt": "warn", "keep": "plain", "handover": "warn"}


def make_page(decided: Decided) -> Page:
    open_count, writes = len(decided.draft.open), sum(action.writes for action in decided.plan.actions)
    if decided.refusals:
        lead = "The plan is refused: " + " ".join(decided.refusals)
    elif open_count:
        waits = format_number(open_count, "question waits", "questions wait")
        lead = f"{waits} for your answer; the plan would write {format_number(writes, 'object')}."
    elif decided.goes_on is not None:
        left = len(decided.plan.pending) - decided.goes_on
        lead = f"A load of this plan broke off: {format_number(decided.goes_on, 'step is', 'steps are')} done, {left:,} left. Load goes on from there."
    elif decided.plan.empty:
        lead = "Nothing to do: Harness is as PagerDuty says."
    else:
        approved = decided.approval.describe() if decided.approval else "not approved"
        lead = f"Every question is answered. The plan writes {format_number(writes, 'object')} and is {approved}."
    figures = (
        Figure("Open questions", str(open_count), warn_if(open_count)),
        Figure("Answered", str(len(decided.draft.answered))),
        Figure("To write", str(writes)),
        Figure("Not moved", str(len(decided.plan.held)), warn_if(decided.plan.held)),
    )
    facts = (
        ("Plan", decided.plan.digest),
        ("Snapshot", decided.plan.source[:12]),
        ("Target", decided.plan.target),
        ("Requests about clock changes", str(decided.clock_requests)),
    )
    return Page("conflicts", "Conflicts and plan", lead, figures=figures, facts=facts)


def section_answers(decided: Decided) -> Section:
    """What was decided, by whom, and why."""
    columns: Columns[Settled] = {
        "Class": lambda a: a.conflict.about.replace("_", " "),
        "Object": lambda a: a.conflict.name,
        "Question": lambda a: a.conflict.question,
        "Decision": lambda a: " ".join(filter(None, (a.choice.replace("_", " "), a.value))),
        "By": lambda a: a.by,
        "Why": lambda a: a.why,
    }
    table = make_table(list(decided.draft.answered.values()), columns, "Nothing had to be decided.")
    return Section("Decisions", " ".join(decided.strays), table, open_up_to=40)


def section_counts(decided: Decided) -> Section:
    """The plan by kind."""
    verbs = {"Create": "create", "Update": "update", "Adopt": "adopt", "Keep": "keep", "To do by hand": "handover"}
    table = table_counts(decided.plan.count(), verbs)
    return Section(
        "The plan", f"Digest {decided.plan.digest}. Nothing is deleted; only undo removes what a run made.", table
    )


def section_guards(decided: Decided) -> Section:
    """Why the plan may not pass, and who lets it pass all the same."""
    columns: Columns[Refusal] = {
        "Guard": lambda guard: guard.guard,
        "What it says": lambda guard: guard.sentence,
        "And": lambda guard: Tag(f"waived by {guard.waived_by}", "warn") if guard.waived_by else Tag("refuses", "bad"),
    }
    return Section("Guards", table=make_table(decided.guards, columns, "No guard refuses this plan."))


def section_groups(decided: Decided) -> Section:
    """What changes, by kind and team: where to look first when the list is long."""
    team_of = name_owners(decided)
    counts = Counter((a.kind, team_of(a), a.verb) for a in _changing(decided.plan.actions))
    groups = dict.fromkeys((kind, team) for kind, team, _ in counts)
    columns: Columns[tuple[str, str]] = {
        "Kind": lambda group: KIND_NAMES[group[0]],
        "Team": lambda group: group[1],
        "Update": lambda group: counts[*group, "update"],
        "Adopt": lambda group: counts[*group, "adopt"],
        "Create": lambda group: counts[*group, "create"],
        "To do by hand": lambda group: counts[*group, "handover"],
    }
    rows = sorted(groups, key=lambda group: (RISKIEST.index(group[0]), group[1].casefold()))
    return Section("By kind and team", table=make_table(rows, columns, "Nothing changes."))


def section_actions(decided: Decided) -> Section:
    """Everything that changes, riskiest first, field by field."""

    def risk(action: Action) -> tuple[int, bool, int, str]:
        """What changes or takes away what pages today comes before what is new."""
        verb, kind = VERBS_BY_RISK.index(action.verb), RISKIEST.index(action.kind)
        return verb, action.after is not None, kind, action.name.casefold()

    changing = sorted(_changing(decided.plan.actions), key=risk)
    table = table_actions(changing, name_owners(decided), "Nothing: everything is as it should be.")
    return Section("What will be written", table=table, open_up_to=MOST_UNFOLDED)


def table_actions(actions: Iterable[Action], team_of: Callable[[Action], str], empty: str, note: str = "") -> Table:
    """Actions field by field."""
    columns: Columns[Action] = {
        "Kind": lambda action: KIND_NAMES[action.kind],
        "Team": team_of,
        "Object": lambda action: action.name,
        "Action": lambda action: Tag(action.verb, VERB_TONES[action.verb]),
        "Before → after": list_changes,
        "Note": lambda action: action.reason,
    }
    return make_table(actions, columns, empty, note)


def section_news(decided: Decided) -> Section:
    """What this plan has that the one before it had not, and the other way round."""
    then = {a.id: a for a in _changing(decided.last.actions)} if decided.last else {}
    now = {a.id: a for a in _changing(decided.plan.actions)}
    rows: list[tuple[Action, str]] = []
    for id in now | then:
        word = "new" if id in now else "not any more"
        if id in now and id in then:
            same = (then[id].verb, then[id].after) == (now[id].verb, now[id].after)
            word = "" if same else "differently"
        rows += [(now.get(id) or then[id], word)] * bool(word)
    columns: Columns[tuple[Action, str]] = {
        "Kind": lambda one: KIND_NAMES[one[0].kind],
        "Object": lambda one: one[0].name,
        "In this plan": lambda one: one[1],
    }
    table = make_table(rows, columns, "The same as the plan before it.")
    return Section("Compared with the last plan", table=table, open_up_to=40)


def _changing(actions: Iterable[Action]) -> list[Action]:
    return [action for action in actions if action.verb != "keep"]


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
    columns: Columns[Held] = {
        "Kind": lambda h: KIND_NAMES[h.kind],
        "Object": lambda h: h.name,
        "Why": lambda h: h.reason,
    }
    return Section("Not moved, and why", table=make_table(decided.plan.held, columns, "Everything in scope moves."))


PARTS: dict[str, Callable[[Decided], Section]] = {
    "open": lambda decided: section_conflicts(decided.draft.open.values(), "Open questions", "No question is open."),
    "answers": section_answers,
    "guards": section_guards,
    "counts": section_counts,
    "groups": section_groups,
    "news": section_news,
    "actions": section_actions,
    "held": section_held,
}
