"""The page of step 6."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from pdmigrate.oncall.rota import to_instant, total
from pdmigrate.pages.show import Columns, Figure, Page, Section, Table, Tag, make_table
from pdmigrate.pages.teams import describe_grade, describe_pages
from pdmigrate.pages.words import (
    KIND_NAMES,
    draw_sides,
    format_hours,
    format_instant,
    format_percent,
    format_time,
    list_changes,
    name_people,
    section_counts,
    section_differences,
    warn_if,
)
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.policies import LevelParity, PolicyParity, count_policies, describe_begins, describe_people
from pdmigrate.parity.schedules import ScheduleParity, WindowParity, source_lanes, target_lanes
from pdmigrate.parity.services import ServiceParity
from pdmigrate.plan.actions import Action
from pdmigrate.steps.verify import Verified

MOST_DRAWN = 6
DAYS_DRAWN = 28

NO_SCHEDULES = "No schedule is in scope: there is none to compare."


def make_page(verified: Verified) -> Page:
    seconds = verified.count_seconds()
    read = seconds["agree_seconds"] + seconds["differ_seconds"]
    share = format_percent(seconds["agree_seconds"], read) if read else "not known"
    if not verified.schedules:
        lead = f"{NO_SCHEDULES} Who is paged for each service is compared below."
    elif not read:
        lead = "Harness has no API to read schedules from: what was meant to be written could not be compared."
    else:
        number, judged = len(verified.schedules), sum(s.judged for s in verified.schedules)
        basis = f"{number} schedules, {judged} of them by PagerDuty's own rendering, read back from the target"
        lead = f"The same people are on call for {share} of the time compared ({basis})."
        if verified.unexplained:
            lead += f" {len(verified.unexplained)} differences have no decision behind them."
    figures = (
        Figure("Agree", format_hours(seconds["agree_seconds"]), "good"),
        Figure("Differ", format_hours(seconds["differ_seconds"]), "bad" if seconds["differ_seconds"] else "good"),
        Figure("Unverified", format_hours(seconds["unverified_seconds"]), warn_if(seconds["unverified_seconds"])),
        Figure("Cannot be reached yet", str(len(verified.unreachable)), warn_if(verified.unreachable)),
    )
    facts = (
        ("Window", f"{format_time(verified.since)} to {format_time(verified.until)}"),
        ("Data as of", format_time(verified.draft.account.taken)),
        ("Requests about clock changes", str(verified.window_requests)),
        ("Requests about the levels of policies", str(verified.oncall_requests)),
    )
    return Page("verify", "Verify", lead, figures=figures, facts=facts)


def section_schedules(verified: Verified) -> Section:
    """Every schedule, those that differ first."""
    held = {h.key: f"not moved: {h.reason}" for h in verified.draft.plan.held if h.kind == "schedules"}
    text = (
        "Second by second: who is on call in PagerDuty, and who the target itself says is on call; beside it, whether our "
        "reading of its rotations says the same. Windows, empty or repeated places and ends are in our contract, not in "
        "what Harness documents."
    )
    columns: Columns[ScheduleParity] = {
        "Schedule": lambda s: s.name,
        "Time zone": lambda s: s.time_zone,
        "Agree": lambda s: format_hours(s.agree),
        "Differ": lambda s: format_hours(s.differ),
        "Unverified": lambda s: format_hours(s.unverified),
        "Result": lambda s: describe_grade(s.differ, s.unverified),
        "Before, by": lambda s: _describe_judge(s),
        "How long it holds": lambda s: s.fidelity.describe(),
        "Leans on": lambda s: s.fidelity.describe_needs(),
        "Our reading": lambda s: format_hours(s.read_otherwise) if s.read_otherwise else "the same",
        "Reason": lambda s: "; ".join(part for part in (s.reason, held.get(s.id, ""), s.fidelity.reason) if part),
    }
    rows = sorted(verified.schedules, key=lambda s: (-s.differ, -s.unverified, s.name.casefold()))
    return Section("Who is on call", text, make_table(rows, columns, NO_SCHEDULES))


def _describe_judge(s: ScheduleParity) -> str:
    """By what the before is known; overrides that nobody has read are none that nobody has."""
    if s.judged:
        return "PagerDuty's rendering"
    return "our reading of the layers" + (f"; its {s.doubted} were not read" if s.doubted else "")


def section_timelines(verified: Verified) -> Section:
    """Source and target of some schedules: those that differ first, then the liveliest.

    Layers, then PagerDuty's result; rotations, then Harness's; where the results part is outlined.
    """
    until = min(verified.since + timedelta(days=DAYS_DRAWN), verified.until)
    span, account = (to_instant(verified.since), to_instant(until)), verified.draft.account
    people = name_people(verified.draft) | {user.id: user.name for user in account.users.values()}
    shown = sorted(verified.schedules, key=lambda s: (-s.differ, -len(s.before.entries), s.name.casefold()))
    drawings = []
    for s in shown[:MOST_DRAWN]:
        before = source_lanes(account.all_schedules[s.id], ZoneInfo(s.time_zone), *span)
        after = target_lanes(verified.draft.state.schedules.get(s.identifier), *span)
        drawings.append(draw_sides(s, verified.since, until, people, layers=(before, after)))
    text = f"{len(drawings)} of {len(shown)} schedules; the others are drawn on the pages of their teams."
    return Section(f"Before and after, {DAYS_DRAWN} days", text, drawing="".join(drawings))


def section_changes(verified: Verified) -> Section:
    """The days around both next changes of the clock, which are not in the horizon's hours."""
    columns: Columns[tuple[ScheduleParity, WindowParity]] = {
        "Schedule": lambda one: one[0].name,
        "The clock changes": lambda one: format_instant(one[1].change, one[0].time_zone),
        "Differ": lambda one: f"{one[1].differ} s",
        "Result": lambda one: describe_grade(one[1].differ, one[1].unverified),
        "Before, by": lambda one: "PagerDuty's rendering" if one[1].judged else "our reading of the layers",
        "Reason": lambda one: _describe_window(*one),
    }
    rows = [(s, w) for s in verified.schedules for w in sorted(s.windows, key=lambda w: -w.differ)]
    table = make_table(rows, columns, "No schedule lives in a zone whose clock changes.")
    seconds = verified.count_windows()
    text = (
        f"Both next changes of every time zone, days before and after: agree {format_hours(seconds['agree_seconds'])}, "
        f"differ {format_hours(seconds['differ_seconds'])}. Counted apart from the horizon."
    )
    return Section("When the clock changes", text, table, open_up_to=12)


