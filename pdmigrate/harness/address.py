"""Where a Harness is and what its keys look like: from what people type to what a request needs."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pdmigrate.errors import AnswerError, SettingsError
from pdmigrate.wire.addresses import check_address

GONE = {"ENTITY_NOT_FOUND", "RESOURCE_NOT_FOUND_EXCEPTION"}
"""Harness's words for what is not there; the status may be 400 or 404 (harness-core, exception mappers)."""


@dataclass(frozen=True)
class Address:
    """Where a target is: the base of its paths, and the place in it that is written to."""

    base_url: str
    account: str
    org: str
    project: str

    @property
    def name(self) -> str:
        """account/org/project, as the plan's digest has it."""
        return f"{self.account}/{self.org}/{self.project}"


@dataclass(frozen=True)
class Key:
    """What a key says of itself. kind: personal, service or unknown; account: "" where it names none."""

    kind: str
    account: str


def read_key(text: str) -> Key:
    """`pat.ACCOUNT.ID.SECRET` is a person's key, `sat.…` a service account's. The secret is not kept."""
    parts = text.split(".")
    kind = {"pat": "personal", "sat": "service"}.get(parts[0], "unknown")
    return Key(kind, parts[1] if kind != "unknown" and len(parts) >= 4 else "")


def read_base_url(text: str) -> str:
    """The base of all paths: a cluster's address, a vanity host, or a bare label of one; with or without `/gateway`.

    What somebody copied out of the browser's address bar is cut to what counts. Raises SettingsError for what is none.
    """
    text = text.strip()
    if re.fullmatch(r"[A-Za-z0-9-]+", text) and text.lower() != "localhost":
        text = f"https://{text}.harness.io"
    try:
        parts = urlsplit(check_address(text if "://" in text else f"https://{text}"))
    except ValueError as error:
        raise SettingsError(f"target.base_url: {error}, as in https://app.harness.io/gateway.") from None
    path = re.split(r"/(?:ng|authz|v1|ir|#|auth|pdmigrate-oncall)(?:/|$)", parts.path.rstrip("/") + "/")[0]
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def is_gone(error: AnswerError) -> bool:
    """Whether an answer means: there is no such thing."""
    return error.status == 404 or error.code in GONE
