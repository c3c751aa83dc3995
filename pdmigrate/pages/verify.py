"""The page of step 6."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from pdmigrate.oncall.rota import Rota, to_datetime, to_instant, total
from pdmigrate.pages.policies import section_policies
from pdmigrate.pages.report import Figure, Page, Section, Table, Tag, make_table
from pdmigrate.pages.teams import describe_grade, describe_pages
from pdmigrate.pages.timeline import Bar, Lane, draw_timeline
from pdmigrate.pages.words import (
    KIND_NAMES,
    format_hours,
    format_instant,
    format_percent,
    format_time,
    list_changes,
    make_bars,
    section_counts,
    table_differences,
    warn_if,
)
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.schedules import ScheduleParity, WindowParity, source_lanes, target_lanes
from pdmigrate.steps.verify import Verified

MOST_DRAWN = 6
DAYS_DRAWN = 28

NO_SCHEDULES = "No schedule is in scope: there is none to compare."


def make_page(verified: Verified) -> Page:
    seconds = verified.count_seconds()
    read = seconds["agree_seconds"] + seconds["differ_seconds"]
    share = format_percent(seconds["agree_seconds"], read) if read else "not known"
    lead = _describe_lead(verified, share, read)
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


def _describe_lead(verified: Verified, share: str, read: int) -> str:
    if not verified.schedules:
        return f"{NO_SCHEDULES} Who is paged for each service is compared below."
    if not read:
        return "Harness has no API to read schedules from: what was meant to be written could not be compared."
    judged = sum(s.judged for s in verified.schedules)
    basis = (
        f"{len(verified.schedules)} schedules, {judged} of them by PagerDuty's own rendering, read back from the target"
    )
    unexplained = (
        f" {len(verified.unexplained)} differences have no decision behind them." if verified.unexplained else ""
    )
    return f"The same people are on call for {share} of the time compared ({basis}).{unexplained}"


def section_schedules(verified: Verified) -> Section:
    """Every schedule, those that differ first."""
    held = {h.key: f"not moved: {h.reason}" for h in verified.draft.plan.held if h.kind == "schedules"}
    text = (
        "Second by second: who is on call in PagerDuty, and who the target itself says is on call; beside it, whether our "
        "reading of its rotations says the same. Windows, empty or repeated places and ends are in our contract, not in "
        "what Harness documents."
    )
    table = make_table(
        sorted(verified.schedules, key=lambda s: (-s.differ, -s.unverified, s.name.casefold())),
        {
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
        },
        empty=NO_SCHEDULES,
    )
    return Section("Who is on call", text, table)


def _describe_judge(s: ScheduleParity) -> str:
    """By what the before is known; overrides that nobody has read are none that nobody has."""
    if s.judged:
        return "PagerDuty's rendering"
    return "our reading of the layers" + (f"; its {s.doubted} were not read" if s.doubted else "")


def section_timelines(verified: Verified) -> Section:
    """Source and target of some schedules: those that differ first, then the liveliest."""
    until = min(verified.since + timedelta(days=DAYS_DRAWN), verified.until)
    start, end = to_instant(verified.since), to_instant(until)
    names = {email: verified.draft.account.users[id].name for id, email in verified.draft.mapped.emails.items()}
    shown = sorted(verified.schedules, key=lambda s: (-s.differ, -len(s.before.entries), s.name.casefold()))[
        :MOST_DRAWN
    ]
    drawings = [_draw(verified, s, names, start, end) for s in shown]
    return Section(
        f"Before and after, {DAYS_DRAWN} days",
        f"{len(shown)} of {len(verified.schedules)} schedules; the others are drawn on the pages of their teams.",
        drawing="".join(drawings),
    )


def _draw(verified: Verified, s: ScheduleParity, names: dict[str, str], start: int, end: int) -> str:
    """Layers, then PagerDuty's result; rotations, then Harness's; where the results part is outlined."""
    account, zone = verified.draft.account, ZoneInfo(s.time_zone)
    before = source_lanes(account.all_schedules[s.id], zone, start, end)
    after = target_lanes(verified.draft.state.schedules.get(s.identifier), start, end)
    people = names | {user.id: user.name for user in account.users.values()}
    lanes = [
        *(Lane(name, _list_bars(alone, people)) for name, alone in before),
        Lane("PagerDuty", make_bars(s.before.clip(start, end), people), True),
        *(Lane(name, _list_bars(alone, people)) for name, alone in after),
        Lane("Harness", make_bars(s.after.clip(start, end), people), True),
    ]
    parted = [(to_datetime(max(a, start)), to_datetime(min(b, end))) for a, b, _, _ in s.differences if a < end]
    return draw_timeline(lanes, to_datetime(start), to_datetime(end), s.time_zone, s.name, parted)


def _list_bars(rotas: tuple[Rota, ...], people: dict[str, str]) -> tuple[Bar, ...]:
    return tuple(bar for one in rotas for bar in make_bars(one, people))


def section_changes(verified: Verified) -> Section:
    """The days around both next changes of the clock, which are not in the horizon's hours."""
    table = make_table(
        [(s, w) for s in verified.schedules for w in sorted(s.windows, key=lambda w: -w.differ)],
        {
            "Schedule": lambda one: one[0].name,
            "The clock changes": lambda one: format_instant(one[1].change, one[0].time_zone),
            "Differ": lambda one: f"{one[1].differ} s",
            "Result": lambda one: describe_grade(one[1].differ, one[1].unverified),
            "Before, by": lambda one: "PagerDuty's rendering" if one[1].judged else "our reading of the layers",
            "Reason": lambda one: _describe_window(*one),
        },
        "No schedule lives in a zone whose clock changes.",
    )
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
    table = make_table(
        [
            s
            for s in sorted(verified.schedules, key=lambda s: (-total(s.new_gaps), -total(s.gaps_before)))
            if s.gaps_before or s.new_gaps
        ],
        {
            "Schedule": lambda s: s.name,
            "Gaps before": lambda s: format_hours(total(s.gaps_before)),
            "New gaps": lambda s: Tag(format_hours(total(s.new_gaps)), "bad" if s.new_gaps else "good"),
            "First new gap": lambda s: format_instant(s.new_gaps[0][0], s.time_zone) if s.new_gaps else "",
        },
        empty=nothing,
    )
    return Section("Times with nobody on call", "Within the horizon.", table, open_up_to=12)


