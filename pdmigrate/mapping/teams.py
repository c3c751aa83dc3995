"""Teams to user groups. Members are exact; the roles that PagerDuty gives them in the team have no counterpart."""

from pdmigrate.actions import Desired
from pdmigrate.identifiers import make_identifier, make_name
from pdmigrate.mapping.collisions import find_place, find_twins
from pdmigrate.mapping.work import FieldFate, Work, describe, exact, name_fate
from pdmigrate.pagerduty.records import Team


def map_teams(work: Work) -> None:
    """Want a group for every team in scope. Fills `work.groups`."""
    teams = list(work.in_scope("teams", work.account.teams))
    twins = find_twins(teams, lambda team: make_name(team.name, team.id))
    for team in teams:
        identifier, name = make_identifier(team.name, team.id), make_name(team.name, team.id)
        about = "group_name_collision"
        place = find_place(work, "teams", about, team, identifier, name, work.state.groups, team.id in twins)
        if place is not None:
            work.groups[team.id] = place.identifier
            _want_group(work, team, place)


def _want_group(work: Work, team: Team, place) -> None:
    """Only people who have an account are members; the invited join through their invitation."""
    members = work.account.members_of(team)
    emails = {work.emails[m.user.id] for m in members if m.user.id in work.emails}
    users = sorted(email for email in emails if email in work.state.people and work.state.people[email].accepted)
    if _may_miss_members(work, team) and place.identifier in work.state.groups:
        users = sorted({*users, *work.state.groups[place.identifier].users})
    fields = {"name": place.name, "description": describe(team.name, place.name, team.description), "users": users}
    taken = {"adopt": place.adopt, "merge": place.merge}
    desired = Desired("teams", team.id, place.identifier, place.name, fields, (team.id,), **taken)
    work.want(desired, [*exact("description"), name_fate(team.name, place.name), *_member_fates(work, team)])


def _may_miss_members(work: Work, team: Team) -> bool:
    """Its members were not read, and not all users say themselves which teams they are in."""
    return bool(team.unread) and any("teams" in user.unread for user in work.account.users.values())


def _member_fates(work: Work, team: Team) -> list[FieldFate]:
    members = work.account.members_of(team)
    gone = [m.user for m in members if m.user.id not in work.emails]
    names = ", ".join(sorted(user.summary or user.id for user in gone))
    if _may_miss_members(work, team):
        fates = [FieldFate("members", "changed", "PagerDuty's list of its members was not read: nobody is taken out")]
    else:
        fates = [FieldFate("members", "changed", f"without {names}")] if gone else exact("members")
    roles = sorted({m.role for m in members if m.role})
    if roles:
        fates.append(FieldFate("roles", "lost", f"team roles ({', '.join(roles)}) do not exist in Harness"))
    return fates
