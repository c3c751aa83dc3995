"""The page of step 4."""

from collections import Counter
from collections.abc import Callable, Iterable

from pdmigrate.oncall.words import format_number
from pdmigrate.pages.explained import link_guard, link_question
from pdmigrate.pages.show import Columns, Figure, Page, Section, Table, Tag, make_table
from pdmigrate.pages.words import (
    KIND_NAMES,
    list_changes,
    name_people,
    section_conflicts,
    table_counts,
    warn_if,
)
from pdmigrate.plan.actions import Action, Held
from pdmigrate.plan.answers import Settled
from pdmigrate.plan.guards import Refusal
from pdmigrate.plan.handmade import KEEP, KEPT_THERE, list_paging
from pdmigrate.plan.kinds import KINDS, PAGING_KINDS
from pdmigrate.plan.telling import Naming
from pdmigrate.steps.conflicts import Decided

RISKIEST = sorted(KINDS, key=lambda kind: KINDS[kind].risk)
OTHERWISE, NEW, NOBODY, PERSON = "changes who is paged", "new, and pages", "pages nobody", "to do by hand"
RISKS = {OTHERWISE: "warn", NEW: "good", NOBODY: "plain", PERSON: "warn"}
"""What an action does to paging, where to look first before the rest, each with its tone."""
KEPT = {"changed_in_harness": KEEP, "changed_in_both": KEEP, "kept_in_harness": KEEP}
"""The classes of questions about what both sides have differently, with the answer that leaves it so."""
RESTORING = "take source, where who is paged or both sides were changed, and restore for the rest."
MOST_UNFOLDED = 200
VERB_TONES = {"create": "good", "update": "warn", "adopt": "warn", "keep": "plain", "handover": "warn"}


def make_page(decided: Decided) -> Page:
    open_count, writes = len(decided.draft.open), sum(action.writes for action in decided.plan.actions)
    kept = len({row[:2] for row in list_kept(decided)})
    if decided.refusals:
        lead = "The plan is refused: " + " ".join(decided.refusals)
    elif open_count:
        waits = format_number(open_count, "question waits", "questions wait")
        lead = f"{waits} for your answer; the plan would write {format_number(writes, 'object')}."
    elif decided.goes_on is not None:
        left = len(decided.plan.pending) - decided.goes_on
        lead = f"A load of this plan broke off: {format_number(decided.goes_on, 'step is', 'steps are')} done, {left:,} left. Load goes on from there."
    elif decided.plan.empty:
        lead = "Nothing to do: everything that moves is in Harness as it was decided."
    else:
        approved = decided.approval.describe() if decided.approval else "not approved"
        lead = f"Every question is answered. The plan writes {format_number(writes, 'object')} and is {approved}."
    if kept:
        lead += f" {format_number(kept, 'object differs and is', 'objects differ and are')} kept."
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
        "Class": lambda a: link_question(a.conflict.about),
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
        "Guard": lambda guard: link_guard(guard.guard),
        "What it says": lambda guard: guard.sentence,
        "And": lambda guard: Tag(f"waived by {guard.waived_by}", "warn") if guard.waived_by else Tag("refuses", "bad"),
    }
    return Section("Guards", table=make_table(decided.guards, columns, "No guard refuses this plan."))


def list_kept(decided: Decided) -> list[tuple[str, str, str, str]]:
    """What both sides have differently and is kept: kind, name, the difference, and who says that it is kept."""
    settled = [a for a in decided.draft.answered.values() if KEPT.get(a.conflict.about) == a.choice]
    who = {a.conflict.key: f"{a.by or 'somebody'}: {a.why}".removesuffix(": ") for a in settled}
    rows = [(a.conflict.kind, a.conflict.name, a.conflict.question, who[a.conflict.key]) for a in settled]
    asked = {(a.conflict.kind, a.conflict.id.partition("/")[0]) for a in settled}
    kept = (a for a in decided.plan.actions if a.reason.startswith(KEPT_THERE) and (a.kind, a.key) not in asked)
    return rows + [(a.kind, a.name, a.reason, "the rules") for a in kept]


