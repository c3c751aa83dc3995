"""Notebook 4: the sync rules."""

from typing import Any

from pdmigrate.notebook.parts import Signature, is_interactive, make_menu, make_tick
from pdmigrate.pages.show import make_table, show
from pdmigrate.plan.answers import Choice
from pdmigrate.steps.conflicts import choose
from pdmigrate.steps.job import Job

STRATEGIES = [("preserve what was changed in Harness", "preserve"), ("overwrite it with PagerDuty's", "overwrite")]
SETTINGS = ("rules.contact_details", "rules.strategy")


def choose_rules(job: Job) -> Any:
    """The sync rules. Headless: what they are."""
    job.read_choices()
    rules = job.settings.rules
    if not is_interactive():
        there = rules.model_dump().items()
        return show(make_table(there, {"Rule": lambda rule: rule[0].replace("_", " "), "Value": lambda rule: rule[1]}))
    return _Rules(job).box


class _Rules:
    def __init__(self, job: Job):
        self.job = job
        self.contacts = make_tick("Sync contact details and notification rules", job.settings.rules.contact_details)
        self.strategy = make_menu("In a conflict", STRATEGIES, job.settings.rules.strategy)
        self.sign = Signature(("Save the rules", self.save, "primary"), ("Back to migration.yaml", self.take_back))
        chosen = [choice for setting in SETTINGS if (choice := find_choice(job, setting))]
        last = f"Chosen by {chosen[-1].by or 'somebody'} at {chosen[-1].at}." if chosen else ""
        self.sign.say(last or "As migration.yaml says.")

    @property
    def box(self) -> Any:
        return self.sign.stand_below(self.contacts, self.strategy)

    def save(self) -> None:
        def write() -> None:
            for setting, value in zip(SETTINGS, (self.contacts.value, self.strategy.value), strict=True):
                choose(self.job, setting, value, self.sign.by, self.sign.why)

        self.sign.attempt(write, "Saved. Run ▸ Run All Cells drafts the plan with it.")

    def take_back(self) -> None:
        def drop() -> None:
            for setting in SETTINGS:
                choose(self.job, setting, None)
            rules = self.job.settings.rules
            self.contacts.value, self.strategy.value = rules.contact_details, rules.strategy

        self.sign.attempt(drop, "Taken back: migration.yaml counts again.")


def find_choice(job: Job, setting: str) -> Choice | None:
    """What was chosen in a notebook for this setting, if anything."""
    return next((choice for choice in job.decisions().choices if choice.setting == setting), None)
