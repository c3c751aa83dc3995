"""`status`: where a migration stands, in words, from what lies in the workspace. Asks neither side."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdmigrate.cli.printing import print_table
from pdmigrate.cli.program import command, workspace_argument
from pdmigrate.oncall.words import format_number
from pdmigrate.plan.actions import Plan, plan_from_json
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.basis import drop_guards, list_basis, name_changed
from pdmigrate.runs.next_command import find_journal, find_next, list_refusals
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace
from pdmigrate.workspace.settings import Settings, read_chosen

if TYPE_CHECKING:
    from pdmigrate.workspace.journal import Run


@dataclass(frozen=True)
class Standing:
    """Where one step stands. tone: good, warn or bad, as tables are coloured. short: in place of what is long, in a table."""

    step: str
    said: str
    tone: str = ""
    short: str = ""


@command("status", "pdmigrate status acme")
@workspace_argument
def run_status(workspace: Path) -> int:
    """Say where a migration stands: every step, what waits for whom, and the next command.

    Looks at what lies in the workspace; neither side is asked, and nothing is written.
    """
    place = Workspace(workspace).check()
    settings = read_chosen(place, read_decisions(place.decisions_file))
    steps = list_standings(place, settings)
    print(_name_sides(settings))
    lines = [f"{one.step}: {one.said}" for one in steps]
    print_table(
        lines,
        ("Step", "Where it stands"),
        [(one.step, one.short or one.said) for one in steps],
        [one.tone for one in steps],
    )
    print(f"next: {find_next(place, settings).typed}")
    return 0


def describe_status(workspace: Workspace) -> str:
    """A line for each step, what waits for whom, what was interrupted, and the next command."""
    settings = read_chosen(workspace, read_decisions(workspace.decisions_file))
    lines = [f"{one.step}: {one.said}" for one in list_standings(workspace, settings)]
    return "\n".join([_name_sides(settings), *lines, f"next: {find_next(workspace, settings).typed}"])


def _describe_change(changed: list[str]) -> str:
    return (
        f"changed since the plan was made: {', '.join(changed[:5])}; {len(changed)} in all: an approval of it is void. Run conflicts "
        "again, then look at the plan and approve it"
    )


def _name_sides(settings: Settings) -> str:
    return f"{settings.name}: {settings.source.kind} to {settings.target.kind}"


def list_standings(workspace: Workspace, settings: Settings) -> list[Standing]:
    """Every step in its order; what a question is about stands below its step."""
    access, snapshot = workspace.find_state("access"), workspace.find_state("snapshot")
    connected = access and f"{access['subdomain'] or 'an account whose name is not known'} to {access['target']}"
    strays = workspace.find_state("strays") or []
    data, decisions = workspace.find_state("plan"), read_decisions(workspace.decisions_file)
    made = plan_from_json(data) if data else None
    changed = _name_changed(made, settings, decisions) if made else []
    plan = _describe_plan(workspace, settings, made, decisions) if made else "plan: none yet"
    runs = _describe_open(workspace, settings, made, bool(changed))
    return [
        Standing("connect", connected, "good") if access else Standing("connect", "not done yet"),
        Standing("preview", f"snapshot {snapshot['file']}", "good")
        if snapshot
        else Standing("preview", "nothing was fetched yet"),
        _describe_people(workspace),
        _describe_questions(workspace.find_state("questions")),
        *(Standing("answer", stray, "warn") for stray in strays),
        *(Standing("guard", refusal, "bad") for refusal in list_refusals(workspace)),
        Standing("plan", plan.removeprefix("plan: "), _tone_plan(plan)),
        *([Standing("approval", _describe_change(changed), "warn")] if changed and made and made.pending else []),
        *(Standing("load", words, "bad") for words in runs),
        *([] if runs else [_describe_last_load(workspace, settings)]),
        _describe_verified(workspace, settings),
        *_describe_trend(workspace, settings),
        *_describe_work(workspace),
    ]


def _tone_plan(plan: str) -> str:
    if plan.endswith(("is loaded", "nothing to do")):
        return "good"
    return "" if plan.endswith("none yet") else "warn"


def _describe_questions(questions: list[dict[str, Any]] | None) -> Standing:
    """Each of them in lines; in a table how many of each class."""
    if not questions:
        return (
            Standing("conflicts", "not done yet")
            if questions is None
            else Standing("conflicts", "no question is open", "good")
        )
    waits = "1 question waits" if len(questions) == 1 else f"{len(questions)} questions wait"
    lines = [f"  {q['about']} {q['name']} ({q['id']}): {q['question']}" for q in questions]
    classes = Counter(q["about"].replace("_", " ") for q in questions).most_common()
    short = f"{waits} for the consultant: {', '.join(f'{name} {number}' for name, number in classes)}"
    return Standing("conflicts", "\n".join([f"{waits} for the consultant", *lines]), "warn", short)


def _describe_people(workspace: Workspace) -> Standing:
    people = workspace.find_state("people")
    if people is None:
        return Standing("invite", "not done yet")
    count = Counter(person["state"] for person in people)
    words = ", ".join(f"{state} {number}" for state, number in sorted(count.items())) or "nobody is in scope"
    waits = "; who is pending has a mail to answer" if count["pending"] else ""
    return Standing("invite", words + waits, "warn" if count["pending"] else "good")


def list_runs(workspace: Workspace, settings: Settings) -> "list[Run]":
    """Loads and undos, oldest first; none where nothing was ever loaded."""
    journal = find_journal(workspace, settings)
    if journal is None:
        return []
    with journal.opened():
        return journal.runs()


def _describe_last_load(workspace: Workspace, settings: Settings) -> Standing:
    runs = list_runs(workspace, settings)
    loads = [run for run in runs if run.kind == "load"]
    if not loads:
        return Standing("load", "nothing was loaded yet")
    undone = next((run.number for run in runs if run.undoes == loads[-1].number), 0)
    by = f"approved by {loads[-1].approved_by}" if loads[-1].approved_by else "not approved, small changes only"
    said = f"run {loads[-1].number} of {loads[-1].started[:16].replace('T', ' ')} UTC, {by}"
    return Standing("load", f"{said}; undone by run {undone}" if undone else said, "warn" if undone else "good")


def _describe_verified(workspace: Workspace, settings: Settings) -> Standing:
    found = workspace.find_state("parity")
    if found is None:
        return Standing("verify", "not done yet")
    stamp = datetime.fromtimestamp(workspace.state_file("parity").stat().st_mtime, UTC)
    later = [run.number for run in list_runs(workspace, settings) if run.started > stamp.isoformat()]
    hours = ", ".join(f"{name.partition('_')[0]} {seconds // 3600:,} h" for name, seconds in sorted(found.items()))
    since = f"; not since run {later[-1]}" if later else ""
    return Standing(
        "verify", f"who is on call: {hours}{since}", "warn" if since or found.get("differ_seconds") else "good"
    )


def _describe_trend(workspace: Workspace, settings: Settings) -> list[Standing]:
    """Whether readiness grows, and that the latest run failed; nothing before verify has come to its end on two days."""
    if not settings.journal and not workspace.journal_file.is_file():
        return []
    from pdmigrate.pages.trend import describe_growth
    from pdmigrate.steps.job import read_clock
    from pdmigrate.steps.trend import read_trend

    trend = read_trend(workspace, settings, read_clock())
    measured, doubted = trend.list_measured("verify"), sum(bool(row.doubt) for row in trend.rows)
    last = [row.measured for row in trend.list_rows("verify") if row.measured and not row.doubt][-1:]
    grows = describe_growth(trend, measured[-1]) if measured else ""
    wrong = [f"The latest run of verify failed: {one.error}" for one in last if not one.figures]
    wrong += [f"{format_number(doubted, 'row is', 'rows are')} not counted: see trend.html."] if doubted else []
    said = " ".join(filter(None, (grows, *wrong)))
    return [Standing("trend", said, "warn" if wrong else "")] if said else []


def _describe_work(workspace: Workspace) -> list[Standing]:
    items, ticks = (
        (workspace.find_state("handover") or {}).get("items", []),
        workspace.find_state("handover_ticks") or {},
    )
    left = sum(ticks.get(item["key"], {}).get("digest") != item.get("digest", "") for item in items)
    said = f"{len(items) - left} of {len(items)} done" + (
        ", the rest waits for people: pdmigrate handover" if left else ""
    )
    return [Standing("by hand", said, "warn" if left else "good")] if items else []


def _name_changed(plan: Plan, settings: Settings, decisions: Decisions) -> list[str]:
    """As load will say it, but for the target's address, which only the open target knows."""
    now = list_basis("", settings.scope, settings.rules, decisions)
    return [name for name in name_changed(drop_guards(plan.basis), now) if name != "target.base_url"]


