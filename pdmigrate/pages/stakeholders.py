"""The report for those who decide: what moves, who goes over, what is proved and by what, what is still open."""

from datetime import timedelta
from operator import itemgetter

from pdmigrate.pages.handover import section_handover
from pdmigrate.pages.readiness import Readiness, find_untested, format_number
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.teams import describe_facts, describe_pages, section_teams
from pdmigrate.pages.words import format_hours, format_percent, format_time, section_counts, warn_if
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.services import ServiceParity

FOLD_FROM = 15
"""Longer tables start closed: the report is a few screens long, and whoever looks for a name opens or filters."""
SOON = timedelta(days=7)
SAME_HOURS = 1 / 3600


def make_page(readiness: Readiness) -> Page:
    said = [readiness.sign_off(team.id) for team in readiness.teams]
    going = sum(s is not None and s.choice == "go" for s in said)
    seconds = readiness.verified.count_seconds()
    read = seconds["agree_seconds"] + seconds["differ_seconds"]
    share = format_percent(seconds["agree_seconds"], read) if read else "not known"
    left = _count_unpointed(readiness)
    figures = (
        Figure("Teams that said go", f"{going} of {len(said)}", warn_if(going < len(said))),
        Figure("Same people on call", share, warn_if(not read or bool(seconds["differ_seconds"]))),
        Figure(
            "Cannot be reached yet",
            str(len(readiness.verified.unreachable)),
            warn_if(readiness.verified.unreachable),
        ),
        Figure("Integrations still at PagerDuty", f"{left[0]} of {left[1]}", warn_if(left[0] > 0)),
        Figure("Open questions", str(len(readiness.draft.open)), warn_if(readiness.draft.open)),
    )
    facts = (
        ("Good until", _describe_good_until(readiness)),
        *describe_facts(readiness),
        ("Approved", _describe_approval(readiness)),
    )
    sections = tuple(part(readiness) for part in PARTS)
    title = f"Moving {readiness.name} from PagerDuty to Harness"
    same = f"Over the {_days(readiness)} days compared, the same people are on call for {share} of the time."
    if not readiness.verified.schedules:
        same = "No schedule is in scope: who is on call cannot be compared, only who is paged for each service."
    out = len(readiness.verified.unreachable)
    reach = f" {format_number(out, 'person on call cannot', 'people on call cannot')} be reached through Harness yet."
    state = f"{going} of {len(said)} teams have said go." if going else "No team has said go yet."
    lead = f"{state} {same}{reach if out else ''}"
    refused = any(s is not None and s.choice == "no_go" for s in said)
    status = "no-go" if refused else "go" if going == len(said) else "waiting"
    return Page("stakeholders", title, lead, status, figures, sections, facts)


def _days(readiness: Readiness) -> int:
    return (readiness.verified.until - readiness.verified.since).days


def _describe_good_until(readiness: Readiness) -> str:
    """A plan may be made from data of this age; who is on call is compared for longer."""
    until = readiness.draft.account.taken + readiness.good_for
    return (
        f"{format_time(until)} for decisions; who is on call is compared until {format_time(readiness.verified.until)}"
    )


def _describe_approval(readiness: Readiness) -> str:
    known = readiness.approval
    return (
        f"by {known.by or 'somebody'}, {known.at[:16].replace('T', ' ')} UTC"
        if known
        else "on the command line, or not at all: see the page load"
    )


