"""Changes of what is in Harness, in words: rotations, levels, members, and every other field. Pure."""

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Any

from pdmigrate.oncall.windows import describe_windows
from pdmigrate.oncall.words import format_number, format_turn
from pdmigrate.plan.actions import Fields

Naming = Callable[[str, str], str]
"""The name of somebody or something, by what it is (user, schedule, user_group, policy) and how Harness knows it."""


def name_plainly(kind: str, id: str) -> str:
    """As Harness knows it."""
    return id


def tell(field: str, now: Any, before: Any, was: str = "was", part: str = "", name: Naming = name_plainly) -> list[str]:
    """Sentences about one field that is `now` and was `before`. was: the words for the second.

    part: the one rotation that is meant, by its name, where `now` and `before` are that rotation and not the list of them.
    """
    if part:
        return list(_tell_rotation(part, now, before, was, name))
    say = _FIELDS.get(field)
    plainly = [f"{field.replace('_', ' ')}: {brief(now)}, {was} {brief(before)}"]
    return plainly if say is None else list(say(now, before, was, name))


def tell_new(fields: Fields, name: Naming = name_plainly) -> list[str]:
    """What a new object will be like: whom it pages, when and how."""
    said = []
    for rotation in fields.get("rotations") or ():
        told = (f"{label} {say(rotation.get(field), name)}" for field, (label, say) in _ROTATION.items())
        said.append(f"rotation {rotation['name']}: {', '.join(list(told)[:3])}")
    levels, rounds = _find_rounds(fields.get("levels") or [])
    for number, level in enumerate(levels, 1):
        said.append(f"level {number} pages {_tell_targets(level, name)} for {level['timeout_minutes']} min")
    said += [f"all of it {rounds} times"] if rounds > 1 else []
    if fields.get("users"):
        said.append(f"members: {_join(name('user', user) for user in fields['users'])}")
    if "paging" in fields:
        policy = fields.get("rule_policy") or fields.get("escalation_policy") or ""
        pages = fields["paging"] and policy
        said.append(f"pages by {name('policy', policy)}" if pages else "its alerts are only logged and page nobody")
    if fields.get("methods"):
        said.append(format_number(len(fields["methods"]), "contact method"))
    if fields.get("steps"):
        said.append(format_number(len(fields["steps"]), "step of notification", "steps of notification"))
    if fields.get("person"):
        said.append(f"{name('user', fields['person'])} stands in from {fields['start']} to {fields['end']}")
    return said


def brief(value: Any, longest: int = 60) -> str:
    """A value, short, and the same on every run."""
    if isinstance(value, list):
        return f"{len(value)} entries" if value and isinstance(value[0], dict) else ", ".join(map(str, value)) or "none"
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}…"


def _tell_windows(windows: Iterable[Fields] | None) -> str:
    told = describe_windows((window["day"], window["start"], window["seconds"]) for window in windows or ())
    return ", ".join(told) or "always"


_ROTATION: dict[str, tuple[str, Callable[[Any, Naming], str]]] = {
    "participants": ("turns go to", lambda people, name: _join(name("user", p) if p else "nobody" for p in people)),
    "turn_seconds": ("hand-off every", lambda seconds, _: format_turn(seconds)),
    "windows": ("on call", lambda windows, _: _tell_windows(windows)),
    "anchor": ("turns are counted from", lambda anchor, _: str(anchor)),
    "since": ("begins", lambda since, _: since or "without a start"),
    "until": ("ends", lambda until, _: until or "never"),
}


def _tell_rotation(part: str, now: Fields | None, before: Fields | None, was: str, name: Naming) -> Iterator[str]:
    if now is None and before:
        yield f"rotation {part} is gone, with {_list_people(before, name)}"
    elif before is None and now:
        yield f"rotation {part} is new, with {_list_people(now, name)}"
    elif now and before:
        for field, (label, say) in _ROTATION.items():
            new, old = say(now.get(field), name), say(before.get(field), name)
            if new != old:
                yield f"rotation {part}: {label} {new}, {was} {old}"


