"""Reads Harness: the public API for scope, people, groups and services, our contract for what is on call."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pdmigrate.errors import AnswerError, IncompleteFetchError, KeyRefusedError, WrongAccountError
from pdmigrate.harness import records
from pdmigrate.harness.address import Address, Key, is_gone
from pdmigrate.harness.target import TargetAccess
from pdmigrate.wire.addresses import encode_part
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.together import run_together
from pdmigrate.wire.transport import NO_JSON, Transport

Row = dict[str, Any]
Record = TypeVar("Record", bound=BaseModel)

GROUPS, SERVICES = "/ng/api/user-groups", "/ng/api/servicesV2"
CONTRACT = "/pdmigrate-oncall/v1"
PAGE = 100
MOST_PAGES = 1_000
LIST_NAMES = {"invites": "invitations", "user": "people", "servicesV2": "CD services"}
"""What lists are called whose path does not say it."""
TRIES_FOR_A_WHOLE_LIST = 3
FEW = 10
"""So many people are looked up one by one; more of them are found faster in the whole lists."""
VERSION = 1
KINDS = frozenset(
    {
        "schedules",
        "overrides",
        "escalation_policies",
        "services",
        "alert_rules",
        "contact_details",
        "notification_rules",
    }
)
"""What a server must take by our contract (docs/oncall-contract.md, GET /capabilities)."""
TIMED_OUT = 408


class Harness:
    """The reading side of one Harness project, and the requests that the writers are made of."""

    def __init__(self, transport: Transport, account: str, org: str, project: str, key: Key | None = None):
        self.transport = transport
        self.account, self.org, self.project = account, org, project
        self.key = key or Key("unknown", "")
        self.counts = transport.counts

    @property
    def address(self) -> Address:
        return Address(self.transport.base_url, self.account, self.org, self.project)

    @property
    def scope(self) -> dict[str, str]:
        return {"accountIdentifier": self.account, "orgIdentifier": self.org, "projectIdentifier": self.project}

    def check_scope(self) -> TargetAccess:
        """Whether the key is good and the project there. Raises WrongAccountError with the nearest right name."""
        account = {"accountIdentifier": self.account}
        if self.key.account and self.key.account != self.account:
            raise WrongAccountError(
                f"The key is for the Harness account {self.key.account}, target.account says {self.account}: mend one."
            )
        self._check_key(account)
        self._check_exists("organization", "organizations", self.org, account)
        self._check_exists("project", "projects", self.project, {**account, "orgIdentifier": self.org})
        door = self.ask_door()
        return TargetAccess(self.address.name, not door, door, self.key.kind)

    def ask_door(self) -> str:
        """ "" where the target speaks our contract; else what it answered instead, in a few words.

        A real Harness has no such path and may answer it in any way. Only what is no answer at all (no connection,
        too late, its own failure) is an error, and a 401 where it takes the key nowhere else either.
        """
        try:
            return _judge_capabilities(self.oncall("GET", "/capabilities", door=True))
        except KeyRefusedError:
            self._check_key({"accountIdentifier": self.account})
            return "401, although the key is taken elsewhere"
        except AnswerError as error:
            if error.status >= 500 or error.status == TIMED_OUT:
                raise
            return "a page that is no JSON" if error.code == NO_JSON else f"{error.status} {error.code}".strip()

    def _check_key(self, account: dict[str, str]) -> None:
        """Check the key: currentUser for a person's, token/validate for a service account's, which belongs to no user."""
        try:
            if self.key.kind == "personal":
                self.transport.send("GET", "/ng/api/user/currentUser", account)
            else:
                self.transport.send("POST", "/ng/api/token/validate", account, reads=True)
        except AnswerError as error:
            if error.status not in (400, 403):
                raise
            raise KeyRefusedError(
                f"Harness does not take the key for the account {self.account}: {error} "
                "Check that key and account belong together, and that the key is neither disabled nor expired."
            ) from None

    def read_state(self) -> records.State:
        """All of the project that concerns a migration, as it is now."""
        lists: dict[str, Callable[[], Any]] = {
            "people": self.read_people,
            "groups": lambda: self._list_ng("GET", GROUPS),
            "services": lambda: self._list_ng("GET", SERVICES, words=("page", "size")),
        }
        oncall: dict[str, Callable[[], Any]] = {
            "schedules": lambda: self._read_kind("/schedules", records.Schedule),
            "policies": lambda: self._read_kind("/escalation-policies", records.EscalationPolicy),
            "contacts": lambda: self._read_kind("/contact-details", records.ContactDetails, "email"),
            "rules": lambda: self._read_kind("/notification-rules", records.NotificationRule, "email"),
            "alert_rules": lambda: self._read_kind("/alert-rules", records.AlertRule),
            "settings": lambda: self._list_oncall("/services"),
        }
        spoken = not self.ask_door()
        lists |= oncall if spoken else {}
        read = dict(zip(lists, run_together(lambda kind: lists[kind](), lists), strict=True))
        people, raw_groups, raw_services = (read.pop(kind) for kind in ("people", "groups", "services"))
        settings = _join_settings(read.pop("settings"), read["alert_rules"]) if spoken else {}
        names = {person.uuid: person.email for person in people.values() if person.uuid}
        return records.State(
            people=people,
            groups={group.identifier: group for group in _make_groups(raw_groups, names)},
            services={service.identifier: service for service in _make_services(raw_services, settings)},
            oncall=spoken,
            **read,
        )

    def read_people(self) -> dict[str, records.Person]:
        """Everybody in the project by email: those with an account, and those who are only invited."""
        invites, accounts = run_together(
            lambda kind: self._list_ng("POST", f"/ng/api/{kind}/aggregate"), ("invites", "user")
        )
        with reading("/ng/api/user/aggregate"):
            invited = [_make_invited(row) for row in invites]
            users = [_make_user(row["user"]) for row in accounts]
        return {person.email: person for person in [*invited, *users]}

    def find_people(self, emails: Iterable[str]) -> dict[str, records.Person]:
        """Those of the emails who are in the project now, with an account or invited."""
        wanted = set(emails)
        if len(wanted) > FEW:
            people = self.read_people()
            return {email: people[email] for email in wanted if email in people}
        body = {"emails": sorted(wanted)}
        users = [_make_user(row) for row in self._list_ng("POST", "/ng/api/user/batch", body=body)] if wanted else []
        # Harness takes the search term as a case-sensitive regular expression that may match anywhere in an address
        asked = [{**self.scope, "searchTerm": f"^{re.escape(email)}$"} for email in sorted(wanted)]
        found = [_make_invited(row) for one in asked for row in self._list_ng("POST", "/ng/api/invites/aggregate", one)]
        return {person.email: person for person in [*found, *users] if person.email in wanted}

    def read_group(self, identifier: str) -> Row | None:
        """One user group, raw, for read-modify-write; None where there is none."""
        return self._read_or_none(f"/ng/api/user-groups/{encode_part(identifier)}")

    def read_service(self, identifier: str) -> Row | None:
        """One CD service, raw; None where there is none."""
        found = self._read_or_none(f"/ng/api/servicesV2/{encode_part(identifier)}")
        return found["service"] if found else None

    def _read_or_none(self, path: str) -> Row | None:
        try:
            answer = self.transport.send("GET", path, self.scope)
        except AnswerError as error:
            if is_gone(error):
                return None
            raise
        with reading(path):
            found: Row = answer["data"]
        return found

    def read_coverage(self, identifier: str, start: datetime, end: datetime) -> tuple[records.Coverage, ...]:
        """Who is on call in a schedule, by the target's own answer."""
        window = {"from": start.isoformat(), "to": end.isoformat()}
        answer = self.oncall("GET", f"/schedules/{encode_part(identifier)}/on-call", window)
        with reading(f"/schedules/{encode_part(identifier)}/on-call"):
            return tuple(records.Coverage.model_validate(entry) for entry in answer["entries"])

    def oncall(self, method: str, path: str, params: Row | None = None, body: Any = None, door: bool = False) -> Any:
        """One request by our contract (docs/oncall-contract.md); it names the account as all requests do."""
        account, org, project = map(encode_part, (self.account, self.org, self.project))
        base = f"{CONTRACT}/accounts/{account}/orgs/{org}/projects/{project}"
        asked = {"accountIdentifier": self.account, **(params or {})}
        return self.transport.send(method, base + path, asked, body, door=door)

    def _check_exists(self, noun: str, path: str, identifier: str, params: Row) -> None:
        try:
            self.transport.send("GET", f"/ng/api/{path}/{encode_part(identifier)}", params)
        except AnswerError as error:
            if not is_gone(error):
                raise
            names = [row[noun]["identifier"] for row in self._list_ng("GET", f"/ng/api/{path}", params)]
            near = difflib.get_close_matches(identifier, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the key sees {', '.join(sorted(names)) or 'none'}."
            raise WrongAccountError(f"Harness knows no {noun} {identifier} in {self.account}: {hint}") from None

    def _read_kind(self, path: str, record: type[Record], key: str = "identifier") -> dict[str, Record]:
        rows = self._list_oncall(path)
        with reading(path):
            return {row[key]: record.model_validate(row) for row in rows}

    def _list_ng(
        self,
        method: str,
        path: str,
        params: Row | None = None,
        words: tuple[str, str] = ("pageIndex", "pageSize"),
        body: Row | None = None,
    ) -> list[Row]:
        """All rows of a paged list, each once; whole, or an error, never a part taken for the whole.

        Rows move while somebody writes: a list that holds fewer or more than it said is read again.
        """
        for _ in range(TRIES_FOR_A_WHOLE_LIST):
            rows, promised = self._read_pages(method, path, params or self.scope, words, body)
            if len(rows) == promised:
                return list(rows.values())
        raise IncompleteFetchError(
            f"Harness's list {path} said {promised} rows and gave {len(rows)} each of {TRIES_FOR_A_WHOLE_LIST} times: "
            "somebody is changing it, or the key may not see all; run again."
        )

    def _read_pages(
        self, method: str, path: str, params: Row, words: tuple[str, str], body: Row | None
    ) -> tuple[dict[str, Row], int]:
        rows: dict[str, Row] = {}
        sent = (body or {}) if method == "POST" else None
        for page in range(MOST_PAGES):
            asked = {**params, words[0]: page, words[1]: PAGE}
            answer = self.transport.send(method, path, asked, sent, reads=True)
            content, pages, promised = _open_page(answer.get("data") if isinstance(answer, dict) else None, path)
            with reading(path):
                rows.update((_identity(row), row) for row in content)
            self._tell(path.removesuffix("/aggregate"), len(rows), promised)
            if page + 1 >= pages:
                return rows, promised
        raise IncompleteFetchError(
            f"Harness's list {path} does not end after {MOST_PAGES} pages: nothing was taken from it."
        )

    def _tell(self, path: str, done: int, total: int) -> None:
        """A list is called by the last word of its path, where that is a word."""
        name = path.rpartition("/")[2]
        self.transport.progress.count(f"Harness's {LIST_NAMES.get(name, name.replace('-', ' '))}", done, total)

    def _list_oncall(self, path: str) -> list[Row]:
        for _ in range(TRIES_FOR_A_WHOLE_LIST):
            rows, promised = self._read_oncall_pages(path)
            if len({canonical_json(row) for row in rows}) == len(rows) == promised:
                return rows
        raise IncompleteFetchError(
            f"The target's list {path} said {promised} rows and gave {len(rows)}, or some twice, each of "
            f"{TRIES_FOR_A_WHOLE_LIST} times: nothing was taken from it; run again."
        )

    def _read_oncall_pages(self, path: str) -> tuple[list[Row], int]:
        rows: list[Row] = []
        for page in range(MOST_PAGES):
            content, _, promised = _open_page(self.oncall("GET", path, {"page": page, "size": PAGE}), path, paged=False)
            rows += content
            self._tell(path, len(rows), promised)
            if not content or len(rows) >= promised:
                return rows, promised
        raise IncompleteFetchError(f"The target's list {path} does not end after {MOST_PAGES} pages.")


def _open_page(data: Any, path: str, paged: bool = True) -> tuple[list[Row], int, int]:
    """Rows, number of pages and number of rows in all. Raises IncompleteFetchError for a page without these."""
    told = data if isinstance(data, dict) else {}
    rows, pages, total = told.get("content"), told.get("totalPages", None if paged else 0), told.get("totalItems")
    if not (isinstance(rows, list) and type(pages) is int and type(total) is int):
        missing = [n for n in ("content", "totalPages", "totalItems") if n not in told and (paged or n != "totalPages")]
        raise IncompleteFetchError(
            f"Harness's answer to {path} is no page of a list ({', '.join(missing) or 'odd values'}"
            f"{' missing' if missing else ''}): nothing was taken from it."
        )
    return rows, pages, total


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What comes in another shape than Harness documents was not read, and is said in one line."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        fields = (
            [".".join(map(str, one["loc"])) for one in error.errors()] if isinstance(error, ValidationError) else []
        )
        what = ", ".join(fields[:3]) or (f"{error.args[0]}" if isinstance(error, KeyError) else "a row")
        raise IncompleteFetchError(
            f"Harness's answer to {path} has another shape than is documented ({what}): nothing was taken from it."
        ) from None


