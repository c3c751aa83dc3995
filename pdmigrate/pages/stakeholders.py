"""The report for those who decide: what moves, who goes over, what is proved and by what, what is still open."""

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter

from pdmigrate.oncall.rota import to_datetime
from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pages.explained import tell_reason
from pdmigrate.pages.handover import section_handover
from pdmigrate.pages.readiness import Readiness, find_untested
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.switch import is_soon, section_switch, section_to_do
from pdmigrate.pages.teams import describe_facts, section_teams
from pdmigrate.pages.verdict import ANCHORS, VERDICT_WORDS, describe_verdict, list_figures
from pdmigrate.pages.verdict import section_services as draw_services
from pdmigrate.pages.words import format_hours, section_counts, tell_apart, warn_if
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.verdicts import ServiceParity

FOLD_FROM = 15
"""Longer tables start closed: the report is a few screens long, and whoever looks for a name opens or filters."""
SAME_HOURS = 1 / 3600


def make_page(readiness: Readiness) -> Page:
    said = [readiness.sign_off(team.id) for team in readiness.teams]
    going = sum(s is not None and s.choice == "go" for s in said)
    left = _count_unpointed(readiness)
    verified = readiness.verified
    paged = (verified.service_parity, verified.schedules, verified.unreachable)
    figures = (
        *list_figures(*paged),
        Figure("Teams that said go", f"{going} of {len(said)}", warn_if(going < len(said)), "#teams"),
        Figure("Integrations still at PagerDuty", f"{left[0]} of {left[1]}", warn_if(left[0] > 0), "#integrations"),
        *([Figure("Open questions", str(len(readiness.draft.open)), "bad")] if readiness.draft.open else []),
    )
    facts = (
        ("Good until", _describe_good_until(readiness)),
        *describe_facts(readiness),
        ("Approved", _describe_approval(readiness)),
    )
    sections = tuple(part(readiness) for part in PARTS)
    title = f"Moving {readiness.name} from PagerDuty to Harness"
    refused = any(s is not None and s.choice == "no_go" for s in said)
    status = "no-go" if refused else "go" if going == len(said) else "waiting"
    lead = "\n".join(filter(None, (describe_verdict(*paged), readiness.growth)))
    return Page("stakeholders", title, lead, status, figures, sections, facts)


def _days(readiness: Readiness) -> int:
    return (readiness.verified.until - readiness.verified.since).days


def _describe_good_until(readiness: Readiness) -> str:
    """A plan may be made from data of this age; who is on call is compared for longer."""
    until = format_local(readiness.good_until, readiness.home)
    return f"{until} for decisions; who is on call is compared until {format_local(readiness.verified.until, readiness.home)}"


def _describe_approval(readiness: Readiness) -> str:
    known = readiness.approval
    return (
        f"by {known.by or 'somebody'}, {readiness.tell_when(known.at)}"
        if known
        else "on the command line, or not at all: see the page load"
    )


def section_summary(readiness: Readiness) -> Section:
    """When the data are from, how long they are good, what was approved."""
    text = "\n".join(
        (
            f"- Data as of {format_local(readiness.draft.account.taken, readiness.home)}. Good until {_describe_good_until(readiness)}.",
            f"- Plan {readiness.plan_digest[:12]}, approved {_describe_approval(readiness)}.",
            "- PagerDuty was only read. It goes on paging until its integrations are pointed at Harness.",
        )
    )
    return Section("In short", text)


def section_paged(readiness: Readiness) -> Section:
    """Who is newly paged, who no longer, and by how much the hours change."""
    before, after = readiness.paged
    columns: Columns[tuple[str, float, float]] = {
        "Person": lambda row: readiness.name_of(row[0]),
        "Hours before": lambda row: round(row[1], 1),
        "Hours after": lambda row: round(row[2], 1),
        "Change": lambda row: _tag_change(row[0], row[2] - row[1], before, after),
    }
    rows = sorted(readiness.hours, key=lambda row: (-abs(row[2] - row[1]), readiness.name_of(row[0])))
    table = make_table(rows, columns, "Nobody is on call.")
    newly, gone = sorted(map(readiness.name_of, after - before)), sorted(map(readiness.name_of, before - after))
    text = (
        f"- Newly paged: {_list(newly)}.\n- No longer paged: {_list(gone)}.\n"
        f"- Hours are those on call over {_days(readiness)} days, all schedules added up."
    )
    return Section("Who is on call, for how long", text, table, open_up_to=FOLD_FROM)


