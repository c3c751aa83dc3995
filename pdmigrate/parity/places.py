"""Everybody who can be paged, on either side, and where: rotations, overrides, direct targets, groups, rotation targets.

Pure. People are Harness emails, or PagerDuty ids of those who are nobody in Harness.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pdmigrate.harness import records as harness
from pdmigrate.harness.rota import make_rotation, render_schedule
from pdmigrate.mapping.mapped import Mapped
from pdmigrate.mapping.scope import list_standing
from pdmigrate.oncall.rota import Rota, Span, to_datetime, to_instant

Rotas = tuple[str, Rota, Rota]
"""PagerDuty id of a schedule, who is on call in it before and after."""
About = tuple[str, str]
"""Kind and PagerDuty id of an object."""


@dataclass(frozen=True)
class PagingPlace:
    """Somebody can be paged here. moment: the instant at which it matters next, None where the window has none."""

    person: str
    said: str
    about: About
    moment: int | None


@dataclass(frozen=True)
class Dead:
    """A target of a level that pages nobody, and why."""

    name: str
    why: str
    place: PagingPlace


def list_places(mapped: Mapped, rotas: Iterable[Rotas], window: Span) -> list[PagingPlace]:
    """Every place of every person; those whose turns stay empty by decision are nobody."""
    found = [*_from_schedules(mapped, rotas, window), *_from_policies(mapped, window[0])]
    found += [place for place in walk_targets(mapped, window) if isinstance(place, PagingPlace)]
    return [place for place in found if place.person not in mapped.nobodies]


def list_dead(mapped: Mapped, window: Span) -> list[Dead]:
    """The targets of Harness's levels that page nobody."""
    return [dead for dead in walk_targets(mapped, window) if isinstance(dead, Dead)]


def first_turns(rota: Rota, start: int) -> dict[str, int]:
    """When each person is on call next, from `start` on; `start` itself while on call."""
    turns: dict[str, int] = {}
    for begin, end, people in rota.entries:
        for person in people if end > start else ():
            turns.setdefault(person, max(begin, start))
    return turns


# --- schedules ---


def _from_schedules(mapped: Mapped, rotas: Iterable[Rotas], window: Span) -> Iterator[PagingPlace]:
    """Whoever has a turn in the window on either side, and whoever stands in what is not over and is no deleted user."""
    users = mapped.account.users
    for id, before, after in rotas:
        turns = [first_turns(rota, window[0]) for rota in (before, after)]
        schedule, there = mapped.account.all_schedules[id], mapped.state.schedules.get(mapped.schedules.get(id, ""))
        standing = [user.id for user in list_standing(schedule, to_datetime(window[0]))]
        readiness = {mapped.emails.get(user, user) for user in standing if user in users}
        people = {*readiness, *turns[0], *turns[1], *(_list_participants(there, window[0]) if there else ())}
        for person in sorted(people):
            moments = [mine[person] for mine in turns if person in mine]
            yield PagingPlace(person, schedule.name, ("schedules", id), min(moments, default=None))


def _list_participants(schedule: harness.Schedule, start: int) -> Iterator[str]:
    for rotation in schedule.rotations:
        if rotation.until is None or to_instant(rotation.until) > start:
            yield from filter(None, rotation.participants)
    yield from (o.person for o in schedule.overrides if to_instant(o.end) > start)


# --- policies ---


def _from_policies(mapped: Mapped, start: int) -> Iterator[PagingPlace]:
    """PagerDuty's direct targets: they matter whenever the policy comes that far, so from now on."""
    for policy in mapped.in_scope("escalation_policies"):
        for number, rule in enumerate(policy.escalation_rules, 1):
            for target in rule.targets:
                if target.type == "user" and not target.deleted_at:
                    person = mapped.emails.get(target.id, target.id)
                    yield PagingPlace(
                        person, _describe_level(policy.name, number), ("escalation_policies", policy.id), start
                    )


