"""Takes back what a run created: `undo` alone uses it, and only for what nobody has changed since."""

from collections.abc import Callable

from pdmigrate.errors import AnswerError
from pdmigrate.harness.client import Harness
from pdmigrate.harness.records import State


def remove_created(harness: Harness, kind: str, identifier: str, state: State) -> None:
    """Remove one object. An invitation is taken back; an account is never removed."""
    try:
        _REMOVERS[kind](harness, identifier, state)
    except AnswerError as error:
        if error.status != 404:  # a lost answer made us ask again
            raise


def _remove_oncall(path: str) -> Callable[[Harness, str, State], None]:
    return lambda harness, identifier, state: harness.oncall("DELETE", f"/{path}/{identifier}")


def _remove_group(harness: Harness, identifier: str, state: State) -> None:
    harness.transport.send("DELETE", f"/ng/api/user-groups/{identifier}", harness.scope)


def _take_back_invite(harness: Harness, identifier: str, state: State) -> None:
    invite = state.people[identifier].invite
    harness.transport.send("DELETE", f"/ng/api/invites/{invite}", harness.scope)


def _remove_override(harness: Harness, identifier: str, state: State) -> None:
    schedule, _, name = identifier.partition("/")
    harness.oncall("DELETE", f"/schedules/{schedule}/overrides/{name}")


def _remove_service(harness: Harness, identifier: str, state: State) -> None:
    """First its alert rule and its on-call settings, so that it pages nobody, then the service."""
    if identifier in state.alert_rules:
        harness.oncall("DELETE", f"/alert-rules/{identifier}")
    if state.oncall:
        harness.oncall("DELETE", f"/services/{identifier}")
    harness.transport.send("DELETE", f"/ng/api/servicesV2/{identifier}", harness.scope)


_REMOVERS: dict[str, Callable[[Harness, str, State], None]] = {
    "teams": _remove_group,
    "users": _take_back_invite,
    "contact_methods": _remove_oncall("contact-details"),
    "notification_rules": _remove_oncall("notification-rules"),
    "schedules": _remove_oncall("schedules"),
    "overrides": _remove_override,
    "escalation_policies": _remove_oncall("escalation-policies"),
    "services": _remove_service,
}
