"""Notebook 2: what moves, chosen by service, team, schedule or policy, and what comes along with it."""

from collections import Counter
from typing import Any

import ipywidgets

from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.scope import KEYS, choose_scope, list_records
from pdmigrate.notebook.parts import Signature, draw, is_interactive
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.notebook.rules import find_choice
from pdmigrate.pagerduty.account import Account
from pdmigrate.pages import look
from pdmigrate.pages.preview import describe_scope
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.rules import Scope
from pdmigrate.steps.conflicts import choose
from pdmigrate.steps.job import Job
from pdmigrate.steps.preview import Preview

MOST = 50
"""Rows of what comes along: more would have to be sent at every tick."""
AGAIN = "Run ▸ Run All Cells shows what moves."


def choose_services(job: Job, found: Preview) -> Any:
    """What moves: search, by team, tick, save. Writes the choices `scope.*` to decisions.yaml. Headless: the services."""
    if not is_interactive():
        return look(found, "services")
    return _Scope(job, found.draft).box


class _Scope:
    def __init__(self, job: Job, draft: Draft):
        self.job, self.account = job, draft.account
        job.read_choices()
        start = {"Kind": "services", "Team": "everything"}
        self.roll = Roll(_list_rows(draft.account), start, self._read_chosen(), self.describe)
        self.along = ipywidgets.HTML()
        self.sign = Signature(
            ("Move what is ticked", self.save_some, "primary"),
            ("Move the whole account", self.save_all),
            ("Take the choice back", self.take_back),
        )
        self.describe()
        self.sign.say(_describe_choice(job))

    @property
    def box(self) -> ipywidgets.Widget:
        return self.sign.stand_below(self.roll.box, self.along)

    def describe(self) -> None:
        """What is ticked brings this along."""
        if len(_pick(self.roll.ticked, "services")) == len(self.account.services):
            self.along.value = '<p role="status">All services are ticked: everything that pages comes along.</p>'
            return
        reasons = choose_scope(self.account, Scope(**self._list_ticked()))
        along = {kind: {id: why for id, why in ids.items() if why != "chosen"} for kind, ids in reasons.items()}
        counts = [f"{len(ids)} {KIND_NAMES[kind].lower()}" for kind, ids in along.items() if ids]
        words = f"{self._count()} {'bring' if len(self.roll.ticked) > 1 else 'brings'} along {', '.join(counts) or 'nothing'}."
        self.along.value = draw(describe_scope(words, self.account, reasons, MOST))

    def save_some(self) -> None:
        number = len(self.roll.ticked)
        if not number:
            self.sign.say("Tick at least one service, team, schedule or policy first.", "bad")
            return
        self._save(self._list_ticked(), f"{self._count()} {'is' if number == 1 else 'are'} chosen. {AGAIN}")

    def save_all(self) -> None:
        if self._save({**{key: [] for key in KEYS}, "services": "all"}, f"The whole account is chosen. {AGAIN}"):
            self.roll.tick(self._read_chosen())

    def take_back(self) -> None:
        def drop() -> None:
            for key in KEYS:
                choose(self.job, f"scope.{key}", None)

        if self.sign.attempt(drop, f"Taken back: migration.yaml counts again. {AGAIN}"):
            self.roll.tick(self._read_chosen())

    def _save(self, chosen: dict[str, Any], words: str) -> bool:
        """Only what differs from what counts already, beside the services, which are always said."""

        def write() -> None:
            for key, value in chosen.items():
                if key == "services" or value != getattr(self.job.settings.scope, key):
                    choose(self.job, f"scope.{key}", value, self.sign.by, self.sign.why)

        return self.sign.attempt(write, words)

    def _list_ticked(self) -> dict[str, list[str]]:
        return {key: _pick(self.roll.ticked, key) for key in KEYS}

    def _count(self) -> str:
        counts = Counter(key.partition(":")[0] for key in self.roll.ticked)
        return ", ".join(
            f"{counts[key]} {key if counts[key] > 1 else KINDS[KEYS[key]].one}" for key in KEYS if counts[key]
        )

    def _read_chosen(self) -> set[str]:
        if self.job.settings.scope.whole:
            return {f"services:{id}" for id in self.account.services}
        reasons = choose_scope(self.account, self.job.settings.scope)
        chosen = ((key, id, why) for key, kind in KEYS.items() for id, why in reasons[kind].items())
        return {f"{key}:{id}" for key, id, why in chosen if why == "chosen"}


def _pick(ticked: set[str], key: str) -> list[str]:
    """The ids of one kind among what is ticked."""
    return sorted(word.partition(":")[2] for word in ticked if word.startswith(f"{key}:"))


def _list_rows(account: Account) -> list[Row]:
    """Services first, then what can be chosen without one."""
    there, names = list_records(account), {id: team.name for id, team in account.teams.items()}
    rows = []
    for key, kind in KEYS.items():
        for one in sorted(there[kind].values(), key=lambda record: record.name.casefold()):
            owners = [one.id] if key == "teams" else [team.id for team in one.teams]
            teams = [names[id] for id in owners if id in names] or ["no team"]
            said = KINDS[kind].one if key == "teams" else ", ".join(teams)
            rows.append(Row(f"{key}:{one.id}", f"{one.name} · {said} · {one.id}", {"Kind": [key], "Team": teams}))
    return rows


def _describe_choice(job: Job) -> str:
    chosen = {key: choice for key in KEYS if (choice := find_choice(job, f"scope.{key}"))}
    if not chosen:
        return "As migration.yaml says."
    said = [
        "the whole account" if choice.value == "all" else f"{len(choice.value)} {key}"
        for key, choice in chosen.items()
        if choice.value
    ]
    last = list(chosen.values())[-1]
    return f"Chosen: {', '.join(said) or 'nothing'}, by {last.by or 'somebody'} at {last.at}."