def _list(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nobody") + more


def _tag_change(person: str, change: float, before: frozenset[str], after: frozenset[str]) -> Tag:
    if person not in after:
        return Tag("no longer paged", "bad")
    if person not in before:
        return Tag("newly paged", "warn")
    return Tag("the same") if abs(change) < SAME_HOURS else Tag(f"{change:+,.1f} h", "warn")


def section_services(readiness: Readiness) -> Section:
    """What is said of each service, the worst first, and what is open for it."""
    last, home = readiness.draft.account.services, readiness.home
    names = tell_apart(readiness.verified.service_parity)

    def tell_last(s: ServiceParity) -> str:
        at = last[s.id].last_incident_timestamp
        return readiness.tell_when(at).removesuffix(f" ({home})") if at else "never, or not known"

    more: Columns[ServiceParity] = {
        f"Paged last ({home})": tell_last,
        "Reason": lambda s: tell_reason(s.reason),
        "To re-point": lambda s: _count_mine(readiness, s) or "nothing",
    }
    return draw_services(readiness.verified.service_parity, lambda s: names[s.id], more, "No service is in scope.")


def _count_mine(readiness: Readiness, service: ServiceParity) -> str:
    about = readiness.items_by_object.get(("services", service.id), ())
    mine = [item for item in about if item.what == "re-point" and not item.tick]
    return format_number(len(mine), "integration") if mine else ""


def section_differences(readiness: Readiness) -> Section:
    """The schedules in which others are on call; when, is on the pages of the teams."""
    names = tell_apart(readiness.verified.schedules)
    teams = {team.id: team.name for team in readiness.teams}
    columns: Columns[ScheduleParity] = {
        "Schedule": lambda s: names[s.id],
        "Teams": lambda s: [teams.get(id, id) for id in readiness.owners_of("schedules", s.id)],
        "Other people are on call for": lambda s: format_hours(s.differ),
        "Not compared": lambda s: format_hours(s.unverified),
        "First": lambda s: format_local(to_datetime(s.differences[0][0]), s.time_zone) if s.differ else "",
        "Reason": lambda s: tell_reason(s.reason),
    }
    rows = [s for s in readiness.verified.schedules if s.differ or s.unverified]
    rows.sort(key=lambda s: (not s.unexplained, -s.differ, s.name.casefold()))
    empty = "In every schedule the same people are on call." if names else "No schedule is in scope."
    table = make_table(rows, columns, empty, anchor=lambda s: ANCHORS["differences"])
    text = "" if not rows else "When, and who instead of whom, is on the pages of the teams."
    return Section("Who is on call", text, table, anchor=ANCHORS["on_call"])


def section_reach(readiness: Readiness) -> Section:
    """Who cannot be reached, the most urgent first; how many were tested."""
    untested, asked = len(find_untested(readiness)), sum(item.what == "test page" for item in readiness.items)
    text = f"A test page was seen to arrive by {asked - untested} of {format_number(asked, 'person', 'people')} who can be paged."
    columns: Columns[Unreachable] = {
        "Cannot be reached yet": lambda u: readiness.name_of(u.email),
        "Why": lambda u: u.why,
        "Next turn": lambda u: format_local(u.next_turn, readiness.home) if u.next_turn else "none in the window",
        "Turn": lambda u: Tag("within a week", "bad") if is_soon(readiness, u) else Tag("later"),
    }
    table = make_table(readiness.verified.unreachable, columns, "Nobody is known to be out of reach.")
    return Section("Who can be reached", text, table, anchor=ANCHORS["unreachable"], open_up_to=FOLD_FROM)


def section_integrations(readiness: Readiness) -> Section:
    """What still sends to PagerDuty only."""
    items = [item for item in readiness.items if item.what == "re-point" and not item.tick]
    section = section_handover(items, "Integrations not yet re-pointed", FOLD_FROM)
    return replace(section, anchor="integrations")


def section_parity(readiness: Readiness) -> Section:
    """Each figure of parity, and where its evidence lies."""
    verified, seconds = readiness.verified, readiness.verified.count_seconds()
    judged = sum(s.judged for s in verified.schedules)
    heard, otherwise, unheard, silent = (
        (
            sum(count)
            for count in zip(
                *((s.heard, len(s.otherwise), len(s.unheard), s.silent) for s in verified.service_parity), strict=True
            )
        )
        if verified.service_parity
        else (0, 0, 0, 0)
    )
    explained = sum(not s.unexplained for s in verified.schedules if s.differ)
    differing = sum(s.differ > 0 for s in verified.schedules)
    nobody = sum(s.nobody for s in verified.schedules)
    walked = "levels walked on both sides; page verify"
    rotas = "rota/source and rota/target of the run, a file per schedule; page verify"
    rows = [
        ("On call: the same people", format_hours(seconds["agree_seconds"] - nobody), rotas),
        ("On call: nobody, on either side", format_hours(nobody), rotas),
        (
            "On call: other people",
            f"{format_hours(seconds['differ_seconds'])} in {format_number(differing, 'schedule')}, {explained} by decision",
            rotas,
        ),
        ("On call: not compared", format_hours(seconds["unverified_seconds"]), "Harness has no API to read these from"),
        ("Before, by PagerDuty's own rendering", f"{judged} of {len(verified.schedules)} schedules", "the snapshot"),
        ("Pages: the same people", f"{heard:,}", walked),
        ("Pages: otherwise", f"{otherwise:,}", walked),
        ("Pages: nobody in Harness", f"{unheard:,}", walked),
        ("Pages: nobody on either side", f"{silent:,}", walked),
        (
            "Fields read back as they should be",
            format_number(len(verified.drift), "object differs", "objects differ"),
            "page verify, field by field",
        ),
    ]
    table = make_table(rows, {"Claim": itemgetter(0), "Result": itemgetter(1), "Evidence": itemgetter(2)})
    return Section(
        "What is proved, and by what",
        "What agrees, what differs and what could not be compared are never added together; nor is what pages nobody.",
        table,
    )


def section_risks(readiness: Readiness) -> Section:
    """What may go wrong, worst first."""
    verified, draft = readiness.verified, readiness.draft
    soon = [readiness.name_of(u.email) for u in verified.unreachable if is_soon(readiness, u)]
    untested = format_number(len(find_untested(readiness)), "person", "people")
    told = (
        *_list_verdicts(readiness),
        (verified.unexplained, "bad", "Differences without a decision", _list(list(verified.unexplained), 4)),
        (soon, "bad", "On call within a week, cannot be reached", _list(soon)),
        (draft.plan.held, "warn", "Objects that do not move", _list([h.name for h in draft.plan.held])),
        (draft.open, "bad", "Open questions", format_number(len(draft.open), "question")),
        (find_untested(readiness), "warn", "Never tested", f"{untested} on call"),
    )
    known = [(Tag(name, tone), detail) for there, tone, name, detail in told if there]
    return Section("Risks", table=make_table(known, {"Risk": itemgetter(0), "What": itemgetter(1)}, "None is known."))


def _list_verdicts(readiness: Readiness) -> Iterator[tuple[list[str], str, str, str]]:
    """The services that do not page the same people: which, the tone, what is said of them, and their names."""
    services = readiness.verified.service_parity
    names = tell_apart(services)
    for verdict in ("nobody", "otherwise", "unverified"):
        for tone, by in (("bad", "without a decision"), ("warn", "by decision")):
            there = [names[s.id] for s in services if s.verdict == verdict and bool(s.unexplained) == (tone == "bad")]
            said = "not compared" if verdict == "unverified" else f"{VERDICT_WORDS[verdict]}, {by}"
            yield there, tone, f"Service {said}", _list(there)


def section_return(readiness: Readiness) -> Section:
    """Until when the way back is open."""
    left, whole = _count_unpointed(readiness)
    moved = format_number(whole - left, "integration sends", "integrations send")
    if not whole:
        words = "No integration is in scope, so nothing was re-pointed."
    elif left == whole:
        words = "Nothing has been re-pointed: PagerDuty pages as it always did, and going back takes nothing."
    else:
        words = f"Of {whole}, {moved} to Harness. Going back means pointing {'it' if whole - left == 1 else 'these'} at PagerDuty again."
    text = f"{words}\n\nNothing in PagerDuty was changed, and nothing in Harness is deleted: only an undo removes what a run has made."
    return Section("Going back", text)


PARTS = (
    section_switch,
    section_to_do,
    section_teams,
    section_services,
    section_differences,
    section_reach,
    section_risks,
    section_return,
    section_summary,
    lambda readiness: section_counts(readiness.draft, landed=True),
    section_paged,
    section_integrations,
    section_parity,
)


def _count_unpointed(readiness: Readiness) -> tuple[int, int]:
    """(integrations not re-pointed, all of them)."""
    items = [item for item in readiness.items if item.what == "re-point"]
    return sum(not item.tick for item in items), len(items)
