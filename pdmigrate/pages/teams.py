"""One page per team, for its lead to sign off."""

import re
from datetime import timedelta

from pdmigrate.oncall.rota import to_datetime, to_instant
from pdmigrate.pages.report import Figure, Link, Page, Section, Tag, make_table
from pdmigrate.pages.standing import Standing, Team
from pdmigrate.pages.timeline import Lane, draw_timeline
from pdmigrate.pages.todo import section_handover
from pdmigrate.pages.words import make_bars, tell_hours, tell_instant, tell_time
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.services import ServiceParity

DAYS_DRAWN = 14
MOST_DRAWN = 40
GO_TONES = {"go": "good", "no_go": "bad"}


def page_name(team: str) -> str:
    """The stem of a team's file; a PagerDuty id is all letters and digits, a stranger's need not be."""
    return "team-" + re.sub(r"[^A-Za-z0-9_-]", "-", team)


def find_teams(standing: Standing) -> tuple[Team, ...]:
    return standing.teams


def make_pages(standing: Standing) -> list[Page]:
    return [make_page(standing, team) for team in standing.teams]


def make_page(standing: Standing, team: Team) -> Page:
    said = standing.sign_off(team.id)
    status = said.choice.replace("_", "-") if said else "not signed off"
    ready = (
        "Nothing speaks against going over." if not team.troubles else f"Before going over: {'; '.join(team.troubles)}."
    )
    differ = sum(s.differ for s in team.schedules)
    same = sum(s.same for s in team.services)
    figures = (
        Figure("Schedules", str(len(team.schedules))),
        Figure("Differ", tell_hours(differ), "bad" if differ else "good"),
        Figure(
            "Services that page the same people", f"{same} of {len(team.services)}", _tone(same < len(team.services))
        ),
        Figure("Cannot be reached yet", str(len(team.unreachable)), _tone(bool(team.unreachable))),
    )
    sections = (
        section_sign_off(standing, team),
        section_schedules(team),
        section_timelines(standing, team),
        section_differences(standing, team),
        section_services(team),
        section_people(standing, team),
        section_handover(team.items, "For the team to do"),
    )
    return Page(page_name(team.id), f"Team {team.name}", ready, status, figures, sections, tell_facts(standing))


def tell_facts(standing: Standing) -> tuple[tuple[str, str], ...]:
    """What a reader of months later needs to know about the data behind a page."""
    return (
        ("Migration", standing.name),
        ("Data as of", tell_time(standing.draft.account.taken)),
        ("Compared until", tell_time(standing.verified.until)),
        ("Plan", standing.plan_digest),
        ("Snapshot", standing.draft.account.digest),
    )


def section_teams(standing: Standing) -> Section:
    """Go or no-go per team."""
    rows = [_row_team(standing, team) for team in standing.teams]
    columns = {
        "team": "Team",
        "said": "Go or no-go",
        "troubles": "What speaks against it now",
        "by": "Said by",
        "at": "Date",
        "plan": "Plan",
    }
    text = "A team goes over when its lead says so on its page, in the notebook verify or in decisions.yaml."
    return Section("Teams", text, make_table(rows, columns, "No team has anything in scope."))


def _row_team(standing: Standing, team: Team) -> dict:
    said = standing.sign_off(team.id)
    tag = Tag(said.choice.replace("_", "-"), GO_TONES[said.choice]) if said else Tag("not yet", "warn")
    by, at, plan = (said.by, said.at[:16].replace("T", " "), said.plan[:12]) if said else ("", "", "")
    link = Link(team.name, f"{page_name(team.id)}.html")
    return {"team": link, "said": tag, "by": by, "at": at, "plan": plan, "troubles": list(team.troubles) or "nothing"}


def section_sign_off(standing: Standing, team: Team) -> Section:
    """What was said; or the lines to sign on paper."""
    said = standing.sign_off(team.id)
    state = said.choice.replace("_", "-") if said else "____________________"
    rows = [
        {"what": "Team lead", "value": ", ".join(team.leads) or "PagerDuty names no manager"},
        {"what": "Go or no-go", "value": state},
        {"what": "By", "value": said.by if said else "____________________"},
        {"what": "Date", "value": said.at if said else "____________________"},
        {"what": "Plan that this is about", "value": said.plan if said else standing.plan_digest},
        {"what": "Remark", "value": said.why if said else "____________________"},
    ]
    return Section("Sign-off", table=make_table(rows, {"what": "Line", "value": "Entry"}))


def section_schedules(team: Team) -> Section:
    rows = [
        {
            "name": s.name,
            "zone": s.time_zone,
            "agree": tell_hours(s.agree),
            "differ": tell_hours(s.differ),
            "grade": tell_grade(s.differ, s.unverified),
            "reason": s.reason,
        }
        for s in sorted(team.schedules, key=lambda s: (-s.differ, s.name.casefold()))
    ]
    columns = {
        "name": "Schedule",
        "zone": "Time zone",
        "agree": "Agree",
        "differ": "Differ",
        "grade": "Result",
        "reason": "Reason",
    }
    return Section("Who is on call", table=make_table(rows, columns, "The team owns no schedule in scope."))