def _judge_capabilities(answer: Any) -> str:
    """ "" for our contract's own shape, in the version and with the kinds that we need."""
    try:
        told = records.Capabilities.model_validate(answer)
    except ValidationError:
        return "JSON of another shape" if answer is not None else "an empty answer"
    if told.version != VERSION:
        return f"version {told.version} of the contract, and this pdmigrate speaks {VERSION}"
    missing = sorted(KINDS.difference(told.kinds))
    return f"the contract without {', '.join(missing)}" if missing else ""


def _identity(row: Row) -> str:
    """The id of a row, in any of the lists."""
    named = {"user": "uuid", "service": "identifier", "organization": "identifier", "project": "identifier"}
    for noun, id in named.items():
        if isinstance(row.get(noun), dict):
            return str(row[noun][id])
    return str(row.get("identifier") or row.get("id") or row["uuid"])


def _make_groups(rows: Iterable[Row], names: dict[str, str]) -> Iterator[records.UserGroup]:
    for row in rows:
        # members of whom the project knows no email are left to the writer, which keeps them
        with reading(GROUPS):
            users = tuple(sorted(names[uuid] for uuid in row.get("users") or [] if uuid in names))
            outside = bool(row.get("externallyManaged") or row.get("harnessManaged"))
            group = records.UserGroup.model_validate({**row, "users": users, "externally_managed": outside})
        yield group