def section_summary(readiness: Readiness) -> Section:
    """When the data are from, how long they are good, what was approved."""
    text = "\n".join(
        (
            f"- Data as of {format_time(readiness.draft.account.taken)}. Good until {_describe_good_until(readiness)}.",
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
    return Section("Who is paged", text, table, open_up_to=FOLD_FROM)


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
    """Those that paged most lately first, with what is open for each."""
    services, last = readiness.verified.service_parity, readiness.draft.account.services
    ranked = sorted(services, key=lambda s: s.name.casefold())
    ranked.sort(key=lambda s: last[s.id].last_incident_timestamp or "", reverse=True)
    text = "Those that paged most lately stand first: a snapshot of PagerDuty says when a service paged last, not how often."
    columns: Columns[ServiceParity] = {
        "Service": lambda s: s.name,
        "Last paged": lambda s: (last[s.id].last_incident_timestamp or "never, or not known")[:16].replace("T", " "),
        "Pages that are the same": describe_pages,
        "Open": lambda s: _list_open(readiness, s) or "nothing",
    }
    return Section("Services", text, make_table(ranked, columns, "No service is in scope."), open_up_to=FOLD_FROM)


def _list_open(readiness: Readiness, service: ServiceParity) -> list[str]:
    differs = [f"pages others: {service.reason}"] if service.different else []
    nobody = ["pages nobody in Harness"] if service.after == "nobody" and service.before != "nobody" else []
    mine = [i for i in readiness.items if i.about == ("services", service.id) and i.what == "re-point" and not i.tick]
    return (
        differs
        + nobody
        + ([format_number(len(mine), "integration to re-point", "integrations to re-point")] if mine else [])
    )


def section_reach(readiness: Readiness) -> Section:
    """Who cannot be reached, the most urgent first; how many were tested."""
    untested, asked = len(find_untested(readiness)), sum(item.what == "test page" for item in readiness.items)
    text = f"A test page was seen to arrive by {asked - untested} of {format_number(asked, 'person', 'people')} who can be paged."
    columns: Columns[Unreachable] = {
        "Cannot be reached yet": lambda u: readiness.name_of(u.email),
        "Why": lambda u: u.why,
        "Next turn": lambda u: format_time(u.next_turn) if u.next_turn else "none in the window",
        "Turn": lambda u: Tag("within a week", "bad") if _is_soon(readiness, u) else Tag("later"),
    }
    table = make_table(readiness.verified.unreachable, columns, "Nobody is known to be out of reach.")
    return Section("Who can be reached", text, table, open_up_to=FOLD_FROM)


def _is_soon(readiness: Readiness, unreachable: Unreachable) -> bool:
    return unreachable.next_turn is not None and unreachable.next_turn - readiness.now < SOON


def section_integrations(readiness: Readiness) -> Section:
    """What still sends to PagerDuty only."""
    items = [item for item in readiness.items if item.what == "re-point" and not item.tick]
    return section_handover(items, "Integrations not yet re-pointed", FOLD_FROM)


def section_parity(readiness: Readiness) -> Section:
    """Each figure of parity, and where its evidence lies."""
    verified, seconds = readiness.verified, readiness.verified.count_seconds()
    judged = sum(s.judged for s in verified.schedules)
    equal, asked = sum(s.equal for s in verified.service_parity), sum(s.moments for s in verified.service_parity)
    explained = sum(not s.unexplained for s in verified.schedules if s.differ)
    differing = sum(s.differ > 0 for s in verified.schedules)
    rotas = "rota/source and rota/target of the run, a file per schedule; page verify"
    rows = [
        ("On call: agree", format_hours(seconds["agree_seconds"]), rotas),
        (
            "On call: differ",
            f"{format_hours(seconds['differ_seconds'])} in {differing} schedules, {explained} by decision",
            rotas,
        ),
        ("On call: unverified", format_hours(seconds["unverified_seconds"]), "Harness has no API to read these from"),
        ("Before, by PagerDuty's own rendering", f"{judged} of {len(verified.schedules)} schedules", "the snapshot"),
        (
            "Pages that notify the same people",
            f"{equal:,} of {asked:,} compared",
            "levels walked on both sides; page verify",
        ),
        ("Fields read back as they should be", f"{len(verified.drift)} objects differ", "page verify, field by field"),
    ]
    table = make_table(rows, {"Claim": itemgetter(0), "Result": itemgetter(1), "Evidence": itemgetter(2)})
    return Section("What is proved, and by what", "Agree, differ and unverified are never added together.", table)


def section_risks(readiness: Readiness) -> Section:
    """What may go wrong, worst first."""
    soon = [u for u in readiness.verified.unreachable if _is_soon(readiness, u)]
    silent = [s.name for s in readiness.verified.service_parity if s.after == "nobody" and s.before != "nobody"]
    told = (
        (silent, "bad", "Services that page nobody in Harness", _list(silent)),
        (
            readiness.verified.unexplained,
            "bad",
            "Differences without a decision",
            _list(list(readiness.verified.unexplained), 4),
        ),
        (soon, "bad", "On call within a week, cannot be reached", _list([readiness.name_of(u.email) for u in soon])),
        (
            readiness.draft.plan.held,
            "warn",
            "Objects that do not move",
            _list([h.name for h in readiness.draft.plan.held]),
        ),
        (readiness.draft.open, "warn", "Open questions", format_number(len(readiness.draft.open), "question")),
        (
            find_untested(readiness),
            "warn",
            "Never tested",
            f"{format_number(len(find_untested(readiness)), 'person', 'people')} on call",
        ),
    )
    known = [(Tag(name, tone), detail) for there, tone, name, detail in told if there]
    return Section("Risks", table=make_table(known, {"Risk": itemgetter(0), "What": itemgetter(1)}, "None is known."))


def section_return(readiness: Readiness) -> Section:
    """Until when the way back is open."""
    left, whole = _count_unpointed(readiness)
    if not whole:
        words = "No integration is in scope, so nothing was re-pointed."
    elif left == whole:
        words = "Nothing has been re-pointed: PagerDuty pages as it always did, and going back takes nothing."
    else:
        words = f"{whole - left} of {whole} integrations send to Harness. Going back means pointing these at PagerDuty again."
    text = f"{words}\n\nNothing in PagerDuty was changed, and nothing in Harness is ever deleted by pdmigrate."
    return Section("The point of return", text)


def section_next(readiness: Readiness) -> Section:
    """In order, those that are left."""
    left, _ = _count_unpointed(readiness)
    waiting = sum(readiness.sign_off(team.id) is None for team in readiness.teams)
    steps = (
        (readiness.draft.open, "Answer the open questions (notebook conflicts), load again."),
        (
            readiness.verified.unreachable,
            "Make everybody reachable: accept invitations (they live seven days), enable accounts, enter contact methods.",
        ),
        (find_untested(readiness), "Send everybody on call a test page, and tick who has seen it (notebook verify)."),
        (waiting, f"{format_number(waiting, 'team')} to say go or no-go, each on its page."),
        (left, "Point the integrations at Harness, team by team, and tick them."),
        (True, "Run verify again shortly before each team goes over: the data are good for a day."),
    )
    return Section("Next steps", "\n".join(f"- {words}" for there, words in steps if there))


PARTS = (
    section_summary,
    section_teams,
    section_next,
    section_risks,
    section_return,
    lambda readiness: section_counts(readiness.draft, landed=True),
    section_paged,
    section_services,
    section_integrations,
    section_reach,
    section_parity,
)


def _count_unpointed(readiness: Readiness) -> tuple[int, int]:
    """(integrations not re-pointed, all of them)."""
    items = [item for item in readiness.items if item.what == "re-point"]
    return sum(not item.tick for item in items), len(items)
