"""The conflicts that come up while mapping and planning, and the answers that decisions.yaml or the rules have for them."""

from typing import Literal

from pdmigrate.errors import SettingsError, hint
from pdmigrate.plan.answers import Conflict, Decision, Decisions, Settled

Rule = Literal["stop", "skip", "recommended"]


class Questions:
    """Collects the conflicts that come up while mapping, and answers those that are decided.

    refused: sentences about answers that cannot be carried out; their questions are open.
    """

    def __init__(self, decisions: Decisions, rule: Rule):
        self.decisions = decisions
        self._rule = rule
        self.answered: dict[str, Settled] = {}
        self.open: dict[str, Conflict] = {}
        self.refused: list[str] = []

    def ask(self, conflict: Conflict, settled_by: str = "") -> Settled | None:
        """The answer, or None while the question is open. Asking twice is asking once.

        settled_by: the setting that answers as recommended where no person has decided.
        """
        decision = self.decisions.find(conflict.about, conflict.id)
        if decision and not decision.answers(conflict):
            answer, conflict = None, _ask_again(conflict, decision)
        else:
            answer = self._decided(conflict, decision) or self._by_rule(conflict, settled_by)
        if answer:
            self.answered[conflict.key] = answer
        else:
            self.open[conflict.key] = conflict
        return answer

    def reopen(self, answer: Settled, why: str) -> None:
        """The answer cannot be carried out: its question is open again, and says who gave it and why it cannot."""
        asked, who = answer.conflict, answer.by or "somebody"
        self.answered.pop(asked.key, None)
        said = f"{who} decided {answer.choice} {answer.value}, which cannot be carried out: {why}. "
        self.open[asked.key] = asked.model_copy(update={"meaning": said + asked.meaning})
        self.refused.append(f"decisions.yaml: {answer.choice} for {asked.key} cannot be carried out: {why}.")

    def names(self, name: str) -> bool:
        """Whether a person has decided that something is to have this name."""
        return name in self.decisions.values

    def _decided(self, conflict: Conflict, decision: Decision | None) -> Settled | None:
        if decision is None:
            return None
        option = next((option for option in conflict.options if option.name == decision.choice), None)
        if option is None and decision.object == "all":
            return None  # an answer to the whole class need not fit each of its questions
        if option is None:
            near = hint(decision.choice, [option.name for option in conflict.options])
            raise SettingsError(f"decisions.yaml: {conflict.key} cannot be decided as {decision.choice} ({near}).")
        if option.value and not decision.value:
            raise SettingsError(f"decisions.yaml: {decision.choice} for {conflict.key} needs a value: {option.value}.")
        return Settled(conflict=conflict, **decision.model_dump(exclude={"conflict", "object", "question"}))

    def _by_rule(self, conflict: Conflict, settled_by: str) -> Settled | None:
        if settled_by:
            return Settled(conflict=conflict, choice=conflict.recommended, by="rule", why=settled_by)
        option = next((o for o in conflict.options if o.name == conflict.recommended), None)
        if self._rule != "recommended" or conflict.changes_paging or option is None or option.value:
            return None
        return Settled(conflict=conflict, choice=option.name, by="rule", why="open_conflicts: recommended")


def _ask_again(conflict: Conflict, decision: Decision) -> Conflict:
    who = decision.by or "somebody"
    said = f"The question has changed since {who} decided {decision.choice}. "
    if not decision.question:
        said = f"{who} decided {decision.choice} without naming the question, so nobody knows of which state. "
    return conflict.model_copy(update={"meaning": said + conflict.meaning})
