"""What a user may do in PagerDuty: his role in the account, and those in his teams."""

from collections import defaultdict
from dataclasses import dataclass, field

from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import User

WATCHERS = {
    "read_only_user": "a stakeholder",
    "read_only_limited_user": "a stakeholder who sees part of it",
    "observer": "an observer",
}
"""Roles that look on. Nobody recommends to invite one: it is a mail, and a seat."""
OBSERVER = "observer"


@dataclass(frozen=True)
class Roles:
    """teams: PagerDuty id of a user to his role in each team, by the team's id; a role that was not read is ""."""

    teams: dict[str, dict[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def describe(self, user: User) -> str:
        """`limited_user, observer in Platform`: the role in the account, and where he looks on in teams only, those."""
        if self.watches(user):
            return str(user.role)
        seen = sorted(self.names[team] for team, role in self.teams.get(user.id, {}).items() if role == OBSERVER)
        return ", ".join(filter(None, (user.role or "not read", f"observer in {' and '.join(seen)}" if seen else "")))

    def watches(self, user: User) -> bool:
        """Whether he only looks on, as far as his role in the account says."""
        return user.role in WATCHERS

    def observes(self, user_id: str, team_id: str) -> bool:
        """Whether he is in that team to look on."""
        return self.teams.get(user_id, {}).get(team_id) == OBSERVER


def read_roles(account: Account) -> Roles:
    """The roles of everybody."""
    teams: dict[str, dict[str, str]] = defaultdict(dict)
    for team in account.teams.values():
        for member in team.members:
            teams[member.user.id][team.id] = member.role or ""
    return Roles(dict(teams), {team.id: team.name for team in account.teams.values()})