def section_differences(verified: Verified) -> Section:
    """When somebody else is on call, and who."""

    def name(people: frozenset[str]) -> str:
        return ", ".join(sorted(people)) or "nobody"

    nothing = "No second differs." if verified.schedules else NO_SCHEDULES
    table = table_differences(verified.schedules, name, ("In PagerDuty", "In Harness"), nothing)
    return Section("Differences", table=table, open_up_to=40)


def section_services(verified: Verified) -> Section:
    """For pages at every handoff: are the same people notified at the same minutes."""
    text = "For pages at and just before each handoff, and so long before that a later level meets it, by the urgency of that hour: who is woken after how many minutes, if nobody acknowledges. At a minute a page is paged to somebody, still waiting for the next level or an answer, or dropped: nobody ever hears of it. Harness does not say what it does with an empty level: it is taken to pass over it at once, as PagerDuty does."
    table = make_table(
        sorted(verified.services, key=lambda s: (s.equal - s.moments, s.name.casefold())),
        {
            "Service": lambda s: s.name,
            "Pages that are the same": describe_pages,
            "Paged in PagerDuty": lambda s: s.before,
            "Paged in Harness": lambda s: s.after,
            "First parts at, before / after": lambda s: s.parting,
            "Dropped, before / after": lambda s: f"{s.dropped_before} / {s.dropped_after}",
            "Would newly wake somebody": lambda s: Tag(str(s.louder), "bad") if s.louder else "0",
            "First level empty in Harness": lambda s: s.passed,
            "Reason": lambda s: s.reason,
        },
    )
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
    table = make_table(
        people,
        {
            "Person": lambda u: u.email,
            "Why": lambda u: u.why,
            "Next turn": lambda u: format_time(u.next_turn) if u.next_turn else "none in the window",
            "In": lambda u: list(u.schedules),
        },
        empty=empty,
    )
    return table


def section_drift(verified: Verified) -> Section:
    """What the target has otherwise than the plan would leave it."""
    table = make_table(
        verified.drift,
        {
            "Kind": lambda a: KIND_NAMES[a.kind],
            "Object": lambda a: a.name,
            "In Harness → as it should be": list_changes,
        },
        empty="Every field is as it should be.",
    )
    return Section("Field by field", "Read afresh from the target.", table)


PARTS: dict[str, Callable[[Verified], Section]] = {
    "schedules": section_schedules,
    "timelines": section_timelines,
    "changes": section_changes,
    "gaps": section_gaps,
    "differences": section_differences,
    "policies": section_policies,
    "services": section_services,
    "unreachable": section_unreachable,
    "reach": section_reach,
    "drift": section_drift,
    "counts": lambda verified: section_counts(verified.draft, landed=True),
}
