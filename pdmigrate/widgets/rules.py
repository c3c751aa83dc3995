"""Notebook 4: the sync rules."""

from typing import Any

from pdmigrate.conflicts import choose
from pdmigrate.decisions import Choice
from pdmigrate.job import Job
from pdmigrate.show import make_table, show
from pdmigrate.widgets.parts import (
    Saying,
    ask_who,
    is_interactive,
    make_button,
    make_menu,
    make_tick,
    stand_below,
    stand_side_by_side,
)

STRATEGIES = [("preserve what was changed in Harness", "preserve"), ("overwrite it with PagerDuty's", "overwrite")]
SETTINGS = ("rules.contact_details", "rules.strategy")


def choose_rules(job: Job) -> Any:
    """The sync rules. Headless: what they are."""
    job.read_choices()
    rules = job.settings.rules
    if not is_interactive():
        rows = [{"rule": name.replace("_", " "), "value": value} for name, value in rules.model_dump().items()]
        return show(make_table(rows, {"rule": "Rule", "value": "Value"}))
    contacts = make_tick("Sync contact details and notification rules", rules.contact_details)
    strategy = make_menu("In a conflict", STRATEGIES, rules.strategy)
    who, said = ask_who(), Saying()
    said.say(_tell_origin(job))

    def write() -> None:
        choose(job, "rules.contact_details", contacts.value, who.value)
        choose(job, "rules.strategy", strategy.value, who.value)

    def take_back() -> None:
        for setting in SETTINGS:
            choose(job, setting, None)
        contacts.value, strategy.value = job.settings.rules.contact_details, job.settings.rules.strategy

    buttons = (
        make_button("Save the rules", lambda: said.attempt(write, "Saved. Run the draft below."), "primary"),
        make_button(
            "Back to migration.yaml", lambda: said.attempt(take_back, "Taken back: migration.yaml counts again.")
        ),
    )
    return stand_below(contacts, strategy, who, stand_side_by_side(*buttons), said)


def find_choice(job: Job, setting: str) -> Choice | None:
    """What was chosen in a notebook for this setting, if anything."""
    return next((choice for choice in job.decisions().choices if choice.setting == setting), None)


def _tell_origin(job: Job) -> str:
    chosen = [choice for setting in SETTINGS if (choice := find_choice(job, setting))]
    if not chosen:
        return "As migration.yaml says."
    return f"Chosen by {chosen[-1].by or 'somebody'} at {chosen[-1].at}."
