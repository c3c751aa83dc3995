"""Records that arrived in a form that cannot be used: each is a question, and whatever needs one waits for its answer."""

from collections.abc import Iterator

from pdmigrate.mapping.scope import list_people, list_records
from pdmigrate.mapping.work import Work, read_stop
from pdmigrate.pagerduty.records import Problem
from pdmigrate.plan.answers import Conflict, Option

MEANINGS = {
    "users": "Whoever it is may be on call today, and nobody can say under which address.",
    "teams": "Groups page nobody by themselves; what belongs to this team has no owner.",
    "schedules": "Nobody can say who is on call in it.",
    "escalation_policies": "Nobody can say whom it pages, or when.",
    "services": "Its alerts page somebody today, and nobody can say whom.",
}


def lose_unusable(work: Work) -> None:
    """Ask about each that the account, or what was chosen of it, needs; the others stay behind with the scope."""
    whole = all(work.scope[kind] == records.keys() for kind, records in list_records(work.account).items())
    named = set() if whole else set(_list_named(work))
    for problem in work.account.problems:
        if whole or problem.id in named:
            stop = read_stop(work.questions.ask(_ask_unusable(problem)), tell_unusable(problem))
            work.lose(problem.kind, problem.id, problem.name, stop.reason, stop.waits, stop.decided)
        else:
            reason = f"outside the scope; {tell_unusable(problem)}"
            work.lose(problem.kind, problem.id, problem.name, reason, decided="rule:scope")


def find_unusable(work: Work, kind: str, id: str) -> Problem | None:
    """What is wrong with a record that arrived; None where none of that id did, or where it can be used."""
    return next((one for one in work.account.problems if (one.kind, one.id) == (kind, id)), None)


def tell_unusable(problem: Problem) -> str:
    """What is wrong with it, as a reason."""
    return f"it arrived in a form that cannot be used: {problem.message}"


def _list_named(work: Work) -> Iterator[str]:
    """The ids that anything in scope names."""
    for service in work.in_scope("services", work.account.services):
        yield from (one.id for one in (service.escalation_policy, *service.teams) if one)
    for policy in work.in_scope("escalation_policies", work.account.policies):
        yield from (target.id for rule in policy.escalation_rules for target in rule.targets)
        yield from (team.id for team in policy.teams)
    for schedule in work.in_scope("schedules", work.account.all_schedules):
        yield from (one.id for one in (*list_people(schedule), *schedule.teams))
    for team in work.in_scope("teams", work.account.teams):
        yield from (member.user.id for member in work.account.members_of(team))


def _ask_unusable(problem: Problem) -> Conflict:
    return Conflict(
        about="unusable_record",
        kind=problem.kind,
        id=problem.id,
        name=problem.name,
        question=f"{problem.name} ({problem.id}) is in PagerDuty, in a form that this version cannot use: "
        f"{problem.message}.",
        meaning=MEANINGS[problem.kind],
        options=(
            Option(
                name="leave_out",
                effect="not moved, and whatever needs it is held whole; look into it before PagerDuty is switched off",
            ),
        ),
        recommended="leave_out",
        changes_paging=True,
    )
