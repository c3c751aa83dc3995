"""The questions, the plan and what became of it, as data frames: a row a question, an object, or a field that changes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from pdmigrate.mapping.draft import Draft
from pdmigrate.plan.actions import VERBS, Action, Held
from pdmigrate.plan.answers import CLASSES, Conflict
from pdmigrate.plan.kinds import KINDS
from pdmigrate.steps.frames import MOMENT, NUMBER, TEXT, YES_NO, Row, Shape, make_frame, read_moment, write_cell

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS: Shape = {
    "about": tuple(CLASSES),
    "kind": tuple(KINDS),
    "object_id": TEXT,
    "object": TEXT,
    "question": TEXT,
    "meaning": TEXT,
    "recommended": TEXT,
    "changes_paging": YES_NO,
    "state": ("open", "answered"),
    "choice": TEXT,
    "value": TEXT,
    "by": TEXT,
    "at": MOMENT,
    "reason": TEXT,
}
OBJECT: Shape = {
    "kind": tuple(KINDS),
    "object_id": TEXT,
    "object": TEXT,
    "harness_id": TEXT,
    "verb": (*VERBS, "held"),
}
ACTIONS: Shape = {**OBJECT, "writes": YES_NO, "waits": YES_NO, "reason": TEXT, "decided": TEXT}
CHANGES: Shape = {**OBJECT, "field": TEXT, "before": TEXT, "after": TEXT}
OUTCOMES: Shape = {
    "run": NUMBER,
    **OBJECT,
    "outcome": ("created", "updated", "adopted", "kept", "skipped", "failed", "handed_over", "waiting", "held"),
    "note": TEXT,
}

SAID = ("choice", "value", "by", "at", "reason")


class PlanFrames:
    """The data frames of a result that has a draft with its plan. Each call makes a new one."""

    FRAMES: ClassVar[tuple[str, ...]] = ("questions", "actions", "changes")
    draft: Draft

    @property
    def questions(self) -> "pd.DataFrame":
        """A row a question, the open ones first. about: its class. object_id: as decisions.yaml names the object.

        meaning: what it means for paging; changes_paging: the recommended answer changes who is paged. Of those that are
        answered: choice and value, by whom, when, and for what reason.
        """
        rows = [{**_ask(one), **dict.fromkeys(SAID), "state": "open"} for one in self.draft.open.values()]
        for one in self.draft.answered.values():
            said = {"choice": one.choice, "value": one.value, "by": one.by or None, "reason": one.why or None}
            rows.append({**_ask(one.conflict), **said, "at": read_moment(one.at), "state": "answered"})
        return make_frame("Questions", QUESTIONS, rows)

    @property
    def actions(self) -> "pd.DataFrame":
        """The plan: a row an object, and what is done with it (verb), in the order of loading; then what is held.

        writes: something is sent to Harness. waits: for an answer of a person. decided: what it is held by, `class:id` of an
        answer or `rule:NAME`. object_id: PagerDuty's; of contact details and rules the person's.
        """
        rows = [
            {**_name_object(a), "writes": a.writes, "waits": False, "reason": a.reason or None, "decided": None}
            for a in self.draft.plan.actions
        ]
        rows += [
            {
                **_name_held(h),
                "writes": False,
                "waits": h.open_question,
                "reason": h.reason,
                "decided": h.decided or None,
            }
            for h in self.draft.plan.held
        ]
        return make_frame("The plan", ACTIONS, rows)

    @property
    def changes(self) -> "pd.DataFrame":
        """The plan field by field: a row a field that will be otherwise, with what Harness has and what it will have.

        What is no text is written as JSON; before is missing where the object is new, after where it is taken back.
        """
        rows = [
            {
                **_name_object(action),
                "field": field,
                "before": None if action.before is None else write_cell(before),
                "after": None if action.after is None else write_cell(after),
            }
            for action in self.draft.plan.actions
            if action.writes
            for field, before, after in action.changes()
        ]
        return make_frame("What changes", CHANGES, rows)


def frame_outcomes(number: int, done: Iterable[tuple[Action, str, str]], held: Iterable[Held]) -> "pd.DataFrame":
    """The objects of a load: of each action what became of it and the note, then what is held."""
    run: Row = {"run": number or None}
    rows = [{**run, **_name_object(a), "outcome": outcome, "note": note or None} for a, outcome, note in done]
    rows += [
        {**run, **_name_held(one), "outcome": "skipped" if one.open_question else "held", "note": one.reason}
        for one in held
    ]
    return make_frame("What became of each", OUTCOMES, rows)


def _ask(conflict: Conflict) -> Row:
    asked = conflict.model_dump(include={"about", "kind", "question", "meaning", "recommended", "changes_paging"})
    return {**asked, "object_id": conflict.id, "object": conflict.name}


def _name_object(action: Action) -> Row:
    names = {"kind": action.kind, "object_id": action.key, "object": action.name}
    return {**names, "harness_id": action.identifier, "verb": action.verb}


def _name_held(held: Held) -> Row:
    return {"kind": held.kind, "object_id": held.key, "object": held.name, "harness_id": None, "verb": "held"}
