"""Notebooks 1, 2 and 4: what both accounts answered; what moves, and what comes along with it; by which rules."""

from collections.abc import Iterable
from typing import Any

import ipywidgets

from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.scope import KEYS, choose_scope, list_records
from pdmigrate.notebook.parts import (
    Saying,
    Signature,
    draw,
    is_interactive,
    keep_table,
    make_button,
    make_menu,
    make_tick,
    stand_below,
)
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.pagerduty.account import Account
from pdmigrate.pages import look
from pdmigrate.pages.preview import describe_scope
from pdmigrate.pages.show import make_table, show
from pdmigrate.pages.words import KIND_NAMES
from pdmigrate.plan.answers import Choice
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.rules import STRATEGIES, Scope
from pdmigrate.steps.conflicts import choose
from pdmigrate.steps.connect import Access, connect
from pdmigrate.steps.job import Job
from pdmigrate.steps.preview import Preview

MOST = 50
"""Rows of what comes along: more would have to be sent at every tick."""
AGAIN = "Run ▸ Run All Cells shows what moves."
NEVER = (
    "For words and owners only: a change in Harness of who is paged is a question, whatever is chosen here. What only "
    "Harness changed is kept, until somebody answers restore among the decided questions (kept in harness)."
)


@keep_table
def check_accounts(job: Job, access: Access) -> Any:
    """What both sides answered, with a button that asks them again. Headless: the table."""
    if not is_interactive():
        return look(access, "checks")
    told, said = ipywidgets.HTML(look(access, "checks")._repr_html_()), Saying()

    def ask_again() -> None:
        told.value = look(connect(job), "checks")._repr_html_()

    def act() -> None:
        said.attempt(ask_again, f"Both sides answered at {job.clock():%H:%M:%S} UTC.")

    return stand_below(told, make_button("Ask both sides again", act), said.line)


@keep_table
def choose_rules(job: Job) -> Any:
    """The sync rules. Headless: what they are."""
    job.read_choices()
    rules = job.settings.rules
    if not is_interactive():
        there = rules.model_dump().items()
        return show(make_table(there, {"Rule": lambda rule: rule[0].replace("_", " "), "Value": lambda rule: rule[1]}))
    contacts = make_tick("Sync contact details and notification rules", rules.contact_details)
    strategy = make_menu("Strategy", [(f"{word}: {said}", word) for word, said in STRATEGIES.items()], rules.strategy)
    fields = {"rules.contact_details": contacts, "rules.strategy": strategy}

    def write() -> None:
        for setting, field in fields.items():
            choose(job, setting, field.value, sign.by, sign.why)

    def drop() -> None:
        for setting in fields:
            choose(job, setting, None)
        contacts.value, strategy.value = job.settings.rules.contact_details, job.settings.rules.strategy

    sign: Signature = Signature(
        (
            "Save the rules",
            lambda: sign.attempt(write, "Saved. Run ▸ Run All Cells drafts the plan with it."),
            "primary",
        ),
        ("Back to migration.yaml", lambda: sign.attempt(drop, "Taken back: migration.yaml counts again.")),
    )
    chosen = _find_choices(job, fields)
    sign.say(f"Chosen by {chosen[-1].by or 'somebody'} at {chosen[-1].at}." if chosen else "As migration.yaml says.")
    return sign.stand_below(contacts, strategy, ipywidgets.HTML(f'<div class="pdm-said">{NEVER}</div>'))


def _find_choices(job: Job, settings: Iterable[str]) -> list[Choice]:
    """What was chosen in a notebook for these settings, in their order."""
    choices = job.decisions().choices
    return [choice for setting in settings for choice in choices if choice.setting == setting]


@keep_table
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
        self.roll = Roll(_list_rows(draft.account), start, self.read_chosen(), self.describe)
        self.along = ipywidgets.HTML()
        self.sign = Signature(
            ("Move what is ticked", self.save_some, "primary"),
            ("Move the whole account", self.save_all),
            ("Take the choice back", self.take_back),
        )
        self.describe()
        self.sign.say(_describe_choice(job))
        self.box = self.sign.stand_below(self.roll.box, self.along)

    def describe(self) -> None:
        """What is ticked brings this along."""
        ticked = self.list_ticked()
        if len(ticked["services"]) == len(self.account.services):
            self.along.value = '<p role="status">All services are ticked: everything that pages comes along.</p>'
            return
        reasons = choose_scope(self.account, Scope(**ticked))
        along = {kind: [why for why in ids.values() if why != "chosen"] for kind, ids in reasons.items()}
        counts = [f"{len(ids)} {KIND_NAMES[kind].lower()}" for kind, ids in along.items() if ids]
        words = f"{self.count()} {'bring' if len(self.roll.ticked) > 1 else 'brings'} along {', '.join(counts) or 'nothing'}."
        self.along.value = draw(describe_scope(words, self.account, reasons, MOST))

    def save_some(self) -> None:
        number = len(self.roll.ticked)
        if not number:
            self.sign.say("Tick at least one service, team, schedule or policy first.", "bad")
            return
        self._save(self.list_ticked(), f"{self.count()} {'is' if number == 1 else 'are'} chosen. {AGAIN}")

    def save_all(self) -> None:
        self._save({**{key: [] for key in KEYS}, "services": "all"}, f"The whole account is chosen. {AGAIN}")

    def take_back(self) -> None:
        def drop() -> None:
            for key in KEYS:
                choose(self.job, f"scope.{key}", None)
            self.roll.tick(self.read_chosen())

        self.sign.attempt(drop, f"Taken back: migration.yaml counts again. {AGAIN}")

    def _save(self, chosen: dict[str, Any], words: str) -> None:
        """Only what differs from what counts already, beside the services, which are always said."""

        def write() -> None:
            for key, value in chosen.items():
                if key == "services" or value != getattr(self.job.settings.scope, key):
                    choose(self.job, f"scope.{key}", value, self.sign.by, self.sign.why)
            self.roll.tick(self.read_chosen())

        self.sign.attempt(write, words)

    def list_ticked(self) -> dict[str, list[str]]:
        """The ids that are ticked, by their key."""
        ticked = sorted(word.split(":", 1) for word in self.roll.ticked)
        return {key: [id for of, id in ticked if of == key] for key in KEYS}

    def count(self) -> str:
        counts = {key: len(ids) for key, ids in self.list_ticked().items() if ids}
        return ", ".join(f"{n} {key if n > 1 else KINDS[KEYS[key]].one}" for key, n in counts.items())

    def read_chosen(self) -> set[str]:
        if self.job.settings.scope.whole:
            return {f"services:{id}" for id in self.account.services}
        reasons = choose_scope(self.account, self.job.settings.scope)
        return {f"{key}:{id}" for key, kind in KEYS.items() for id, why in reasons[kind].items() if why == "chosen"}


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
    chosen = _find_choices(job, [f"scope.{key}" for key in KEYS])
    if not chosen:
        return "As migration.yaml says."
    said = [
        "the whole account" if choice.value == "all" else f"{len(choice.value)} {choice.setting.removeprefix('scope.')}"
        for choice in chosen
        if choice.value
    ]
    return f"Chosen: {', '.join(said) or 'nothing'}, by {chosen[-1].by or 'somebody'} at {chosen[-1].at}."
