"""Notebook 6: whether a team goes over, said by its lead."""

from typing import Any, Literal

from pdmigrate.notebook.parts import Signature, is_interactive
from pdmigrate.notebook.roll import Roll, Row
from pdmigrate.pages.readiness import Readiness, read_readiness
from pdmigrate.pages.show import show
from pdmigrate.pages.teams import section_teams
from pdmigrate.plan.answers import SignOff
from pdmigrate.steps.job import Job
from pdmigrate.steps.verify import Verified
from pdmigrate.workspace.decisions import drop_answer, save_answers


def sign_off_teams(job: Job, verified: Verified) -> Any:
    """Go or no-go per team, written to decisions.yaml. Headless: what was said."""
    if not is_interactive():
        return show(section_teams(read_readiness(job, verified)))
    return _SignOff(job, verified).box


class _SignOff:
    def __init__(self, job: Job, verified: Verified):
        self.job, self.verified = job, verified
        self.roll = Roll(self.list_rows(), ("Said",))
        self.sign = Signature(
            ("Go", lambda: self.write("go"), "success", "The ticked teams go over"),
            ("No go", lambda: self.write("no_go"), "danger", "The ticked teams do not go over"),
            ("Take back", lambda: self.write("")),
        )

    @property
    def box(self) -> Any:
        return self.sign.stand_below(self.roll.box)

    def list_rows(self) -> list[Row]:
        self.readiness: Readiness = read_readiness(self.job, self.verified)
        rows = []
        for team in self.readiness.teams:
            said = self.readiness.sign_off(team.id)
            word = f"{said.choice.replace('_', '-')}, {said.by or 'somebody'}, {said.at}" if said else "nothing said"
            trouble = "; ".join(team.troubles) or "ready"
            rows.append(Row(team.id, f"{team.name} · {word} · {trouble}", {"Said": [word.partition(",")[0]]}))
        return rows

    def write(self, choice: Literal["go", "no_go", ""]) -> None:
        teams = sorted(self.roll.ticked)
        if not teams:
            self.sign.say("Tick the teams first.", "bad")
            return

        def save() -> None:
            path, at = self.job.workspace.decisions_file, self.job.clock().isoformat(timespec="seconds")
            for team in teams:
                if choice:
                    plan, by, why = self.readiness.plan_digest, self.sign.by, self.sign.why
                    save_answers(path, SignOff(team=team, choice=choice, plan=plan, by=by, at=at, why=why))
                else:
                    drop_answer(path, SignOff, team)

        words = choice.replace("_", "-") or "taken back"
        done = self.sign.attempt(save, f"{words}: {len(teams)} teams, in decisions.yaml.")
        self.roll.replace(self.list_rows(), () if done else teams)
