"""One page per team, for its lead to sign off."""

from datetime import timedelta
from operator import itemgetter

from pdmigrate.pages.handover import section_handover
from pdmigrate.pages.readiness import NO_TEAM, Readiness, TeamReadiness
from pdmigrate.pages.show import Columns, Figure, Link, Page, Section, Tag, make_table
from pdmigrate.pages.words import draw_sides, format_hours, format_time, section_differences, warn_if
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.services import ServiceParity
from pdmigrate.plan.answers import SignOff
from pdmigrate.workspace.file_names import make_file_name

DAYS_DRAWN = 14
MOST_DRAWN = 40
GO_TONES = {"go": "good", "no_go": "bad"}


def page_name(team: str) -> str:
    """The stem of a team's files; the names of its tables have some words more behind it."""
    return "team-" + (team if team == NO_TEAM else make_file_name(team, longest=45))


def make_page(readiness: Readiness, team: TeamReadiness) -> Page:
    said = readiness.sign_off(team.id)
    status = said.choice.replace("_", "-") if said else readiness.lapsed(team.id) or "not signed off"
    ready = (
        "Nothing speaks against going over." if not team.troubles else f"Before going over: {'; '.join(team.troubles)}."
    )
    differ = sum(s.differ for s in team.schedules)
    same = sum(s.same for s in team.services)
    figures = (
        Figure("Schedules", str(len(team.schedules))),
        Figure("Differ", format_hours(differ), "bad" if differ else "good"),
        Figure(
            "Services that page the same people", f"{same} of {len(team.services)}", warn_if(same < len(team.services))
        ),
        Figure("Cannot be reached yet", str(len(team.unreachable)), warn_if(team.unreachable)),
    )
    sections = (
        section_sign_off(readiness, team),
        section_schedules(team),
        section_timelines(readiness, team),
        section_differences(
            team.schedules, readiness.name_of, ("Before", "After"), "There is no schedule to compare.", 30
        ),
        section_services(team),
        section_people(readiness, team),
        section_handover(team.items, "For the team to do"),
    )
    return Page(page_name(team.id), f"Team {team.name}", ready, status, figures, sections, describe_facts(readiness))


def describe_facts(readiness: Readiness) -> tuple[tuple[str, str], ...]:
    """What a reader of months later needs to know about the data behind a page."""
    return (
        ("Migration", readiness.name),
        ("Data as of", format_time(readiness.draft.account.taken)),
        ("Compared until", format_time(readiness.verified.until)),
        ("Plan", readiness.plan_digest),
        ("Snapshot", readiness.draft.account.digest),
    )


def section_teams(readiness: Readiness) -> Section:
    """Go or no-go per team."""
    said = [(team, readiness.sign_off(team.id)) for team in readiness.teams]
    columns: Columns[tuple[TeamReadiness, SignOff | None]] = {
        "Team": lambda one: Link(one[0].name, f"{page_name(one[0].id)}.html"),
        "Go or no-go": lambda one: (
            Tag(one[1].choice.replace("_", "-"), GO_TONES[one[1].choice])
            if one[1]
            else Tag(readiness.lapsed(one[0].id) or "not yet", "warn")
        ),
        "What speaks against it now": lambda one: list(one[0].troubles) or "nothing",
        "Said by": lambda one: one[1].by if one[1] else "",
        "Date": lambda one: one[1].at[:16].replace("T", " ") if one[1] else "",
        "Plan": lambda one: one[1].plan[:12] if one[1] else "",
    }
    table = make_table(said, columns, "No team has anything in scope.")
    text = "A team goes over when its lead says so on its page, in the notebook verify or in decisions.yaml."
    return Section("Teams", text, table)


