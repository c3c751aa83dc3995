"""What a key opens and may read: asked in as few requests as there are kinds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pdmigrate.errors import AnswerError, KeyRefusedError, WrongAccountError
from pdmigrate.pagerduty.account import find_host
from pdmigrate.pagerduty.lists import run_together
from pdmigrate.pagerduty.schedules_reading import list_honours_final
from pdmigrate.pagerduty.window import FetchWindow, whole_seconds
from pdmigrate.wire.transport import Transport

PROBED = {
    "users": "/users",
    "teams": "/teams",
    "schedules": "/schedules",
    "schedules_v3": "/v3/schedules",
    "escalation_policies": "/escalation_policies",
    "services": "/services",
}


@dataclass(frozen=True)
class Readable:
    """Whether a kind may be read, how many there are (None: not told), and PagerDuty's words where it may not."""

    kind: str
    allowed: bool
    number: int | None = None
    why: str = ""


@dataclass(frozen=True)
class KeyAccess:
    """What a key opens. final_on_lists: whether the list of schedules contains final_schedule; None where it is empty."""

    subdomain: str
    abilities: tuple[str, ...]
    readable: tuple[Readable, ...]
    final_on_lists: bool | None


def ask_access(transport: Transport, subdomain: str, region: str, now: datetime) -> KeyAccess:
    """Ask once for the abilities and once a kind. Raises KeyRefusedError with a hint, or WrongAccountError."""
    abilities = _ask_abilities(transport, region)
    answers = run_together(lambda kind: _probe(transport, kind, now), PROBED)
    rows = [row for answer, _ in answers for row in _rows_of(answer)]
    found = check_subdomain(rows, subdomain)
    readable = []
    for kind, (answer, refusal) in zip(PROBED, answers, strict=True):
        total = answer.get("total")
        readable.append(Readable(kind, not refusal, total if isinstance(total, int) else None, refusal))
    final = list_honours_final(_rows_of(answers[list(PROBED).index("schedules")][0]))
    return KeyAccess(found, tuple(sorted(abilities)), tuple(readable), final)


def check_subdomain(rows: Iterable[Any], subdomain: str) -> str:
    """The account's name by its own links, or the one that was named. Raises WrongAccountError where they differ.

    "" where neither says it: a name is never made up.
    """
    found = find_host(rows).split(".")[0]
    if found and subdomain and found != subdomain.lower():
        raise WrongAccountError(
            f"The key opens the PagerDuty account {found}, but migration.yaml says {subdomain}: mend source.subdomain or the key."
        )
    return found or subdomain


def _ask_abilities(transport: Transport, region: str) -> list[str]:
    try:
        answer = transport.send("GET", "/abilities")
    except KeyRefusedError as error:
        other = "eu" if region == "us" else "us"
        raise KeyRefusedError(
            f"{error} It was asked in the region {region}, and a key of an account in the region {other} is refused there: "
            f"if that is yours, set source.region to {other}."
        ) from None
    return answer.get("abilities") or [] if isinstance(answer, dict) else []


def _probe(transport: Transport, kind: str, now: datetime) -> tuple[dict[str, Any], str]:
    """The answer, and PagerDuty's words where it refused."""
    params: dict[str, Any] = {"limit": 1, "total": "true"}
    if kind == "schedules":
        since = whole_seconds(now)
        params |= {"include[]": ["final_schedule"], **FetchWindow(since, since + timedelta(hours=1)).params}
    try:
        answer = transport.send("GET", PROBED[kind], params)
    except AnswerError as error:
        return {}, str(error)
    return answer if isinstance(answer, dict) else {}, ""


def _rows_of(answer: dict[str, Any]) -> list[Any]:
    return next((value for value in answer.values() if isinstance(value, list)), [])
