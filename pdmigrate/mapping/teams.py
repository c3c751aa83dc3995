"""Teams to user groups. Members are exact; the roles that PagerDuty gives them in the team have no counterpart."""

from pdmigrate.harness.identifiers import make_identifier, make_name
from pdmigrate.mapping.collisions import Place, find_place, find_twins
from pdmigrate.mapping.left import tell_heading
from pdmigrate.mapping.work import FieldFate, Work, describe, exact
from pdmigrate.pagerduty.records import Team
from pdmigrate.plan.actions import Desired, Held
from pdmigrate.plan.answers import Conflict, Option


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


def _want_group(work: Work, team: Team, place: Place) -> None:
    """Only people who have an account are members; the invited join through their invitation."""
    members = work.account.members_of(team)
    emails = {work.emails[m.user.id] for m in members if m.user.id in work.emails}
    users = sorted(email for email in emails if email in work.state.people and work.state.people[email].accepted)
    if _may_miss_members(work, team) and place.identifier in work.state.groups:
        users = sorted({*users, *work.state.groups[place.identifier].users})
    fields = {"name": place.name, "description": describe(team.name, place.name, team.description), "users": users}
    taken = (place.adopt, place.merge)
    desired = Desired("teams", team.id, place.identifier, place.name, fields, (team.id,), (), *taken)
    work.want(desired, [*tell_heading(team, place.name), *_tell_parent(work, team), *_member_fates(work, team)])
    _ask_members(work, team)


def _tell_parent(work: Work, team: Team) -> list[FieldFate]:
    if team.parent is None:
        return []
    known = work.account.teams.get(team.parent.id)
    name = known.name if known else team.parent.summary or team.parent.id
    return [FieldFate("parent", "lost", f"it is part of the team {name}: groups in Harness are flat")]


def _ask_members(work: Work, team: Team) -> None:
    """Members whom no list shows are left out by an answer; everybody else who stays behind has a question of his own."""
    users = [member.user for member in work.account.members_of(team)]
    listed = work.account.users.keys() | {problem.id for problem in work.account.problems if problem.kind == "users"}
    names = sorted(user.summary or user.id for user in users if user.id not in listed and not user.deleted_at)
    if names and work.questions.ask(_ask_unlisted(team, names)) is None:
        reason = f"open question: no list of PagerDuty shows {', '.join(names)}"
        work.held.append(Held("teams", f"{team.id}/members", team.name, reason, True))


def _ask_unlisted(team: Team, names: list[str]) -> Conflict:
    return Conflict(
        about="unlisted_member",
        kind="teams",
        id=team.id,
        name=team.name,
        question=f"{team.name} has members whom no list of PagerDuty shows, and who are not said to be deleted: "
        f"{', '.join(names)}. Perhaps the key may not read them.",
        meaning="Groups page nobody by themselves; whatever is given to the group, these people do not get.",
        options=(Option(name="without", effect="the group is made without them"),),
        recommended="without",
    )


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