def section_sign_off(readiness: Readiness, team: TeamReadiness) -> Section:
    """What was said; or the lines to sign on paper."""
    said, blank = readiness.sign_off(team.id), "____________________"
    lines = {
        "Team lead": ", ".join(team.leads) or "PagerDuty names no manager",
        "Go or no-go": said.choice.replace("_", "-") if said else blank,
        "By": said.by if said else blank,
        "Date": said.at if said else blank,
        "Plan that this is about": said.plan if said else readiness.plan_digest,
        "Remark": said.why if said else blank,
    }
    return Section("Sign-off", table=make_table(lines.items(), {"Line": itemgetter(0), "Entry": itemgetter(1)}))


def section_schedules(team: TeamReadiness) -> Section:
    columns: Columns[ScheduleParity] = {
        "Schedule": lambda s: s.name,
        "Time zone": lambda s: s.time_zone,
        "Agree": lambda s: format_hours(s.agree),
        "Differ": lambda s: format_hours(s.differ),
        "Result": lambda s: describe_grade(s.differ, s.unverified),
        "Reason": lambda s: s.reason,
    }
    rows = sorted(team.schedules, key=lambda s: (-s.differ, s.name.casefold()))
    return Section("Who is on call", table=make_table(rows, columns, "The team owns no schedule in scope."))


def section_timelines(readiness: Readiness, team: TeamReadiness) -> Section:
    """Before and after, for two weeks."""
    since = readiness.verified.since
    until = min(since + timedelta(days=DAYS_DRAWN), readiness.verified.until)
    shown = sorted(team.schedules, key=lambda s: (-s.differ, s.name.casefold()))[:MOST_DRAWN]
    drawings = [draw_sides(s, since, until, readiness.names, not s.is_unverified) for s in shown]
    text = (
        f"{len(shown)} of {len(team.schedules)} schedules, {DAYS_DRAWN} days."
        if shown
        else "There is no schedule to draw."
    )
    return Section("Before and after", text, drawing="".join(drawings))


def section_services(team: TeamReadiness) -> Section:
    columns: Columns[ServiceParity] = {
        "Service": lambda s: s.name,
        "Pages that are the same": describe_pages,
        "Paged before": lambda s: s.before.split("; "),
        "Paged after": lambda s: s.after.split("; "),
        "Reason": lambda s: s.reason,
    }
    rows = sorted(team.services, key=lambda s: (s.equal - s.moments, s.name.casefold()))
    return Section("Services", table=make_table(rows, columns, "The team owns no service in scope."), open_up_to=40)


def section_people(readiness: Readiness, team: TeamReadiness) -> Section:
    """Who can be reached, who was tested. Targets of the team's policies that page nobody stand among the people."""
    why = {u.email: u for u in (*team.doubted, *team.unreachable)}
    tested = {item.about[1] for item in readiness.items if item.what == "test page" and item.tick}
    ids = {email: id for id, email in readiness.draft.mapped.emails.items()}
    known = [person for person in team.people if person in ids or person in why]
    columns: Columns[str] = {
        "Person": readiness.name_of,
        "Paged as": lambda person: person,
        "Can be reached": lambda person: _describe_reach(team, why.get(person)),
        "Test page seen": lambda person: "yes" if ids.get(person) in tested else "not yet",
        "Next turn, if not reachable": lambda person: (
            format_time(turn) if person in why and (turn := why[person].next_turn) else ""
        ),
        "In": lambda person: list(why[person].schedules) if person in why else [],
    }
    table = make_table([*known, *sorted(why.keys() - set(known))], columns, "Nobody of the team moves.")
    return Section("People", table=table, open_up_to=40)


def _describe_reach(team: TeamReadiness, found: Unreachable | None) -> Tag:
    if found is None:
        return Tag("has an account", "good")
    return Tag(found.why, "bad" if found in team.unreachable else "warn")


def describe_grade(differ: int, unverified: int) -> Tag:
    return Tag("differ", "bad") if differ else Tag("unverified", "warn") if unverified else Tag("agree", "good")


def describe_pages(s: ServiceParity) -> Tag:
    """How many of the pages that were compared are the same."""
    if s.unverified:
        return Tag("unverified", "warn")
    return Tag(f"{s.equal} of {s.moments}", "good" if s.same else "bad")
