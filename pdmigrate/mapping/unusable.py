"""Records that arrived in a form that cannot be used: each is a question, and whatever needs one waits for its answer."""

from collections.abc import Iterator

from pdmigrate.mapping.mapped import Mapped, read_stop
from pdmigrate.mapping.scope import list_people, list_records
from pdmigrate.pagerduty.records import Problem

MEANINGS = {
    "users": "Whoever it is may be on call today, and nobody can say under which address.",
    "teams": "Groups page nobody by themselves; what belongs to this team has no owner.",
    "schedules": "Nobody can say who is on call in it.",
    "escalation_policies": "Nobody can say whom it pages, or when.",
    "services": "Its alerts page somebody today, and nobody can say whom.",
}


def lose_unusable(mapped: Mapped) -> None:
    """Ask about each that the account, or what was chosen of it, needs; the others stay behind with the scope."""
    whole = all(mapped.scope[kind] == records.keys() for kind, records in list_records(mapped.account).items())
    named = set() if whole else set(_list_named(mapped))
    for problem in mapped.account.problems:
        if whole or problem.id in named:
            said = {"message": problem.message, "meaning": MEANINGS[problem.kind]}
            answer = mapped.ask("unusable_record", problem.kind, problem.id, problem.name, **said)
            mapped.stop(problem.kind, problem, [read_stop(answer, describe_unusable(problem))])
        else:
            reason = f"outside the scope; {describe_unusable(problem)}"
            mapped.lose(problem.kind, problem.id, problem.name, reason, decided="rule:scope")


def find_unusable(mapped: Mapped, kind: str, id: str) -> Problem | None:
    """What is wrong with a record that arrived; None where none of that id did, or where it can be used."""
    return next((one for one in mapped.account.problems if (one.kind, one.id) == (kind, id)), None)


def describe_unusable(problem: Problem) -> str:
    """What is wrong with it, as a reason."""
    return f"it arrived in a form that cannot be used: {problem.message}"


def _list_named(mapped: Mapped) -> Iterator[str]:
    """The ids that anything in scope names."""
    for service in mapped.in_scope("services"):
        yield from (one.id for one in (service.escalation_policy, *service.teams) if one)
    for policy in mapped.in_scope("escalation_policies"):
        yield from (target.id for rule in policy.escalation_rules for target in rule.targets)
        yield from (team.id for team in policy.teams)
    for schedule in mapped.in_scope("schedules"):
        yield from (one.id for one in (*list_people(schedule), *schedule.teams))
    for team in mapped.in_scope("teams"):
        yield from (member.user.id for member in mapped.account.members_of(team))