def _describe_window(s: ScheduleParity, w: WindowParity) -> str:
    """What lies behind a difference there: a decision, the day until which the schedule holds, or nothing."""
    if not w.differ:
        return ""
    held = w.held_until
    if held is not None and any(start >= held for start, _, _, _ in w.compared.unexplained):
        return "; ".join(filter(None, (w.compared.describe(w.start, held), s.fidelity.reason)))
    return w.compared.describe(w.start, w.end)


def section_gaps(verified: Verified) -> Section:
    """Times without anybody on call: those that were there before, and those that are new."""
    nothing = "Somebody is always on call, before and after." if verified.schedules else NO_SCHEDULES
    columns: Columns[ScheduleParity] = {
        "Schedule": lambda s: s.name,
        "Gaps before": lambda s: format_hours(total(s.gaps_before)),
        "New gaps": lambda s: Tag(format_hours(total(s.new_gaps)), "bad" if s.new_gaps else "good"),
        "First new gap": lambda s: format_instant(s.new_gaps[0][0], s.time_zone) if s.new_gaps else "",
    }
    there = [s for s in verified.schedules if s.gaps_before or s.new_gaps]
    there.sort(key=lambda s: (-total(s.new_gaps), -total(s.gaps_before)))
    table = make_table(there, columns, nothing)
    return Section("Times with nobody on call", "Within the horizon.", table, open_up_to=12)


def section_policies(verified: Verified) -> Section:
    """Every level of every policy, those that differ first, each with its first difference.

    Before them, without a level, policies that page for no service and whose levels begin at other minutes.
    """
    levels = [(policy, level) for policy in verified.policies for level in policy.levels]
    levels.sort(key=lambda one: (-one[1].differ, -one[1].unverified, one[0].name.casefold(), one[1].number))
    otherwise = [one for one in verified.policies if one.begins and one.begins.before != one.begins.after]
    rows: list[tuple[PolicyParity, LevelParity | None]] = [*((policy, None) for policy in otherwise), *levels]
    columns: Columns[tuple[PolicyParity, LevelParity | None]] = {
        "Policy": lambda one: one[0].name,
        "Level": lambda one: one[1].number if one[1] else "all",
        "Agree": lambda one: one[1] and format_hours(one[1].agree),
        "Differ": lambda one: one[1] and format_hours(one[1].differ),
        "Unverified": lambda one: one[1] and format_hours(one[1].unverified),
        "Result": lambda one: describe_grade(*(one[1].differ, one[1].unverified) if one[1] else (1, 0)),
        "First difference": lambda one: _describe_first(*one),
        "Why unverified": lambda one: list(one[1].notes) if one[1] else [],
    }
    table = make_table(rows, columns, "No escalation policy is in scope.")
    counts = count_policies(verified.policies)
    told = ", ".join(f"{number} {grade}" for grade, number in counts.items())
    text = (
        f"Of {len(verified.policies)} policies: {told}. PagerDuty's own word on every level (its /oncalls) beside what we "
        "read out of its schedules and targets, and the same people beside those whom the level pages in Harness. It looks "
        "at most 90 days ahead and leaves out policies of no service: what it does not say is unverified. When the levels of a "
        "policy begin shows in the pages of its services; of one that pages for none it is compared here. PagerDuty is asked now; "
        f"the rest was read at {verified.draft.account.taken:%Y-%m-%d %H:%M} UTC: if PagerDuty was changed since, run "
        "preview again."
    )
    return Section("Who is on call at each level", text, table, open_up_to=40)


