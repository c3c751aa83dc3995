"""All workspaces of a consultancy on one page, and all their teams: what is in step, what waits for whom, what failed and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from pdmigrate.errors import PersonNeededError
from pdmigrate.oncall.words import format_number
from pdmigrate.pages.show import Columns, Figure, Link, Page, Section, Tag, make_table
from pdmigrate.pages.words import format_time

STATES = {
    "failed": "bad",
    "not ended": "bad",
    "out of date": "bad",
    "never run": "warn",
    "waiting": "warn",
    "not verified": "warn",
    "in step": "good",
}
"""What can be said of a workspace, the worst first, to its tone."""
MEANINGS = """\
- In step: the latest run came to its end, compared both sides, and found nothing that nobody has decided.
- Waiting: a person has to answer, approve or mend something; another run by itself changes nothing.
- Not verified: the latest run ended well and did not compare, or something was loaded or taken back after it.
- Never run: no run has left anything in the workspace.
- Out of date: there was no run for longer than there should be; what the last one found is not said of today.
- Not ended: the latest run has left no word of its end. It is under way, or it was killed: the same command goes on.
- Failed: the latest run ended with what a person has to look at, or nothing in the workspace can be read."""


@dataclass(frozen=True)
class Team:
    """As the latest verify left it. choice: go, no-go, why a go does not stand, or not yet. waits: for whom."""

    name: str
    page: str
    choice: str
    troubles: tuple[str, ...]
    waits: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """One workspace. code: the latest run's; None where there is no run, or no end of one. at: when that run left its last word.

    compared: verify was part of it, and nothing was loaded or taken back since. why: what went wrong, or what a person is
    needed for. waits: for whom, also where all is in step. page: the run's index, as seen from the overview; "" where there is none.
    """

    name: str
    folder: str
    code: int | None = None
    at: datetime | None = None
    compared: bool = False
    why: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    page: str = ""
    teams: tuple[Team, ...] = ()
    unread: str = ""
    """Why what lies in the workspace cannot be read, where that is so."""


@dataclass(frozen=True)
class Shown:
    """All of them at one time. most: how old the latest run may be."""

    standings: tuple[Standing, ...]
    now: datetime
    most: timedelta

    def tell_state(self, one: Standing) -> str:
        """A workspace of which nothing can be read has failed, whatever its runs said."""
        if one.unread:
            return "failed"
        if one.at is None:
            return "never run"
        if one.code is None:
            return "not ended"
        if one.code not in (0, PersonNeededError.exit_code):
            return "failed"
        if self.now - one.at > self.most:
            return "out of date"
        return "waiting" if one.code else "in step" if one.compared else "not verified"

    @cached_property
    def worst_first(self) -> list[Standing]:
        states = list(STATES)
        return sorted(self.standings, key=lambda one: (states.index(self.tell_state(one)), one.name.casefold()))


def make_page(shown: Shown) -> Page:
    """The overview."""
    states = [shown.tell_state(one) for one in shown.standings]
    counts = {state: states.count(state) for state in STATES if state in states}
    figures = tuple(
        Figure(state.capitalize(), str(n), STATES[state], f"#{state.replace(' ', '-')}") for state, n in counts.items()
    )
    whole = format_number(len(states), "workspace")
    lead = f"{whole}: {', '.join(f'{n} {state}' for state, n in counts.items())}."
    hours = round(shown.most.total_seconds() / 3600)
    facts = (
        ("Written", format_time(shown.now)),
        ("Out of date after", f"{format_number(hours, 'hour')} without a run"),
    )
    return Page("overview", "All workspaces", lead, "", figures, tuple(_list_sections(shown)), facts)


def _list_sections(shown: Shown) -> Iterator[Section]:
    columns: Columns[Standing] = {
        "Workspace": lambda one: Link(one.name, one.page) if one.page else one.name,
        "State": lambda one: _tag(shown, one),
        "Latest run": lambda one: format_time(one.at) if one.at else "",
        "Why": lambda one: list(_tell_why(one)),
        "Waits for": lambda one: list(one.waits),
        "Exit code": lambda one: "" if one.code is None else str(one.code),
        "Folder": lambda one: one.folder,
    }
    table = make_table(shown.worst_first, columns, anchor=lambda one: shown.tell_state(one).replace(" ", "-"))
    yield Section("Workspaces", table=table)
    yield _section_teams(shown)
    yield Section("What the words mean", MEANINGS)


def _section_teams(shown: Shown) -> Section:
    columns: Columns[tuple[Standing, Team]] = {
        "Team": lambda row: Link(row[1].name, row[1].page) if row[1].page else row[1].name,
        "Workspace": lambda row: row[0].name,
        "State": lambda row: _tag(shown, row[0]),
        "Failed why": lambda row: list(_tell_why(row[0])) if shown.tell_state(row[0]) == "failed" else "",
        "Waits for": lambda row: list(row[1].waits),
        "What speaks against it": lambda row: list(row[1].troubles) or "nothing",
        "Go or no-go": lambda row: Tag(row[1].choice, {"go": "good", "no-go": "bad"}.get(row[1].choice, "warn")),
    }
    rows = [(one, team) for one in shown.worst_first for team in one.teams]
    untold = [one.name for one in shown.worst_first if not one.teams]
    text = "As the latest verify of each workspace found them; the state is their workspace's."
    if untold:
        text += f" Of {', '.join(untold)} no verify has told the teams yet."
    return Section("Teams", text, make_table(rows, columns, "No verify has told of a team yet."), open_up_to=100)


def _tag(shown: Shown, one: Standing) -> Tag:
    state = shown.tell_state(one)
    return Tag(state, STATES[state])


def _tell_why(one: Standing) -> tuple[str, ...]:
    return (one.unread,) if one.unread else one.why