def _describe_plan(workspace: Workspace, settings: Settings, plan: Plan, decisions: Decisions) -> str:
    if not plan.pending:
        return "plan: nothing to do"
    run, left = None, sum(action.writes for action in plan.actions)
    journal = find_journal(workspace, settings)
    if journal:
        from pdmigrate.steps.resuming import find_done

        with journal.opened():
            loads = [run for run in journal.runs() if (run.kind, run.digest) == ("load", plan.digest)]
            undone = {run.undoes for run in journal.runs()}
            run = loads[-1] if loads and loads[-1].number not in undone else None
            done = find_done(journal, run.number) if run else set()
    void = workspace.find_state("void")
    also = f". {void}" if void else ""
    if run and not run.finished:
        return f"plan: {plan.digest[:12]} was interrupted or failed in part{also}"
    if run:
        left = sum(action.id not in done for action in plan.pending)
    if run and not left:
        return f"plan: {plan.digest[:12]} is loaded"
    approval = decisions.approves(plan.digest)
    waits = f"waits for approval (--approve {plan.digest}){also}"
    if approval:
        waits = f"{approval.describe()}, waits to be loaded"
    return f"plan: {'the small changes are loaded, ' if run else ''}{left} to write, {waits}"


def _describe_open(workspace: Workspace, settings: Settings, latest: Plan | None, changed: bool) -> list[str]:
    """An unfinished run: what is done, what may or may not have happened, and whether it goes on or another plan follows."""
    journal = find_journal(workspace, settings)
    if journal is None:
        return []
    with journal.opened():
        unfinished = journal.unfinished()
        states = journal.states(unfinished[0]) if unfinished else {}
    if not unfinished:
        return []
    count = Counter(step.state for step in states.values())
    number, plan = unfinished
    words = f"run {number} is open: {count['done']} of {len(plan.pending)} steps done"
    words += f", {count['intended']} under way when it stopped" if count["intended"] else ""
    words += f", {count['failed'] + count['skipped']} failed or skipped" if count["failed"] + count["skipped"] else ""
    goes_on = latest is None or (latest.digest == plan.digest and not changed)
    return [f"{words}; {'the same command goes on' if goes_on else 'what is left is in the plan that conflicts makes'}"]
