"""What a key opens and may read: asked in as few requests as there are kinds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pdmigrate.errors import AnswerError, KeyRefusedError, WrongAccountError
from pdmigrate.pagerduty.account import find_host
from pdmigrate.pagerduty.needs import ABSENT, FORBIDDEN, MAY_BE_ABSENT, PLANS, describe_refusal
from pdmigrate.pagerduty.schedules_reading import list_honours_final
from pdmigrate.pagerduty.window import FetchWindow, whole_seconds
from pdmigrate.wire.together import run_together
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
    """Whether a kind may be read, how many there are (None: not told), and PagerDuty's words where it may not.

    status: of its refusal, 0 where it may be read.
    """

    kind: str
    allowed: bool
    number: int | None = None
    why: str = ""
    status: int = 0

    @property
    def absent(self) -> bool:
        """Whether the account has no such thing, which is no fault of the key."""
        if self.kind in PLANS:
            return self.status == ABSENT
        return self.kind in MAY_BE_ABSENT and self.status in (ABSENT, 404)

    @property
    def meaning(self) -> str:
        """What a refusal means for the migration, and what a key needs; "" where it may be read."""
        return describe_refusal(self.kind, ABSENT if self.absent else FORBIDDEN) if self.status else ""


@dataclass(frozen=True)
class KeyAccess:
    """What a key opens. final_on_lists: whether the list of schedules contains final_schedule; None where it is empty.

    abilities_unread: why PagerDuty does not tell the abilities.
    """

    subdomain: str
    abilities: tuple[str, ...]
    readable: tuple[Readable, ...]
    final_on_lists: bool | None
    abilities_unread: str = ""


def ask_access(transport: Transport, subdomain: str, region: str, now: datetime) -> KeyAccess:
    """Ask once for the abilities and once a kind. Raises KeyRefusedError with a hint, or WrongAccountError."""
    abilities, why = _ask_abilities(transport, region)
    answers = run_together(lambda kind: _probe(transport, kind, now), PROBED)
    rows = [row for answer, _, _ in answers for row in _rows_of(answer)]
    found = check_subdomain(rows, subdomain)
    readable = []
    for kind, (answer, refusal, status) in zip(PROBED, answers, strict=True):
        total = answer.get("total")
        readable.append(Readable(kind, not refusal, total if isinstance(total, int) else None, refusal, status))
    final = list_honours_final(_rows_of(answers[list(PROBED).index("schedules")][0]))
    return KeyAccess(found, tuple(sorted(abilities)), tuple(readable), final, why)


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


def _ask_abilities(transport: Transport, region: str) -> tuple[list[str], str]:
    """The abilities, and why they are not told: a key that may not read them may be good all the same."""
    try:
        answer = transport.send("GET", "/abilities")
    except AnswerError as error:
        if error.status not in (402, 403, 404):
            raise
        return [], str(error)
    except KeyRefusedError as error:
        if not region:
            raise
        other = "eu" if region == "us" else "us"
        raise KeyRefusedError(
            f"{error} It was asked in the region {region}, and a key of an account in the region {other} is refused there: "
            f"if that is yours, set source.region to {other}."
        ) from None
    told = answer.get("abilities") if isinstance(answer, dict) else None
    return [str(one) for one in told] if isinstance(told, list) else [], ""


def _probe(transport: Transport, kind: str, now: datetime) -> tuple[dict[str, Any], str, int]:
    """The answer, and PagerDuty's words and the status where it refused."""
    params: dict[str, Any] = {"limit": 1, "total": "true"}
    if kind == "schedules":
        since = whole_seconds(now)
        params |= {"include[]": ["final_schedule"], **FetchWindow(since, since + timedelta(hours=1)).params}
    try:
        answer = transport.send("GET", PROBED[kind], params)
    except AnswerError as error:
        return {}, str(error), error.status
    return answer if isinstance(answer, dict) else {}, "", 0


def _rows_of(answer: dict[str, Any]) -> list[Any]:
    return next((value for value in answer.values() if isinstance(value, list)), [])
