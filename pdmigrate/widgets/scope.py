"""Notebook 2: which services move, and what comes along with them."""

from typing import Any

import ipywidgets
from markupsafe import escape

from pdmigrate.conflicts import choose
from pdmigrate.draft import Draft
from pdmigrate.job import Job
from pdmigrate.mapping import choose_scope
from pdmigrate.pagerduty.account import Account
from pdmigrate.pages import look
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.preview import Preview
from pdmigrate.settings import Scope
from pdmigrate.widgets.parts import (
    Saying,
    ask_who,
    is_interactive,
    make_button,
    make_text,
    stand_below,
    stand_side_by_side,
)
from pdmigrate.widgets.roll import Roll, Row
from pdmigrate.widgets.rules import find_choice

SETTING = "scope.services"
AGAIN = "Run the notebook from the fetch on, to see what moves."


def choose_services(job: Job, found: Preview) -> Any:
    """Which services move: search, by team, tick, save. Writes the choice `scope.services` to decisions.yaml."""
    if not is_interactive():
        return look(found, "services")
    return _Scope(job, found.draft).box


class _Scope:
    def __init__(self, job: Job, draft: Draft):
        self.job, self.account = job, draft.account
        job.read_choices()
        self.roll = Roll(_list_services(draft.account), ("Team",), self._read_chosen(), self.tell)
        self.along, self.said, self.who = ipywidgets.HTML(), Saying(), ask_who()
        self.why = make_text("Why", "a word for the record")
        self.tell()
        self.said.say(_tell_choice(job))

    @property
    def box(self) -> ipywidgets.Widget:
        buttons = (
            make_button("Move these services", self.save_some, "primary"),
            make_button("Move the whole account", self.save_all),
            make_button("Take the choice back", self.take_back),
        )
        return stand_below(self.roll.box, self.along, self.who, self.why, stand_side_by_side(*buttons), self.said)

    def tell(self) -> None:
        """What the ticked services bring along."""
        reasons = choose_scope(self.account, Scope(services=sorted(self.roll.ticked)))
        along = [f"{len(ids)} {KIND_NAMES[kind].lower()}" for kind, ids in reasons.items() if kind != "services"]
        words = f"{len(self.roll.ticked)} services bring along {', '.join(along)}."
        self.along.value = f'<p role="status">{escape(words)}</p>'

    def save_some(self) -> None:
        if not self.roll.ticked:
            return self.said.say("Tick at least one service first.", "bad")
        return self._save(sorted(self.roll.ticked), f"{len(self.roll.ticked)} services are chosen. {AGAIN}")

    def save_all(self) -> None:
        if self._save("all", f"The whole account is chosen. {AGAIN}"):
            self.roll.tick(self.account.services)

    def take_back(self) -> None:
        self.said.attempt(lambda: choose(self.job, SETTING, None), f"Taken back: migration.yaml counts again. {AGAIN}")
        self.roll.tick(self._read_chosen())

    def _save(self, services: list[str] | str, words: str) -> bool:
        return self.said.attempt(lambda: choose(self.job, SETTING, services, self.who.value, self.why.value), words)

    def _read_chosen(self) -> set[str]:
        return set(choose_scope(self.account, self.job.settings.scope)["services"])


def _list_services(account: Account) -> list[Row]:
    services = sorted(account.services.values(), key=lambda service: service.name.casefold())
    teams = {s.id: [account.teams[t.id].name for t in s.teams if t.id in account.teams] for s in services}
    return [
        Row(
            s.id,
            f"{s.name} · {', '.join(teams[s.id]) or 'no team'} · {s.id}",
            {"Team": (teams[s.id] or ["no team"])[0]},
        )
        for s in services
    ]


def _tell_choice(job: Job) -> str:
    chosen = find_choice(job, SETTING)
    if chosen is None:
        return "As migration.yaml says."
    what = "the whole account" if chosen.value == "all" else f"{len(chosen.value)} services"
    return f"Chosen: {what}, by {chosen.by or 'somebody'} at {chosen.at}."