def section_timelines(standing: Standing, team: Team) -> Section:
    """Before and after, for two weeks."""
    since = standing.verified.since
    until = min(since + timedelta(days=DAYS_DRAWN), standing.verified.until)
    shown = sorted(team.schedules, key=lambda s: (-s.differ, s.name.casefold()))[:MOST_DRAWN]
    drawings = [_draw(standing, schedule, since, until) for schedule in shown]
    text = (
        f"{len(shown)} of {len(team.schedules)} schedules, {DAYS_DRAWN} days."
        if shown
        else "There is no schedule to draw."
    )
    return Section("Before and after", text, drawing="".join(drawings))


def _draw(standing: Standing, s, since, until) -> str:
    start, end = to_instant(since), to_instant(until)
    names = {
        person: standing.name_of(person) for side in (s.before, s.after) for _, _, who in side.entries for person in who
    }
    lanes = [Lane("PagerDuty", make_bars(s.before.clip(start, end), names))]
    if not s.is_unverified:
        lanes.append(Lane("Harness", make_bars(s.after.clip(start, end), names), True))
    spans = [(max(a, start), min(b, end)) for a, b, _, _ in s.differences if a < end and b > start]
    marks = [(to_datetime(a), to_datetime(b)) for a, b in spans]
    return draw_timeline(lanes, since, until, s.time_zone, s.name, marks)


def section_differences(standing: Standing, team: Team) -> Section:
    rows = [
        {
            "name": s.name,
            "start": tell_instant(a, s.time_zone),
            "end": tell_instant(b, s.time_zone),
            "before": ", ".join(sorted(map(standing.name_of, before))) or "nobody",
            "after": ", ".join(sorted(map(standing.name_of, after))) or "nobody",
            "reason": s.compared.tell(a, b),
        }
        for s in team.schedules
        for a, b, before, after in s.differences
    ]
    columns = {
        "name": "Schedule",
        "start": "From",
        "end": "To",
        "before": "Before",
        "after": "After",
        "reason": "Reason",
    }
    nothing = "No second differs." if team.schedules else "There is no schedule to compare."
    return Section("Differences", table=make_table(rows, columns, nothing), folded=len(rows) > 30)


def section_services(team: Team) -> Section:
    rows = [
        {
            "name": s.name,
            "equal": tell_pages(s),
            "before": s.before.split("; "),
            "after": s.after.split("; "),
            "reason": s.reason,
        }
        for s in sorted(team.services, key=lambda s: (s.equal - s.moments, s.name.casefold()))
    ]
    columns = {
        "name": "Service",
        "equal": "Pages that are the same",
        "before": "Paged before",
        "after": "Paged after",
        "reason": "Reason",
    }
    return Section(
        "Services", table=make_table(rows, columns, "The team owns no service in scope."), folded=len(rows) > 40
    )


def section_people(standing: Standing, team: Team) -> Section:
    """Who can be reached, who was tested. Targets of the team's policies that page nobody stand among the people."""
    why = {u.email: u for u in (*team.doubted, *team.unreachable)}
    tested = {item.about[1] for item in standing.items if item.what == "test page" and item.done}
    ids = {email: id for id, email in standing.draft.work.emails.items()}
    known = [person for person in team.people if person in ids or person in why]
    rows = [
        {
            "name": standing.name_of(person),
            "email": person,
            "reach": _tell_reach(team, why.get(person)),
            "tested": "yes" if ids.get(person) in tested else "not yet",
            "next": tell_time(why[person].next_turn) if person in why and why[person].next_turn else "",
            "where": list(why[person].schedules) if person in why else [],
        }
        for person in [*known, *sorted(why.keys() - set(known))]
    ]
    columns = {
        "name": "Person",
        "email": "Paged as",
        "reach": "Can be reached",
        "tested": "Test page seen",
        "next": "Next turn, if not reachable",
        "where": "In",
    }
    return Section("People", table=make_table(rows, columns, "Nobody of the team moves."), folded=len(rows) > 40)


def _tell_reach(team: Team, found: Unreachable | None) -> Tag:
    if found is None:
        return Tag("has an account", "good")
    return Tag(found.why, "bad" if found in team.unreachable else "warn")


def tell_grade(differ: int, unverified: int) -> Tag:
    return Tag("differ", "bad") if differ else Tag("unverified", "warn") if unverified else Tag("agree", "good")


def tell_pages(s: ServiceParity) -> Tag:
    """How many of the pages that were compared are the same."""
    if s.unverified:
        return Tag("unverified", "warn")
    return Tag(f"{s.equal} of {s.moments}", "good" if s.same else "bad")


def _tone(attention: bool) -> str:
    return "warn" if attention else "good"
