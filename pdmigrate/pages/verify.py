"""The page of step 6."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.rota import to_instant, total
from pdmigrate.oncall.words import format_local, format_number, format_seconds
from pdmigrate.pages.explained import tell_reason
from pdmigrate.pages.people import ZOOM, draw_sides, know_people
from pdmigrate.pages.show import Columns, Page, Section, Table, Tag, make_table
from pdmigrate.pages.teams import describe_grade
from pdmigrate.pages.verdict import ANCHORS, describe_verdict, list_figures, list_paged
from pdmigrate.pages.verdict import section_services as draw_services
from pdmigrate.pages.words import (
    KIND_NAMES,
    format_hours,
    format_instant,
    format_time,
    list_changes,
    section_counts,
    section_differences,
    section_outcomes,
    tell_apart,
)
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.policies import LevelParity, PolicyParity, count_policies, describe_begins, describe_people
from pdmigrate.parity.schedules import ScheduleParity, WindowParity, source_lanes, target_lanes
from pdmigrate.parity.verdicts import ServiceParity
from pdmigrate.plan.actions import Action
from pdmigrate.steps.verify import Verified

MOST_DRAWN = 6
DAYS_DRAWN = 28

EMPTY_LEVELS = (
    "Harness does not say what it does with an empty level: it is taken to pass over it at once, as PagerDuty does."
)
NO_SCHEDULES = "No schedule is in scope: there is none to compare."


def make_page(verified: Verified) -> Page:
    paged = (verified.service_parity, verified.schedules, verified.unreachable)
    facts = (
        ("Window", f"{format_time(verified.since)} to {format_time(verified.until)}"),
        ("Data as of", format_time(verified.draft.account.taken)),
        ("Requests about clock changes", str(verified.window_requests)),
        ("Requests about the levels of policies", str(verified.oncall_requests)),
    )
    return Page("verify", "Verify", describe_verdict(*paged), figures=list_figures(*paged), facts=facts)


def section_schedules(verified: Verified) -> Section:
    """Every schedule, those that differ first."""
    held = {h.key: f"not moved: {h.reason}" for h in verified.draft.plan.held if h.kind == "schedules"}
    text = (
        "Second by second: who is on call in PagerDuty, and who the target itself says is on call; beside it, whether our "
        "reading of its rotations says the same. Windows, empty or repeated places and ends are not in what Harness "
        "documents: of them the proof is against the embedded Harness only."
    )
    names = tell_apart(verified.schedules)
    columns: Columns[ScheduleParity] = {
        "Schedule": lambda s: names[s.id],
        "Time zone": lambda s: s.time_zone,
        "Result": lambda s: describe_grade(s.differ, s.unverified),
        "Same people": lambda s: format_hours(s.agree - s.nobody),
        "Other people": lambda s: format_hours(s.differ),
        "Nobody, on either side": lambda s: format_hours(s.nobody),
        "Not compared": lambda s: format_hours(s.unverified),
        "Before, by": lambda s: _describe_judge(s),
        "How long it holds": lambda s: s.fidelity.describe(),
        "Proof": lambda s: s.fidelity.describe_needs(),
        "Our reading": lambda s: format_hours(s.read_otherwise) if s.read_otherwise else "the same",
        "Reason": lambda s: "; ".join(
            part for part in (tell_reason(s.reason), held.get(s.id, ""), s.fidelity.reason) if part
        ),
    }
    rows = sorted(verified.schedules, key=lambda s: (-s.differ, -s.unverified, s.name.casefold()))
    return Section("Who is on call", text, make_table(rows, columns, NO_SCHEDULES), anchor=ANCHORS["on_call"])


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
    people, names = know_people(verified.draft), tell_apart(verified.schedules)
    shown = sorted(verified.schedules, key=lambda s: (-s.differ, -len(s.before.entries), s.name.casefold()))
    drawings = []
    for s in shown[:MOST_DRAWN]:
        before = source_lanes(account.all_schedules[s.id], ZoneInfo(s.time_zone), *span)
        after = target_lanes(verified.draft.state.schedules.get(s.identifier), *span)
        sides = (before, after)
        drawings.append(draw_sides(s, verified.since, until, people, account.taken, layers=sides, name=names[s.id]))
    whole = format_number(len(shown), "schedule")
    more = "; the others are drawn on the pages of their teams" if len(drawings) < len(shown) else ""
    text = f"{len(drawings)} of {whole}{more}. {ZOOM}"
    return Section(f"Before and after, {DAYS_DRAWN} days", text, drawing="".join(drawings))


def section_changes(verified: Verified) -> Section:
    """The days around both next changes of the clock, which are not in the horizon's hours."""
    columns: Columns[tuple[ScheduleParity, WindowParity]] = {
        "Schedule": lambda one: one[0].name,
        "Time zone": lambda one: one[0].time_zone,
        "The clock changes": lambda one: format_instant(one[1].change, one[0].time_zone),
        "Differ": lambda one: format_seconds(one[1].differ) if one[1].differ else "nothing",
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
        "Not compared": lambda one: one[1] and format_hours(one[1].unverified),
        "Result": lambda one: describe_grade(*(one[1].differ, one[1].unverified) if one[1] else (1, 0)),
        "First difference": lambda one: _describe_first(*one, verified.draft.home_zone),
        "Why not compared": lambda one: list(one[1].notes) if one[1] else [],
    }
    table = make_table(rows, columns, "No escalation policy is in scope.")
    counts = count_policies(verified.policies)
    told = ", ".join(f"{number} {grade}" for grade, number in counts.items())
    text = (
        f"Of {format_number(len(verified.policies), 'policy', 'policies')}: {told}. PagerDuty's own word on every level (its /oncalls) beside what we "
        "read out of its schedules and targets, and the same people beside those whom the level pages in Harness. It looks "
        "at most 90 days ahead and leaves out policies of no service: what it does not say could not be compared. When the levels of a "
        "policy begin shows in the pages of its services; of one that pages for none it is compared here. PagerDuty is asked now; "
        f"the rest was read at {format_local(verified.draft.account.taken, verified.draft.home_zone)}: if PagerDuty was changed since, run "
        "preview again."
    )
    return Section("Who is on call at each level", text, table, open_up_to=40)


