"""PagerDuty's lists, whole or an error: pages side by side, counted, read again when they move, cut when too long."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pdmigrate.errors import IncompleteFetchError, SlowAnswerError, TooLongError
from pdmigrate.pagerduty.answers import check_listed
from pdmigrate.pagerduty.keeping import Keeper
from pdmigrate.wire.canonical import canonical_json
from pdmigrate.wire.together import run_together
from pdmigrate.wire.transport import Transport

PAGE = 100
CAP = 10_000
"""PagerDuty API: offset + limit beyond this is refused, so a longer list can never be read in one."""
READINGS = 3
"""How often a list that moves while it is read is read."""
SMALLEST_PAGE = 5
LATE = 2
"""After so many answers that come too late a rendered page is asked for in halves."""
TEAMS_AT_ONCE = 50
"""Team ids in one request: an address must not get too long."""
LETTERS = "qzxjkvwybgfpmcudlhrsnioate0123456789@-_. "
"""Rare ones first: their slices are short. Whether they were enough is known by the count, not by faith."""

Row = dict[str, Any]
Rows = dict[str, Row]
"""Rows by id."""


@dataclass(frozen=True)
class ListCall:
    """One list. `key` is what its answers call it. `cut_by`: the filters that it has. `rendered`: it may be slow.

    `check` looks at the first page, and may raise. `counted`: it can tell how many there are (PagerDuty's OpenAPI file).
    `identify` tells rows apart that have no id. `kind`: of its rows in a snapshot, where the list is kept for a reading that
    goes on. `told`: what progress calls its rows, where they are counted there.
    """

    key: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    limit: int = PAGE
    cut_by: tuple[str, ...] = ()
    rendered: bool = False
    counted: bool = True
    check: Callable[[list[Row]], None] | None = None
    identify: Callable[[Any], str] | None = None
    kind: str = ""
    told: str = ""


@dataclass(frozen=True)
class ListPage:
    """What one request brought. `total` is None where PagerDuty does not tell it."""

    rows: list[Row]
    more: bool
    total: int | None


class PartAbsentError(IncompleteFetchError):
    """An answer without the list that was asked for: it was not read, and is not empty."""


class ListReader:
    """Reads lists. `find_teams` gives the ids of all teams, for lists that have to be cut."""

    def __init__(
        self,
        transport: Transport,
        find_teams: Callable[[], Sequence[str]] = tuple,
        keeper: Keeper | None = None,
    ):
        self._transport = transport
        self.progress = transport.progress
        self._find_teams = find_teams
        self.keeper = keeper or Keeper()

    def read(self, call: ListCall) -> list[Row]:
        """All rows, each once. Raises IncompleteFetchError where that cannot be had."""
        if not call.kind:
            return self._read_whole(call)
        rows = self.keeper.ask(call.kind, call.path, call.params, lambda: self._read_whole(call))
        if call.told:
            self.progress.count(call.told, len(rows), len(rows))
        return rows

    def _read_whole(self, call: ListCall) -> list[Row]:
        why = ""
        for _ in range(READINGS):
            first = self._ask(call, 0, call.limit)
            if call.told:
                self.progress.count(call.told, len(first.rows), first.total)
            if call.check:
                call.check(first.rows)
            if first.total is not None and first.total > CAP:
                return self._read_cut(call, first.total)
            rows, why = self._read_rest(call, first)
            if not why:
                return list(rows.values())
        raise IncompleteFetchError(
            f"PagerDuty's {call.path} could not be read whole in {READINGS} readings ({why}): nothing was taken from it. "
            "Run again when less is changed; if it stays so, tell PagerDuty's support."
        )

    def read_known(self, call: ListCall) -> list[Row] | None:
        """All rows; None where the answer has no such list, for a caller who can do without."""
        try:
            return self.read(call)
        except PartAbsentError:
            return None

    def _read_rest(self, call: ListCall, first: ListPage) -> tuple[Rows, str]:
        """The rows by id, and why they are not the whole list; "" where they are."""
        pages = [first]
        if first.more:
            pages += self._follow(call, first) if first.total is None else self._read_counted(call, first, first.total)
        rows = [row for page in pages for row in page.rows]
        by_id = {(call.identify or _identity)(row): row for row in rows}
        if any(page.total != first.total for page in pages):
            return by_id, "the count changed while it was read"
        if pages[-1].more:
            return by_id, f"it says that more come after {len(rows)} rows, and gives none"
        if len(by_id) != len(rows) and (
            len(pages) > 1 or not call.identify
        ):  # two equal rows of one page say one thing
            return by_id, f"{len(rows) - len(by_id)} of {len(rows)} rows came twice"
        if first.total is not None and len(rows) != first.total:
            return by_id, f"it counts {first.total} and gives {len(rows)}"
        return by_id, ""

    def _read_counted(self, call: ListCall, first: ListPage, total: int) -> list[ListPage]:
        step = len(first.rows) or call.limit
        return run_together(lambda offset: self._tell(call, self._ask(call, offset, step)), range(step, total, step))

    def _tell(self, call: ListCall, page: ListPage) -> ListPage:
        if call.told:
            self.progress.add(call.told, len(page.rows))
        return page

    def _follow(self, call: ListCall, first: ListPage) -> list[ListPage]:
        pages, offset = [], len(first.rows)
        more = first.more
        while more and offset < CAP:
            pages.append(self._tell(call, self._ask(call, offset, call.limit)))
            offset, more = offset + len(pages[-1].rows), pages[-1].more and bool(pages[-1].rows)
        if more:
            raise self._too_long(call)
        return pages

    def _ask(self, call: ListCall, offset: int, limit: int) -> ListPage:
        """One page; where it takes too long to render, in two halves."""
        try:
            late = LATE if call.rendered and limit > SMALLEST_PAGE else 0
            return self._ask_once(call, offset, limit, late)
        except SlowAnswerError:
            half = limit // 2
            first = self._ask(call, offset, half)
            if not first.more:
                return first
            second = self._ask(call, offset + half, limit - half)
            return ListPage(first.rows + second.rows, second.more, second.total)

    def _ask_once(self, call: ListCall, offset: int, limit: int, late: int) -> ListPage:
        limit = min(limit, CAP - offset)
        params = {**call.params, "limit": limit, "offset": offset, **({"total": "true"} if call.counted else {})}
        answer = self._transport.send("GET", call.path, params, late=late)
        rows = answer.get(call.key) if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise PartAbsentError(f"PagerDuty's answer to {call.path} holds no {call.key}: nothing was taken from it.")
        total = answer.get("total")
        rows = check_listed(rows, call.key, call.path)
        return ListPage(rows, bool(answer.get("more")), total if isinstance(total, int) else None)

    def _read_cut(self, call: ListCall, total: int) -> list[Row]:
        """A list that is too long, by team and then by name, until as many are there as PagerDuty counts."""
        rows: Rows = {}
        teams = list(self._find_teams()) if "team_ids[]" in call.cut_by else []
        for start in range(0, len(teams), TEAMS_AT_ONCE):
            self._read_teams(call, teams[start : start + TEAMS_AT_ONCE], rows)
            self.progress.count(call.told or call.key, len(rows), total)
        for letter in LETTERS if "query" in call.cut_by else "":
            if len(rows) >= total:
                break
            rows.update(self._read_slice(call, {"query": letter}) or {})
        if len(rows) != total:
            raise self._too_long(call, f"{total}, of which {len(rows)} could be reached by team and by name")
        return list(rows.values())

    def _read_teams(self, call: ListCall, teams: list[str], rows: Rows) -> None:
        found = self._read_slice(call, {"team_ids[]": teams})
        if found is not None:
            rows.update(found)
        elif len(teams) > 1:
            half = len(teams) // 2
            self._read_teams(call, teams[:half], rows)
            self._read_teams(call, teams[half:], rows)

    def _read_slice(self, call: ListCall, only: dict[str, Any]) -> Rows | None:
        """The rows of one slice; None where it is too long too."""
        part = replace(call, params={**call.params, **only}, cut_by=(), check=None, told="")
        first = self._ask(part, 0, part.limit)
        if first.total is None or first.total > CAP:
            return None
        rows, why = self._read_rest(part, first)
        return rows if not why else {(call.identify or _identity)(row): row for row in self.read(part)}

    def _too_long(self, call: ListCall, number: str = "") -> TooLongError:
        return TooLongError(
            f"PagerDuty has more than {CAP} {call.key} ({number or call.path}) and its API shows no more: "
            "nothing was taken; ask PagerDuty for an export."
        )


def _identity(row: Any) -> str:
    """Its id; members of a team have none but the user's, and what has none at all is still a row."""
    if not isinstance(row, dict):
        return canonical_json(row)
    user = row.get("user")
    return str(row.get("id") or (user.get("id") if isinstance(user, dict) else "") or canonical_json(row))


def list_records(rows: Iterable[Any]) -> list[Row]:
    """Those that can be asked about by their id. What else came is told where records are made of the list."""
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
