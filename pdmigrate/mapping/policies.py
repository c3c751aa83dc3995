"""Escalation policies to levels: exact timeouts, all targets of a level at once, loops unrolled."""

from pdmigrate.harness import records as harness
from pdmigrate.mapping.collisions import find_place
from pdmigrate.mapping.left_behind import describe_heading, describe_teams, stop_unknown
from pdmigrate.mapping.mapped import Mapped, Stop, describe, exact, judge_field, read_stop
from pdmigrate.mapping.targets import MappedLevel, describe_targets, read_levels
from pdmigrate.pagerduty.records import EscalationPolicy, Reference
from pdmigrate.plan.actions import Desired
from pdmigrate.plan.answers import Settled
from pdmigrate.plan.values import describe_unusable


def map_policies(mapped: Mapped) -> None:
    """Want a policy for every one in scope whose targets are all carried over. Fills `mapped.policies`."""
    for policy in mapped.in_scope("escalation_policies"):
        if not mapped.stop("escalation_policies", policy, [stop_unknown(mapped, "escalation_policies", policy)]):
            _map_policy(mapped, policy)


def _map_policy(mapped: Mapped, policy: EscalationPolicy) -> None:
    """Want it, or book why it is held. All its questions are asked at once."""
    levels, obstacles = read_levels(mapped, policy)
    if any(not obstacle.waits for obstacle in obstacles):
        mapped.stop("escalation_policies", policy, obstacles)
        return
    written = [level for level in levels if level.targets or (obstacles and not level.passed_over)]
    loops, too_long = _choose_loops(mapped, policy, len(written))
    one_at_a_time, turns = _choose_round_robin(mapped, policy, levels)
    owner, ownerless = _choose_owner(mapped, policy)
    if mapped.stop("escalation_policies", policy, (*obstacles, too_long, turns, ownerless)):
        return
    place = find_place(mapped, "escalation_policies", policy)
    if place is None:
        return
    chain = [_make_level(mapped, level, one_at_a_time) for level in levels if level.targets]
    wanted = harness.EscalationPolicy(
        identifier=place.identifier,
        name=place.name,
        description=describe(policy.name, place.name, policy.description),
        owner_group=owner,
        levels=tuple(chain * (loops + 1)),
    )
    mapped.policies[policy.id] = place.identifier
    real = [target for level in levels for target in level.targets]
    needs = sorted({("users" if target.type == "user" else "schedules", target.id) for target in real})
    needs += [("teams", team.id) for team in policy.teams if team.id in mapped.groups]
    where, ids = (policy.id, place.identifier, place.name), (policy.id,)
    fewer = f"run {loops + 1} times instead of {policy.num_loops + 1}, by decision"
    said = "only the first target" if one_at_a_time else "all targets at once"
    turning = f"{said} instead of round robin, by decision" if any(level.takes_turns for level in levels) else ""
    outcomes = [
        *exact("escalation_delay_in_minutes"),
        *describe_heading(policy, place.name),
        describe_teams(mapped, policy.teams),
        judge_field("num_loops", fewer if loops != policy.num_loops else ""),
        *describe_targets(mapped, levels, turning),
    ]
    mapped.want(Desired("escalation_policies", *where, wanted, ids, tuple(needs), place.adopt), outcomes)


def _make_level(mapped: Mapped, level: MappedLevel, one_at_a_time: bool) -> harness.Level:
    """Retries are written explicitly: a retry delays the next level."""
    targets = [_make_target(mapped, target) for target in level.targets]
    if level.takes_turns and one_at_a_time:
        targets = targets[:1]
    timeout = level.rule.escalation_delay_in_minutes
    return harness.Level(timeout_minutes=timeout, retries=0, targets=tuple(dict.fromkeys(targets)))


def _make_target(mapped: Mapped, target: Reference) -> harness.LevelTarget:
    if target.type == "user":
        return harness.LevelTarget(type="user", id=mapped.emails[target.id])
    return harness.LevelTarget(type="schedule", id=mapped.schedules[target.id])


def _choose_loops(mapped: Mapped, policy: EscalationPolicy, levels: int) -> tuple[int, Stop | None]:
    """How often the chain is repeated. One without loops is written as it is, however many levels it has."""
    most = mapped.rules.most_levels
    if not policy.num_loops or levels * (policy.num_loops + 1) <= most:
        return policy.num_loops, None
    fit = max(0, most // levels - 1)
    words = {"levels": levels, "rounds": policy.num_loops + 1, "most": most, "fit": fit + 1}
    answer = mapped.ask("escalation_loops", "escalation_policies", policy.id, policy.name, **words)
    return {"fewer": fit}.get(_choice(answer), 0), _stop_at(answer, "its loops")


def _choice(answer: Settled | None) -> str:
    return answer.choice if answer else ""


def _stop_at(answer: Settled | None, what: str) -> Stop | None:
    return read_stop(answer, what) if _choice(answer) in ("", "leave_out") else None


def _choose_owner(mapped: Mapped, policy: EscalationPolicy) -> tuple[str | None, Stop | None]:
    """The owner group. PagerDuty lets a policy have no team; in Harness a user group owns it, or nobody.

    Whether it has one is not clear, and nothing is asked, before the questions about its teams are answered.
    """
    group = mapped.group_of(policy.teams)
    if group:
        return group, None
    lost = (mapped.lost.get(("teams", team.id)) for team in policy.teams)
    waiting = next((team.name for team in lost if team and team.open_question), None)
    if waiting is not None and mapped.questions.decisions.find("policy_without_team", policy.id) is None:
        return None, Stop(f"its team {waiting} waits for an answer", True)
    answer = mapped.ask("policy_without_team", "escalation_policies", policy.id, policy.name)
    wanted = (answer.value or "").strip() if answer and answer.choice == "owner" else None
    groups = {*mapped.state.groups, *mapped.groups.values()} if wanted else set()
    why = describe_unusable("owner", wanted, {"groups": groups})
    if answer is None or not why:
        return wanted, _stop_at(answer, "its owner")
    mapped.questions.reopen(answer, why)
    return None, Stop(f"its owner was decided as {wanted!r}, which is no user group of the project", True)


def _choose_round_robin(
    mapped: Mapped, policy: EscalationPolicy, levels: tuple[MappedLevel, ...]
) -> tuple[bool, Stop | None]:
    """True: one target a level; False: all at once."""
    if not any(level.takes_turns for level in levels):
        return False, None
    answer = mapped.ask("round_robin", "escalation_policies", policy.id, policy.name)
    return _choice(answer) == "first_only", _stop_at(answer, "round robin")
