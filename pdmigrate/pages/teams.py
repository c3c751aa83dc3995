"""One page per team, for its lead to sign off."""

from datetime import timedelta
from operator import itemgetter
from typing import Any

from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pages.explained import tell_reason
from pdmigrate.pages.handover import section_handover
from pdmigrate.pages.people import ZOOM, draw_sides
from pdmigrate.pages.readiness import NO_TEAM, Readiness, TeamReadiness
from pdmigrate.pages.show import Columns, Link, Page, Section, Tag, make_table
from pdmigrate.pages.verdict import ANCHORS, describe_verdict, list_figures, list_paged
from pdmigrate.pages.verdict import section_services as draw_services
from pdmigrate.pages.words import format_hours, format_time, section_differences, tell_apart
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.verdicts import ServiceParity
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
    paged = (team.services, team.schedules, team.unreachable)
    figures = list_figures(*paged)
    sections = (
        section_sign_off(readiness, team),
        section_services(readiness, team),
        section_schedules(team),
        section_people(readiness, team),
        section_timelines(readiness, team),
        section_differences(
            team.schedules, readiness.name_of, ("Before", "After"), "There is no schedule to compare.", 30
        ),
        section_handover(team.items, "For the team to do"),
    )
    lead = f"{describe_verdict(*paged)}\n{ready}"
    return Page(page_name(team.id), f"Team {team.name}", lead, status, figures, sections, describe_facts(readiness))


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
        "Date": lambda one: readiness.tell_when(one[1].at) if one[1] else "",
        "Plan": lambda one: one[1].plan[:12] if one[1] else "",
    }
    table = make_table(said, columns, "No team has anything in scope.")
    text = "A team goes over when its lead says so on its page, in the notebook verify or in decisions.yaml."
    return Section("Teams", text, table)


def list_standings(readiness: Readiness) -> list[dict[str, Any]]:
    """Each team in a few words, for a page over many workspaces: what was said, what speaks against it, who is waited for."""
    standings = []
    for team in readiness.teams:
        said, left = readiness.sign_off(team.id), sum(not item.tick for item in team.items)
        choice = said.choice.replace("_", "-") if said else readiness.lapsed(team.id) or "not yet"
        waits = [] if said else [f"a go by {', '.join(team.leads) or 'somebody: PagerDuty names no manager'}"]
        waits += [f"{format_number(left, 'step')} by hand"] if left else []
        row = {"name": team.name, "page": f"{page_name(team.id)}.html", "choice": choice}
        standings.append({**row, "troubles": list(team.troubles), "waits": waits})
    return standings


def section_sign_off(readiness: Readiness, team: TeamReadiness) -> Section:
    """What was said; or the lines to sign on paper."""
    said, blank = readiness.sign_off(team.id), "____________________"
    lines = {
        "Team lead": ", ".join(team.leads) or "PagerDuty names no manager",
        "Go or no-go": said.choice.replace("_", "-") if said else blank,
        "By": said.by if said else blank,
        "Date": readiness.tell_when(said.at) if said else blank,
        "Plan that this is about": said.plan if said else readiness.plan_digest,
        "Remark": said.why if said else blank,
    }
    return Section("Sign-off", table=make_table(lines.items(), {"Line": itemgetter(0), "Entry": itemgetter(1)}))


def section_schedules(team: TeamReadiness) -> Section:
    names = tell_apart(team.schedules)
    columns: Columns[ScheduleParity] = {
        "Schedule": lambda s: names[s.id],
        "Time zone": lambda s: s.time_zone,
        "Result": lambda s: describe_grade(s.differ, s.unverified),
        "Same people": lambda s: format_hours(s.agree - s.nobody),
        "Other people": lambda s: format_hours(s.differ),
        "Nobody, on either side": lambda s: format_hours(s.nobody),
        "Reason": lambda s: tell_reason(s.reason),
    }
    rows = sorted(team.schedules, key=lambda s: (-s.differ, s.name.casefold()))
    return Section(
        "Who is on call",
        table=make_table(rows, columns, "The team owns no schedule in scope."),
        anchor=ANCHORS["on_call"],
    )


def section_timelines(readiness: Readiness, team: TeamReadiness) -> Section:
    """Before and after, for two weeks."""
    since = readiness.verified.since
    until = min(since + timedelta(days=DAYS_DRAWN), readiness.verified.until)
    shown = sorted(team.schedules, key=lambda s: (-s.differ, s.name.casefold()))[:MOST_DRAWN]
    names, people = tell_apart(team.schedules), readiness.people
    drawings = [
        draw_sides(s, since, until, people, readiness.now, not s.is_unverified, name=names[s.id]) for s in shown
    ]
    text = (
        f"{len(shown)} of {format_number(len(team.schedules), 'schedule')}, {DAYS_DRAWN} days. {ZOOM}"
        if shown
        else "There is no schedule to draw."
    )
    return Section("Before and after", text, drawing="".join(drawings))


def section_services(readiness: Readiness, team: TeamReadiness) -> Section:
    people = readiness.people
    more: Columns[ServiceParity] = {
        "Paged before": lambda s: list_paged(s.shown.before, people),
        "Paged after": lambda s: s.after if s.unverified else list_paged(s.shown.after, people),
        "Reason": lambda s: tell_reason(s.reason),
    }
    names = tell_apart(team.services)
    return draw_services(
        team.services, lambda s: names[s.id], more, "The team owns no service in scope.", open_up_to=40
    )


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
            format_local(turn, readiness.home) if person in why and (turn := why[person].next_turn) else ""
        ),
        "In": lambda person: list(why[person].schedules) if person in why else [],
    }
    out = {u.email for u in team.unreachable}
    people = sorted(
        [*known, *(why.keys() - set(known))], key=lambda person: (person not in out, readiness.name_of(person))
    )
    anchor = {True: ANCHORS["unreachable"], False: ""}
    table = make_table(people, columns, "Nobody of the team moves.", anchor=lambda person: anchor[person in out])
    return Section("People", table=table, open_up_to=40)


def _describe_reach(team: TeamReadiness, found: Unreachable | None) -> Tag:
    if found is None:
        return Tag("has an account", "good")
    return Tag(found.why, "bad" if found in team.unreachable else "warn")


def describe_grade(differ: int, unverified: int) -> Tag:
    return Tag("differ", "bad") if differ else Tag("not compared", "warn") if unverified else Tag("agree", "good")
