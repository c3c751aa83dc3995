"""Reads Harness: the public API for scope, people, groups and services, our contract for what is on call."""

import difflib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pdmigrate.errors import AnswerError, IncompleteFetchError, WrongAccountError
from pdmigrate.harness import records
from pdmigrate.transport import Transport

CONTRACT = "/pdmigrate-oncall/v1"
PAGE = 100
MOST_PAGES = 1_000


def make_client(base_url: str, api_key: str, account: str, org: str, project: str) -> "Harness":
    return Harness(Transport("Harness", base_url, {"x-api-key": api_key}), account, org, project)


class Harness:
    """The reading side of one Harness project, and the paths that the writers use."""

    def __init__(self, transport: Transport, account: str, org: str, project: str):
        self.transport = transport
        self.account, self.org, self.project = account, org, project

    @property
    def name(self) -> str:
        """account/org/project, as the plan's digest has it."""
        return f"{self.account}/{self.org}/{self.project}"

    @property
    def scope(self) -> dict[str, str]:
        return {"accountIdentifier": self.account, "orgIdentifier": self.org, "projectIdentifier": self.project}

    def check_scope(self) -> dict[str, Any]:
        """Whether the key is good and the project there. Raises WrongAccountError with the nearest right name."""
        account = {"accountIdentifier": self.account}
        self.transport.send("POST", "/ng/api/token/validate", account, reads=True)
        self._check_exists("organization", "organizations", self.org, account)
        self._check_exists("project", "projects", self.project, {**account, "orgIdentifier": self.org})
        return {"target": self.name, "oncall": self.speaks_contract()}

    def speaks_contract(self) -> bool:
        """Whether the target takes on-call objects by API; a real Harness has no such routes and answers 404."""
        try:
            return self.oncall("GET", "/capabilities")["version"] == 1
        except AnswerError as error:
            if error.status in (400, 404):
                return False
            raise

    def read_state(self) -> records.State:
        """All of the project that concerns a migration, as it is now."""
        people = self.read_people()
        names = {person.uuid: person.email for person in people.values() if person.uuid}
        oncall = self.speaks_contract()
        settings = {row["identifier"]: row for row in self._list_oncall("/services")} if oncall else {}
        return records.State(
            people=people,
            groups={group.identifier: group for group in self._read_groups(names)},
            services={service.identifier: service for service in self._read_services(settings)},
            **(self._read_oncall() if oncall else {}),
            oncall=oncall,
        )

    def read_people(self) -> dict[str, records.Person]:
        """Everybody in the project by email: those with an account, and those who are only invited."""
        invited = [_make_invited(row) for row in self._list_ng("POST", "/ng/api/invites/aggregate")]
        users = [_make_user(row["user"]) for row in self._list_ng("POST", "/ng/api/user/aggregate")]
        return {person.email: person for person in [*invited, *users]}

    def read_group(self, identifier: str) -> dict:
        """One user group, raw, for read-modify-write."""
        return self.transport.send("GET", f"/ng/api/user-groups/{identifier}", self.scope)["data"]

    def read_coverage(self, identifier: str, start: datetime, end: datetime) -> tuple[records.Coverage, ...]:
        """Who is on call in a schedule, by the target's own answer."""
        window = {"from": start.isoformat(), "to": end.isoformat()}
        answer = self.oncall("GET", f"/schedules/{identifier}/on-call", window)
        return tuple(records.Coverage.model_validate(entry) for entry in answer["entries"])

    def oncall(self, method: str, path: str, params: dict | None = None, body: Any = None) -> Any:
        """One request by our contract (docs/oncall-contract.md)."""
        base = f"{CONTRACT}/accounts/{self.account}/orgs/{self.org}/projects/{self.project}"
        return self.transport.send(method, base + path, params, body)

    def _check_exists(self, noun: str, path: str, identifier: str, params: dict) -> None:
        try:
            self.transport.send("GET", f"/ng/api/{path}/{identifier}", params)
        except AnswerError as error:
            if error.status not in (400, 404):
                raise
            names = [row[noun]["identifier"] for row in self._list_ng("GET", f"/ng/api/{path}", params)]
            near = difflib.get_close_matches(identifier, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the key sees {', '.join(sorted(names)) or 'none'}."
            raise WrongAccountError(f"Harness knows no {noun} {identifier} in {self.account}: {hint}") from None

    def _read_groups(self, names: dict[str, str]) -> Iterator[records.UserGroup]:
        for row in self._list_ng("GET", "/ng/api/user-groups"):
            users = tuple(sorted(names.get(uuid, uuid) for uuid in row.get("users") or []))
            outside = bool(row.get("externallyManaged") or row.get("harnessManaged"))
            yield records.UserGroup.model_validate({**row, "users": users, "externally_managed": outside})

    def _read_services(self, settings: dict[str, dict]) -> Iterator[records.Service]:
        for row in self._list_ng("GET", "/ng/api/servicesV2", {**self.scope}, ("page", "size")):
            service = row["service"]
            oncall = settings.get(service["identifier"], {})
            yield records.Service.model_validate({**oncall, **service, "description": service.get("description") or ""})

    def _read_oncall(self) -> dict[str, dict]:
        read = {
            "schedules": ("/schedules", records.Schedule, "identifier"),
            "policies": ("/escalation-policies", records.EscalationPolicy, "identifier"),
            "contacts": ("/contact-details", records.ContactDetails, "email"),
            "rules": ("/notification-rules", records.NotificationRule, "email"),
        }
        return {
            name: {row[key]: record.model_validate(row) for row in self._list_oncall(path)}
            for name, (path, record, key) in read.items()
        }

    def _list_ng(
        self, method: str, path: str, params: dict | None = None, words: tuple[str, str] = ("pageIndex", "pageSize")
    ) -> list[dict]:
        """All rows of a paged list, each once. A list that never ends is an error, never a part taken for the whole."""
        rows: dict[str, dict] = {}
        body = {} if method == "POST" else None
        for page in range(MOST_PAGES):
            asked = {**(params or self.scope), words[0]: page, words[1]: PAGE}
            data = self.transport.send(method, path, asked, body, reads=True)["data"]
            rows.update((_identity(row), row) for row in data["content"])
            if page + 1 >= data["totalPages"]:
                return list(rows.values())
        raise IncompleteFetchError(
            f"Harness's list {path} does not end after {MOST_PAGES} pages: nothing was taken from it."
        )

    def _list_oncall(self, path: str) -> list[dict]:
        rows: list[dict] = []
        for page in range(MOST_PAGES):
            answer = self.oncall("GET", path, {"page": page, "size": PAGE})
            rows += answer["content"]
            if not answer["content"] or len(rows) >= answer["totalItems"]:
                return rows
        raise IncompleteFetchError(f"The target's list {path} does not end after {MOST_PAGES} pages.")


def escape_search(text: str) -> str:
    """Harness reads search terms as regular expressions."""
    return re.escape(text)


def _identity(row: dict) -> str:
    """What a row of a list is known by, whatever the list."""
    for path in (
        ("user", "uuid"),
        ("service", "identifier"),
        ("organization", "identifier"),
        ("project", "identifier"),
    ):
        if path[0] in row and isinstance(row[path[0]], dict):
            return row[path[0]][path[1]]
    return row.get("identifier") or row["id"]


def _make_user(user: dict) -> records.Person:
    flags = {flag: bool(user.get(flag)) for flag in ("disabled", "locked")}
    return records.Person(email=user["email"], name=user.get("name") or "", uuid=user["uuid"], **flags)


def _make_invited(invite: dict) -> records.Person:
    return records.Person(email=invite["email"], name=invite.get("name") or "", invite=invite["id"])