def _tell_rotations(now: Any, before: Any, was: str, name: Naming) -> Iterator[str]:
    there, then = ({rotation["name"]: rotation for rotation in side or ()} for side in (now, before))
    for part in dict.fromkeys([*there, *then]):
        yield from _tell_rotation(part, there.get(part), then.get(part), was, name)


def _tell_levels(now: Any, before: Any, was: str, name: Naming) -> Iterator[str]:
    for number, (have, old) in enumerate(zip_longest(now or (), before or ()), 1):
        if have is None:
            yield f"level {number} is gone, {was} {_tell_targets(old, name)} for {old['timeout_minutes']} min"
        elif old is None:
            yield f"level {number} is new: {_tell_targets(have, name)} for {have['timeout_minutes']} min"
        else:
            if have["timeout_minutes"] != old["timeout_minutes"]:
                yield f"level {number} waits {have['timeout_minutes']} min, {was} {old['timeout_minutes']}"
            if have.get("retries", 0) != old.get("retries", 0):
                yield f"level {number} is repeated {format_number(have.get('retries', 0), 'time')}, {was} {old.get('retries', 0)}"
            if _tell_targets(have, name) != _tell_targets(old, name):
                yield f"level {number} pages {_tell_targets(have, name)}, {was} {_tell_targets(old, name)}"


def _tell_members(now: Any, before: Any, was: str, name: Naming) -> Iterator[str]:
    for more, word in (
        (set(now or ()) - set(before or ()), "added"),
        (set(before or ()) - set(now or ()), "taken out"),
    ):
        if more:
            yield f"members {word}: {_join(name('user', user) for user in sorted(more))}"


def _tell_paging(now: Any, before: Any, was: str, name: Naming) -> Iterator[str]:
    yes, no = "its alert rule pages", "its alerts are only logged and page nobody"
    yield f"{yes if now else no}, {was} {'paging' if before else 'only logged'}"


def _tell_other_rules(now: Any, before: Any, was: str, name: Naming) -> Iterator[str]:
    for rule, has in (now or {}).items():
        if has != (before or {}).get(rule):
            yield f"the alert rule {rule} pages {'as well' if has['paging'] else 'no more'}"


def _tell_named(words: str, kind: str = "") -> Callable[[Any, Any, str, Naming], Iterator[str]]:
    def describe(now: Any, before: Any, was: str, name: Naming) -> Iterator[str]:
        new, old = ((name(kind, one) if kind and one else one or "none") for one in (now, before))
        yield f"{words} {new}, {was} {old}"

    return describe


_FIELDS: dict[str, Callable[[Any, Any, str, Naming], Iterator[str]]] = {
    "rotations": _tell_rotations,
    "time_zone": _tell_named("its turns and windows go by the clock of"),
    "person": _tell_named("who stands in is", "user"),
    "start": _tell_named("it begins"),
    "end": _tell_named("it ends"),
    "levels": _tell_levels,
    "users": _tell_members,
    "paging": _tell_paging,
    "escalation_policy": _tell_named("the service's policy is", "policy"),
    "rule_policy": _tell_named("its alert rule, which goes before the service, pages by the policy", "policy"),
    "owner_group": _tell_named("it belongs to the group", "user_group"),
    "other_rules": _tell_other_rules,
}


def _find_rounds(levels: list[Fields]) -> tuple[list[Fields], int]:
    """A chain that was unrolled, once, and how often it is gone through."""
    for length in range(1, len(levels) // 2 + 1):
        if levels == levels[:length] * (len(levels) // length):
            return levels[:length], len(levels) // length
    return levels, 1


def _tell_targets(level: Fields, name: Naming) -> str:
    words = (f"{target['type'].replace('_', ' ')} {name(target['type'], target['id'])}" for target in level["targets"])
    return _join(words)


def _list_people(rotation: Fields, name: Naming) -> str:
    return _join(name("user", person) if person else "nobody" for person in rotation["participants"])


def _join(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody"