def _make_services(rows: Iterable[Row], settings: dict[str, Row]) -> Iterator[records.Service]:
    for row in rows:
        with reading(SERVICES):
            said = row["service"]
            oncall, words = settings.get(said["identifier"], {}), said.get("description") or ""
            service = records.Service.model_validate({**oncall, **said, "description": words})
        yield service


def _join_settings(listed: Iterable[Row], rules: dict[str, records.AlertRule]) -> dict[str, Row]:
    """On-call settings of services, each with what its own alert rule says: the one that has its identifier.

    Where that rule is gone, or is another service's by now, nobody is paged, whatever the service itself says.
    """
    with reading("/services"):
        rows = {row["identifier"]: {**row, "paging": False} for row in listed}
    for identifier, rule in rules.items():
        if rule.service == identifier:
            known = rows.get(identifier, {"identifier": identifier})
            rows[identifier] = {**known, "paging": rule.paging, "rule_policy": rule.escalation_policy}
    return rows


def _make_user(user: Row) -> records.Person:
    return records.Person(
        email=user["email"],
        name=user.get("name") or "",
        uuid=user["uuid"],
        disabled=bool(user.get("disabled")),
        locked=bool(user.get("locked")),
    )


def _make_invited(invite: Row) -> records.Person:
    return records.Person(email=invite["email"], name=invite.get("name") or "", invite=invite["id"])