def section_kept(decided: Decided) -> Section:
    """The differences that stay."""
    columns: Columns[tuple[str, str, str, str]] = {
        "Kind": lambda row: KIND_NAMES[row[0]],
        "Object": lambda row: row[1],
        "What differs": lambda row: row[2],
        "Kept by": lambda row: row[3],
    }
    rows = list_kept(decided)
    said = f"To restore one, answer its question: {RESTORING}" if rows else ""
    return Section("Differs and is kept", said, make_table(rows, columns, "No difference is kept."))


def rate_risk(decided: Decided) -> Callable[[Action], str]:
    """What an action does to paging: one of RISKS."""
    state = decided.draft.state

    def rate(action: Action) -> str:
        paging = list_paging(action.kind, action.identifier, state)
        changed = action.after is None or any(name in paging for name, _, _ in action.changes())
        if action.verb == "handover":
            return PERSON
        if not action.writes or action.kind not in PAGING_KINDS | {"teams"} or not (paging and changed):
            return NOBODY
        return NEW if action.before is None else OTHERWISE

    return rate


def sort_by_risk(decided: Decided) -> list[Action]:
    """All that changes: first what changes or takes away what pages today."""
    rate, order = rate_risk(decided), list(RISKS)

    def rank(action: Action) -> tuple[int, bool, int, str]:
        kind = RISKIEST.index(action.kind)
        return order.index(rate(action)), action.after is not None, kind, action.name.casefold()

    return sorted(_changing(decided.plan.actions), key=rank)


def section_groups(decided: Decided) -> Section:
    """What changes, by team and risk: where to look first when the list is long."""
    team_of, rate = name_owners(decided), rate_risk(decided)
    counts = Counter((team_of(a), rate(a)) for a in _changing(decided.plan.actions))

    def count(risk: str) -> Callable[[str], int]:
        return lambda team: counts[team, risk]

    columns: Columns[str] = {"Team": lambda team: team or "no team"}
    columns = {**columns, **{risk.capitalize(): count(risk) for risk in RISKS}}
    rows = sorted({team for team, _ in counts}, key=lambda team: (not team, team.casefold()))
    return Section("By team and risk", table=make_table(rows, columns, "Nothing changes."))


def section_actions(decided: Decided) -> Section:
    """Everything that changes, riskiest first, in words."""
    table = table_actions(decided, sort_by_risk(decided), "Nothing: everything is as it was decided.")
    return Section("What will be written", table=table, open_up_to=MOST_UNFOLDED)


def table_actions(decided: Decided, actions: Iterable[Action], empty: str, note: str = "") -> Table:
    """Actions in words."""
    rate, name = rate_risk(decided), name_things(decided)
    columns: Columns[Action] = {
        "Object": lambda action: f"{action.name} ({KINDS[action.kind].one})",
        "Before → after": lambda action: [*list_changes(action, name), *([action.reason] if action.reason else [])],
        "Paging": lambda action: Tag(rate(action), RISKS[rate(action)]),
        "Team": name_owners(decided),
        "Action": lambda action: Tag(action.verb, VERB_TONES[action.verb]),
    }
    return make_table(actions, columns, empty, note)


def name_things(decided: Decided) -> Naming:
    """People, schedules, groups and policies by the names that they have or will have in Harness."""
    state, kinds = (
        decided.draft.state,
        {"schedules": "schedule", "teams": "user_group", "escalation_policies": "policy"},
    )
    there = (("schedule", state.schedules), ("user_group", state.groups), ("policy", state.policies))
    names = {(kind, id): one.name for kind, found in there for id, one in found.items()}
    names |= {(kinds[a.kind], a.identifier): a.name for a in decided.plan.actions if a.kind in kinds}
    names |= {("user", email): name for email, name in name_people(decided.draft).items()}
    return lambda kind, id: names.get((kind, id), id)


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
    "kept": section_kept,
    "held": section_held,
}