def _describe_first(policy: PolicyParity, level: LevelParity | None, zone: str) -> list[str]:
    """Each kind of difference once, with the first moment and the people on both sides; without a level, when they begin."""
    if level is None:
        begins = policy.begins
        return [describe_begins(begins) + ("" if begins.unexplained else ", by decision")] if begins else []
    kinds = (("PagerDuty says", "we read", level.differences), ("in PagerDuty", "in Harness", level.target_differences))
    told = []
    for left, right, found in kinds:
        for start, end, before, after in sorted(found, key=lambda one: one[:2])[:1]:
            span = f"{format_instant(start, zone)} to {format_instant(end, zone)} ({zone})"
            told.append(f"{span}: {left} {describe_people(before)}; {right} {describe_people(after)}")
    return told


def section_services(verified: Verified) -> Section:
    """For pages at every handoff: are the same people notified at the same minutes."""
    more: Columns[ServiceParity] = {
        "Paged in PagerDuty": lambda s: list_paged(s.shown.before, people),
        "Paged in Harness": lambda s: s.after if s.unverified else list_paged(s.shown.after, people),
        "First parts at, before / after": lambda s: people.tell(s.parting),
        "Would newly wake somebody": lambda s: Tag(str(s.louder), "bad") if s.louder else "0",
        "First level empty in Harness": lambda s: s.passed,
        "Reason": lambda s: tell_reason(s.reason),
    }
    names, people = tell_apart(verified.service_parity), know_people(verified.draft)
    section = draw_services(verified.service_parity, lambda s: names[s.id], more, "No service is in scope.")
    return replace(section, text=f"{section.text}\n\n{EMPTY_LEVELS}")


def section_unreachable(verified: Verified) -> Section:
    """Whoever can be paged and would not hear it, the most urgent first."""
    table = _table_people(verified.unreachable, "Nobody is known to be out of reach.", verified.draft)
    text = (
        "They can be paged, and nobody would hear it: no account that is accepted, enabled and unlocked, or no channel that "
        "Harness serves in the first step of the notification rule. Who is the target of a level matters from now on."
    )
    return Section("Cannot be reached", text, table, anchor=ANCHORS["unreachable"])


def section_reach(verified: Verified) -> Section:
    """Whoever has an account and is told later than today, or of whose channels nothing is known."""
    rows = verified.doubted
    text = (
        "They have an account, and would be told later than PagerDuty tells them today, or nobody can see how they are told. "
        "Ask them, and send each a test page."
    )
    table = _table_people(rows, "Everybody else who can be paged is told as soon as today.", verified.draft)
    return Section("Told later, or not known to be told", text, table, open_up_to=12)


def _tell_turn(one: Unreachable, zone: str) -> str:
    return format_local(one.next_turn, zone).removesuffix(f" ({zone})") if one.next_turn else ""


def _tell_person(name: str, email: str) -> str:
    """A name with the address to write to; whoever has none in Harness is known by an id alone."""
    return f"{name} ({email})" if "@" in email and name != email else name


def _table_people(rows: tuple[Unreachable, ...], empty: str, draft: Draft) -> Table:
    people, zone = know_people(draft), draft.home_zone
    columns: Columns[Unreachable] = {
        "Person": lambda u: _tell_person(people.name_of(u.email), u.email),
        "Why": lambda u: u.why,
        f"Next turn ({zone})": lambda u: _tell_turn(u, zone) if u.next_turn else "none in the window",
        "In": lambda u: list(u.schedules),
    }
    return make_table(rows, columns, empty)


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
    "services": section_services,
    "schedules": section_schedules,
    "unreachable": section_unreachable,
    "timelines": section_timelines,
    "changes": section_changes,
    "gaps": section_gaps,
    "differences": lambda verified: section_differences(
        verified.schedules, str, ("In PagerDuty", "In Harness"), NO_SCHEDULES, 40
    ),
    "policies": section_policies,
    "reach": section_reach,
    "drift": section_drift,
    "counts": lambda verified: section_counts(verified.draft, landed=True, listed=True),
    "outcomes": lambda verified: section_outcomes(verified.draft),
}
