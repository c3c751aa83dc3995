"""Escalation policies to levels: exact timeouts, all targets of a level at once, loops unrolled."""

from pdmigrate.harness import records as harness
from pdmigrate.harness.identifiers import make_identifier, make_name
from pdmigrate.mapping.collisions import NamePlace, find_place, find_twins
from pdmigrate.mapping.left_behind import describe_heading, describe_teams, stop_unknown
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, Stop, describe, exact, read_stop
from pdmigrate.mapping.targets import MappedLevel, describe_targets, read_levels
from pdmigrate.pagerduty.records import EscalationPolicy, Reference
from pdmigrate.plan.actions import Desired
from pdmigrate.plan.answers import Conflict, Option, Settled
from pdmigrate.plan.values import describe_unusable

SCHEDULE_TYPES = ("schedule", "schedule_v3")


def map_policies(mapped: Mapped) -> None:
    """Want a policy for every one in scope whose targets are all carried over. Fills `mapped.policies`."""
    policies = list(mapped.in_scope("escalation_policies", mapped.account.policies))
    twins = find_twins(policies, lambda policy: make_name(policy.name, policy.id))
    for policy in policies:
        if mapped.stop("escalation_policies", policy, [stop_unknown(mapped, "escalation_policies", policy)]):
            continue
        settled = _settle(mapped, policy)
        if settled is None:
            continue
        name, identifier = make_name(policy.name, policy.id), make_identifier(policy.name, policy.id)
        about, existing = "duplicate_policy", mapped.state.policies
        place = find_place(mapped, "escalation_policies", about, policy, identifier, name, existing, policy.id in twins)
        if place is not None:
            _want_policy(mapped, policy, *settled, place)


def _settle(mapped: Mapped, policy: EscalationPolicy) -> tuple[tuple[MappedLevel, ...], int, bool, str | None] | None:
    """(levels, loops, one target a level, owner); None where it is held. All its questions are asked at once."""
    levels, obstacles = read_levels(mapped, policy)
    if any(not obstacle.waits for obstacle in obstacles):
        mapped.stop("escalation_policies", policy, obstacles)
        return None
    written = [level for level in levels if level.targets or (obstacles and not level.passed_over)]
    loops, too_long = _choose_loops(mapped, policy, len(written))
    one_at_a_time, turns = _choose_round_robin(mapped, policy, levels)
    owner, ownerless = _choose_owner(mapped, policy)
    if mapped.stop("escalation_policies", policy, (*obstacles, too_long, turns, ownerless)):
        return None
    return levels, loops, one_at_a_time, owner


def _want_policy(
    mapped: Mapped,
    policy: EscalationPolicy,
    levels: tuple[MappedLevel, ...],
    loops: int,
    one_at_a_time: bool,
    owner: str | None,
    place: NamePlace,
) -> None:
    chain = [_make_level(mapped, level, one_at_a_time) for level in levels if level.targets]
    wanted = harness.EscalationPolicy(
        identifier=place.identifier,
        name=place.name,
        description=describe(policy.name, place.name, policy.description),
        owner_group=owner,
        levels=tuple(chain * (loops + 1)),
    )
    mapped.policies[policy.id] = place.identifier
    kind, needs = "escalation_policies", _needs(mapped, policy, levels)
    desired = Desired(kind, policy.id, place.identifier, place.name, wanted, (policy.id,), needs, place.adopt)
    mapped.want(desired, _field_outcomes(mapped, policy, levels, loops, one_at_a_time, place))


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
    answer = mapped.questions.ask(_ask_loops(policy, levels, fit, most))
    return {"fewer": fit}.get(_choice(answer), 0), _stop_at(answer, "its loops")


def _choice(answer: Settled | None) -> str:
    return answer.choice if answer else ""


def _stop_at(answer: Settled | None, what: str) -> Stop | None:
    return read_stop(answer, what) if _choice(answer) in ("", "leave_out") else None


