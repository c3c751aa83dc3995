"""Answers of a person: given, taken back and undone, each in decisions.yaml at once."""

from collections.abc import Iterable, Mapping, Sequence

from pdmigrate.plan.answers import Conflict, Decision
from pdmigrate.steps.conflicts import decide_each, take_back
from pdmigrate.steps.job import Job
from pdmigrate.workspace.decisions import save_answers

Objects = Mapping[str, Sequence[str]]
"""Class to object ids; the id `all` is the whole class."""


class Answers:
    """What stands in decisions.yaml, and the clicks of this widget, newest last. Another notebook may write meanwhile.

    questions: those that the widget shows; an answer is to what the person saw.
    """

    def __init__(self, job: Job, questions: Iterable[Conflict]):
        self._job, self._questions = job, list(questions)
        self._undo: list[dict[tuple[str, str], Decision | None]] = []

    def read(self) -> dict[tuple[str, str], Decision]:
        """The answers by class and object, as the file is now."""
        return {(d.conflict, d.object): d for d in self._job.decisions().decisions}

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def give(self, objects: Objects, choice: str, value: str, by: str, why: str) -> None:
        """The same answer for all of them."""
        before = self._remember(objects)
        for about, ids in objects.items():
            decide_each(self._job, about, ids, choice, value, by, why, self._questions)
        self._undo.append(before)

    def stands(self, objects: Objects) -> bool:
        """Whether a person has answered any of them."""
        return any(self._remember(objects).values())

    def take(self, objects: Objects) -> None:
        """Open again, unless their class is decided."""
        before = self._remember(objects)
        for about, object_id in before:
            take_back(self._job, about, object_id)
        self._undo.append(before)

    def undo(self) -> None:
        """As before the last click."""
        before = self._undo.pop()
        for (about, object_id), decision in before.items():
            if decision is None:
                take_back(self._job, about, object_id)
        save_answers(self._job.workspace.decisions_file, *[d for d in before.values() if d])

    def _remember(self, objects: Objects) -> dict[tuple[str, str], Decision | None]:
        standing = self.read()
        return {(about, id): standing.get((about, id)) for about, ids in objects.items() for id in ids}
