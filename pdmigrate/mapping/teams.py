"""Teams to user groups. Members are exact; the roles that PagerDuty gives them in the team have no counterpart."""

from pdmigrate.harness.records import UserGroup
from pdmigrate.mapping.collisions import NamePlace, find_place
from pdmigrate.mapping.left_behind import describe_heading
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, describe, judge_field
from pdmigrate.pagerduty.records import Team
from pdmigrate.plan.actions import Desired, Held


def map_teams(mapped: Mapped) -> None:
    """Want a group for every team in scope. Fills `mapped.groups`."""
    for team in mapped.in_scope("teams"):
        place = find_place(mapped, "teams", team)
        if place is not None:
            mapped.groups[team.id] = place.identifier
            _want_group(mapped, team, place)


def _want_group(mapped: Mapped, team: Team, place: NamePlace) -> None:
    """Only people who have an account are members; the invited join through their invitation."""
    members = mapped.account.members_of(team)
    emails = {mapped.emails[m.user.id] for m in members if m.user.id in mapped.emails}
    users = sorted(email for email in emails if email in mapped.state.people and mapped.state.people[email].accepted)
    if _may_miss_members(mapped, team) and place.identifier in mapped.state.groups:
        users = sorted({*users, *mapped.state.groups[place.identifier].users})
    group = UserGroup(
        identifier=place.identifier,
        name=place.name,
        description=describe(team.name, place.name, team.description),
        users=tuple(users),
    )
    taken = (place.adopt, place.merge)
    desired = Desired("teams", team.id, place.identifier, place.name, group, (team.id,), (), *taken)
    mapped.want(
        desired, [*describe_heading(team, place.name), *_describe_parent(mapped, team), *_member_fates(mapped, team)]
    )
    _ask_members(mapped, team)


def _describe_parent(mapped: Mapped, team: Team) -> list[FieldOutcome]:
    if team.parent is None:
        return []
    known = mapped.account.teams.get(team.parent.id)
    name = known.name if known else team.parent.summary or team.parent.id
    return [FieldOutcome("parent", "lost", f"it is part of the team {name}: groups in Harness are flat")]


def _ask_members(mapped: Mapped, team: Team) -> None:
    """Members whom no list shows are left out by an answer; everybody else who stays behind has a question of his own."""
    users = [member.user for member in mapped.account.members_of(team)]
    listed = mapped.account.users.keys() | {
        problem.id for problem in mapped.account.problems if problem.kind == "users"
    }
    names = sorted(user.summary or user.id for user in users if user.id not in listed and not user.deleted_at)
    if names and mapped.ask("unlisted_member", "teams", team.id, team.name, members=", ".join(names)) is None:
        reason = f"open question: no list of PagerDuty shows {', '.join(names)}"
        mapped.held.append(Held("teams", f"{team.id}/members", team.name, reason, True))


def _may_miss_members(mapped: Mapped, team: Team) -> bool:
    """Its members were not read, and not all users say themselves which teams they are in."""
    return bool(team.unread) and any("teams" in user.unread for user in mapped.account.users.values())


def _member_fates(mapped: Mapped, team: Team) -> list[FieldOutcome]:
    members = mapped.account.members_of(team)
    gone = [m.user for m in members if m.user.id not in mapped.emails]
    names = ", ".join(sorted(user.summary or user.id for user in gone))
    said = f"without {names}" if gone else ""
    if _may_miss_members(mapped, team):
        said = "PagerDuty's list of its members was not read: nobody is taken out"
    outcomes = [judge_field("members", said)]
    roles = sorted({m.role for m in members if m.role})
    if roles:
        outcomes.append(FieldOutcome("roles", "lost", f"team roles ({', '.join(roles)}) do not exist in Harness"))
    return outcomes
