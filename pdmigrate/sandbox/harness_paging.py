"""The course of one page in an embedded Harness: who is told by what channel at which moment, by what it holds then.

A level stays for its timeout, once more for each retry, then the next one follows; nothing loops. People are told by the
steps of their own rule, without one by mail at once and by SMS and voice after a minute. How a timeline words it nobody has
seen: the events' own fields beyond the documented ones are of this server.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pdmigrate.sandbox.harness_document import Scope, find_group, find_user
from pdmigrate.sandbox.harness_rendering import render_on_call
from pdmigrate.sandbox.store import Json

PAGING = "PAGING"
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def list_events(
    held: Json, scope: Scope, policy: str, start: datetime, reading: str, answered: int | None
) -> list[Json]:
    """The events of a page that nobody stops, oldest first, as far as they can be foreseen.

    answered: minutes after which whoever is told first acknowledges it; None: nobody does.
    """
    row = held["oncall"]["escalation_policies"].get(f"{scope.key}/{policy}")
    events = [_event(start, "PAGE_SENT", None, f"Paging by policy {policy}")]
    at = start
    for number, level in enumerate((row or {}).get("levels", ()), start=1):
        for attempt in range(level["retries"] + 1):
            people = sorted(set(_list_people(held, scope, level["targets"], at, reading)))
            said = f"Level {number}, attempt {attempt + 1}: {', '.join(people) or 'nobody is on call'}"
            events.append(_event(at, "ESCALATION_LEVEL_REACHED", PAGING, said, level=number))
            events += [event for email in people for event in _tell(held, email, at, number)]
            at += level["timeout_minutes"] * MINUTE
    events.append(_event(at, "ESCALATION_EXHAUSTED", PAGING, "Nobody is left to page"))
    events.sort(key=lambda event: event["timestamp"])
    first = next((event for event in events if event["eventType"] == "NOTIFICATION_SENT"), None)
    if answered is None or first is None:
        return events
    answer = _read(first["timestamp"]) + answered * MINUTE
    before = [event for event in events if _read(event["timestamp"]) <= answer]
    return [*before, make_acknowledgement(answer, first["recipient"])]


def make_acknowledgement(at: datetime, email: str) -> Json:
    """The event of an acknowledgement."""
    return _event(at, "PAGE_ACKNOWLEDGED", PAGING, f"Acknowledged by {email}", actor=email)


def _list_people(held: Json, scope: Scope, targets: list[Json], at: datetime, reading: str) -> Iterator[str]:
    for target in targets:
        kind, id = target["type"], target["id"]
        if kind == "user":
            yield id
        elif kind == "user_group":
            group = find_group(held, scope, id)
            yield from (user["email"] for user in held["users"] if group and user["uuid"] in group["users"])
        else:
            identifier, _, rotation = id.partition("/") if kind == "rotation" else (id, "", "")
            schedule = held["oncall"]["schedules"].get(f"{scope.key}/{identifier}")
            if schedule and kind == "rotation":
                schedule = schedule | {"rotations": [one for one in schedule["rotations"] if one["name"] == rotation]}
            entries = render_on_call(schedule, at, at + SECOND, reading) if schedule else []
            yield from (email for entry in entries[:1] for email in entry["people"])


def _tell(held: Json, email: str, at: datetime, level: int) -> Iterator[Json]:
    user = find_user(held, email)
    if user is None or user.get("locked") or user.get("disabled"):
        why = "has not accepted the invitation" if user is None else "is locked or disabled"
        yield _event(at, "NOTIFICATION_FAILED", PAGING, f"{email} {why}", recipient=email, level=level)
        return
    blocked = held.get("config", {}).get("blocked_channels", ())
    for wait, method in _list_steps(held, email):
        channel = method["type"].upper()
        kind = "NOTIFICATION_FAILED" if method["type"] in blocked else "NOTIFICATION_SENT"
        said = (
            f"{channel} to {email} was not delivered" if method["type"] in blocked else f"Notified {email} by {channel}"
        )
        yield _event(at + wait, kind, PAGING, said, recipient=email, channel=channel, level=level)


def _list_steps(held: Json, email: str) -> Iterator[tuple[timedelta, Json]]:
    rule = held["oncall"]["notification_rules"].get(email)
    if rule and rule["steps"]:
        wait = timedelta(0)
        for step in rule["steps"]:
            wait += step["wait_minutes"] * MINUTE
            yield from ((wait, method) for method in step["methods"])
        return
    yield timedelta(0), {"type": "email", "address": email}
    methods = (held["oncall"]["contact_details"].get(email) or {}).get("methods", ())
    yield from ((MINUTE, method) for method in methods if method["type"] in ("sms", "phone"))


def _event(at: datetime, kind: str, group: str | None, message: str, actor: str = "system", **more: object) -> Json:
    shown: Json = {"eventType": kind, "timestamp": write_millis(at), "actor": actor, "message": message, **more}
    return shown | ({"eventGroup": group} if group else {})


def write_millis(at: datetime) -> int:
    """An instant as the API has it: milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def _read(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