def _describe_first(policy: PolicyParity, level: LevelParity | None) -> list[str]:
    """Each kind of difference once, with the first moment and the people on both sides; without a level, when they begin."""
    if level is None:
        begins = policy.begins
        return [describe_begins(begins) + ("" if begins.unexplained else ", by decision")] if begins else []
    kinds = (("PagerDuty says", "we read", level.differences), ("in PagerDuty", "in Harness", level.target_differences))
    told = []
    for left, right, found in kinds:
        for start, end, before, after in sorted(found, key=lambda one: one[:2])[:1]:
            span = f"{format_instant(start, 'UTC')} to {format_instant(end, 'UTC')} UTC"
            told.append(f"{span}: {left} {describe_people(before)}; {right} {describe_people(after)}")
    return told


def section_services(verified: Verified) -> Section:
    """For pages at every handoff: are the same people notified at the same minutes."""
    text = "For pages at and just before each handoff, and so long before that a later level meets it, by the urgency of that hour: who is woken after how many minutes, if nobody acknowledges. At a minute a page is paged to somebody, still waiting for the next level or an answer, or dropped: nobody ever hears of it. Harness does not say what it does with an empty level: it is taken to pass over it at once, as PagerDuty does."
    columns: Columns[ServiceParity] = {
        "Service": lambda s: s.name,
        "Pages that are the same": describe_pages,
        "Paged in PagerDuty": lambda s: s.before,
        "Paged in Harness": lambda s: s.after,
        "First parts at, before / after": lambda s: s.parting,
        "Dropped, before / after": lambda s: f"{s.dropped_before} / {s.dropped_after}",
        "Would newly wake somebody": lambda s: Tag(str(s.louder), "bad") if s.louder else "0",
        "First level empty in Harness": lambda s: s.passed,
        "Reason": lambda s: s.reason,
    }
    table = make_table(sorted(verified.service_parity, key=lambda s: (s.equal - s.moments, s.name.casefold())), columns)
    return Section("Who is paged for each service", text, table)


def section_unreachable(verified: Verified) -> Section:
    """Whoever can be paged and would not hear it, the most urgent first."""
    table = _table_people(verified.unreachable, "Nobody is known to be out of reach.")
    text = (
        "They can be paged, and nobody would hear it: no account that is accepted, enabled and unlocked, or no channel that "
        "Harness serves in the first step of the notification rule. Who is the target of a level matters from now on."
    )
    return Section("Cannot be reached yet", text, table)


def section_reach(verified: Verified) -> Section:
    """Whoever has an account and is told later than today, or of whose channels nothing is known."""
    rows = verified.doubted
    text = (
        "They have an account, and would be told later than PagerDuty tells them today, or nobody can see how they are told. "
        "Ask them, and send each a test page."
    )
    table = _table_people(rows, "Everybody else who can be paged is told as soon as today.")
    return Section("Told later, or not known to be told", text, table, open_up_to=12)


def _table_people(people: tuple[Unreachable, ...], empty: str) -> Table:
    columns: Columns[Unreachable] = {
        "Person": lambda u: u.email,
        "Why": lambda u: u.why,
        "Next turn": lambda u: format_time(u.next_turn) if u.next_turn else "none in the window",
        "In": lambda u: list(u.schedules),
    }
    table = make_table(people, columns, empty)
    return table


def section_drift(verified: Verified) -> Section:
    """What the target has otherwise than the plan would leave it."""
    columns: Columns[Action] = {
        "Kind": lambda a: KIND_NAMES[a.kind],
        "Object": lambda a: a.name,
        "In Harness → as it should be": list_changes,
    }
    table = make_table(verified.drift, columns, "Every field is as it should be.")
    return Section("Field by field", "Read afresh from the target.", table)


PARTS: dict[str, Callable[[Verified], Section]] = {
    "schedules": section_schedules,
    "timelines": section_timelines,
    "changes": section_changes,
    "gaps": section_gaps,
    "differences": lambda verified: section_differences(
        verified.schedules, str, ("In PagerDuty", "In Harness"), NO_SCHEDULES, 40
    ),
    "policies": section_policies,
    "services": section_services,
    "unreachable": section_unreachable,
    "reach": section_reach,
    "drift": section_drift,
    "counts": lambda verified: section_counts(verified.draft, landed=True),
}