def walk_targets(mapped: Mapped, window: Span) -> Iterator[PagingPlace | Dead]:
    """Everybody whom Harness's levels page, and the targets that page nobody."""
    joining = _list_joining(mapped)
    ours = mapped.state.schedules.keys() & mapped.schedules.values()
    for about, policy in _list_policies(mapped):
        for number, level in enumerate(policy.levels, 1):
            said = _describe_level(policy.name, number)
            for target in level.targets:
                if target.type == "schedule" and target.id in ours:
                    continue
                turns, name, why = _find_people(mapped, target, joining, window)
                yield from (PagingPlace(person, said, about, turns[person]) for person in sorted(turns))
                if not turns:
                    yield Dead(name, why, PagingPlace(name, said, about, window[0]))


def _list_policies(mapped: Mapped) -> Iterator[tuple[About, harness.EscalationPolicy]]:
    """Those that were carried over, and those that the alerts of a service in scope would run."""
    named = [(("escalation_policies", id), identifier) for id, identifier in mapped.policies.items()]
    ours = set(mapped.policies.values())
    rules: dict[str | None, set[str | None]] = {}
    for rule in mapped.state.alert_rules.values():
        rules.setdefault(rule.service, set()).update({rule.escalation_policy} if rule.paging else ())
    for route in mapped.routes:
        service = mapped.state.services.get(route.identifier)
        used = {service.rule_policy, service.escalation_policy, *rules.get(route.identifier, ())} if service else set()
        named += [(("services", route.key), identifier) for identifier in sorted(filter(None, used - ours))]
    yield from ((about, mapped.state.policies[i]) for about, i in named if i in mapped.state.policies)


def _find_people(
    mapped: Mapped, target: harness.LevelTarget, joining: dict[str, set[str]], window: Span
) -> tuple[dict[str, int | None], str, str]:
    """(when each person of a target matters next, its name, why it pages nobody if it does)."""
    if target.type == "user":
        return {target.id: window[0]}, "", ""
    if target.type == "user_group":
        group = mapped.state.groups.get(target.id)
        people = {*(group.users if group else ()), *joining.get(target.id, ())}
        why = "the group has no members" if group else "there is no such group"
        return dict.fromkeys(people, window[0]), f"user group {group.name if group else target.id}", why
    identifier, _, name = target.id.partition("/")
    schedule = mapped.state.schedules.get(identifier)
    if schedule is None:
        return {}, f"schedule {identifier}", "there is no such schedule"
    if target.type == "schedule":
        turns = first_turns(render_schedule(schedule, *window), window[0])
        readiness = _list_participants(schedule, window[0])
        return {**dict.fromkeys(readiness), **turns}, f"schedule {schedule.name}", "nobody stands in it"
    return _find_rotation(schedule, name, window)


def _find_rotation(schedule: harness.Schedule, name: str, window: Span) -> tuple[dict[str, int | None], str, str]:
    said = f"rotation {name} of the schedule {schedule.name}"
    rotation = next((r for r in schedule.rotations if r.name == name), None)
    if rotation is None:
        return {}, said, "there is no such rotation: Harness skips the target without an error"
    turns = first_turns(make_rotation(rotation).render(ZoneInfo(schedule.time_zone), *window), window[0])
    over = rotation.until is not None and to_instant(rotation.until) <= window[0]
    people = {} if over else dict.fromkeys(filter(None, rotation.participants))
    return {**people, **turns}, said, "nobody stands in it, or it is over"


def _list_joining(mapped: Mapped) -> dict[str, set[str]]:
    """Group to those who are invited into it and join when they accept."""
    people: dict[str, set[str]] = {}
    for wish in mapped.desired:
        member, person = wish.record, mapped.state.people.get(wish.identifier)
        if isinstance(member, harness.Membership) and person and not person.accepted:
            for group in member.groups:
                people.setdefault(group, set()).add(member.email)
    return people


def _describe_level(policy: str, number: int) -> str:
    return f"whenever the policy {policy!r} reaches level {number}"