def _ask_loops(policy: EscalationPolicy, levels: int, fit: int, most: int) -> Conflict:
    return Conflict(
        about="escalation_loops",
        kind="escalation_policies",
        id=policy.id,
        name=policy.name,
        question=f"{levels} levels, run {policy.num_loops + 1} times, are more than the {most} levels of one policy.",
        meaning="After the last level nobody is paged any more: fewer rounds mean an earlier silence.",
        options=(
            Option(name="fewer", effect=f"run {fit + 1} times"),
            Option(name="none", effect="run once"),
            Option(name="leave_out", effect="not moved"),
        ),
        recommended="fewer",
        changes_paging=True,
    )


def _choose_owner(mapped: Mapped, policy: EscalationPolicy) -> tuple[str | None, Stop | None]:
    """The owner group. PagerDuty lets a policy have no team; in Harness a user group owns it, or nobody."""
    group = mapped.group_of(policy.teams)
    if group:
        return group, None
    answer = mapped.questions.ask(_ask_owner(policy))
    wanted = (answer.value or "").strip() if answer and answer.choice == "owner" else None
    why = describe_unusable("owner", wanted, {"groups": {*mapped.state.groups, *mapped.groups.values()}})
    if answer is None or not why:
        return wanted, _stop_at(answer, "its owner")
    mapped.questions.reopen(answer, why)
    return None, Stop(f"its owner was decided as {wanted!r}, which is no user group of the project", True)


def _ask_owner(policy: EscalationPolicy) -> Conflict:
    return Conflict(
        about="policy_without_team",
        kind="escalation_policies",
        id=policy.id,
        name=policy.name,
        question=f"{policy.name} belongs to no team that is carried over; in Harness a user group owns a policy.",
        meaning="Who owns it decides who may change it; whom it pages stays the same.",
        options=(
            Option(name="no_owner", effect="made without an owner, where the target takes that"),
            Option(name="owner", effect="that group owns it", value="the identifier of a user group"),
            Option(name="leave_out", effect="not moved"),
        ),
        recommended="no_owner",
    )


def _choose_round_robin(
    mapped: Mapped, policy: EscalationPolicy, levels: tuple[MappedLevel, ...]
) -> tuple[bool, Stop | None]:
    """True: one target a level; False: all at once."""
    if not any(level.takes_turns for level in levels):
        return False, None
    answer = mapped.questions.ask(_ask_round_robin(policy))
    return _choice(answer) == "first_only", _stop_at(answer, "round robin")


def _ask_round_robin(policy: EscalationPolicy) -> Conflict:
    return Conflict(
        about="round_robin",
        kind="escalation_policies",
        id=policy.id,
        name=policy.name,
        question="Its targets take turns (round robin), which Harness does not describe.",
        meaning="With all at once everybody is woken each time; with one, always the same.",
        options=(
            Option(name="everyone", effect="all targets of the level are paged at once"),
            Option(name="first_only", effect="only the first target of the level is paged"),
            Option(name="leave_out", effect="not moved"),
        ),
        recommended="everyone",
        changes_paging=True,
    )


def _needs(mapped: Mapped, policy: EscalationPolicy, levels: tuple[MappedLevel, ...]) -> tuple[tuple[str, str], ...]:
    real = [target for level in levels for target in level.targets]
    targets = {("users" if target.type == "user" else "schedules", target.id) for target in real}
    return tuple(sorted(targets)) + tuple(("teams", team.id) for team in policy.teams if team.id in mapped.groups)


def _field_outcomes(
    mapped: Mapped,
    policy: EscalationPolicy,
    levels: tuple[MappedLevel, ...],
    loops: int,
    one_at_a_time: bool,
    place: NamePlace,
) -> list[FieldOutcome]:
    outcomes = [
        *exact("escalation_delay_in_minutes"),
        *describe_heading(policy, place.name),
        describe_teams(mapped, policy.teams),
    ]
    if loops == policy.num_loops:
        outcomes += exact("num_loops")
    else:
        outcomes.append(
            FieldOutcome(
                "num_loops", "changed", f"run {loops + 1} times instead of {policy.num_loops + 1}, by decision"
            )
        )
    said = "only the first target" if one_at_a_time else "all targets at once"
    turns = f"{said} instead of round robin, by decision" if any(level.takes_turns for level in levels) else ""
    return [*outcomes, *describe_targets(mapped, levels, turns)]
