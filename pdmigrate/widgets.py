"""ipywidgets: show a question, write the answer to the workspace; nothing else. Headless, the same call shows a table.

Showing a question never answers it: every menu starts at "undecided", and only a click on a button writes.
"""

import getpass
import os
import sys
from collections.abc import Callable
from typing import Any

import ipywidgets
from IPython import get_ipython

from pdmigrate.conflicts import Decided, approve, choose, decide, take_back
from pdmigrate.decisions import Conflict
from pdmigrate.errors import PdmigrateError
from pdmigrate.handover.folder import open_handover
from pdmigrate.handover.items import STAGES
from pdmigrate.handover.ticks import tick_item
from pdmigrate.invite import People
from pdmigrate.job import Job
from pdmigrate.load import Done, Loaded, load
from pdmigrate.load_progress import LoadProgress
from pdmigrate.pages import look
from pdmigrate.preview import Preview
from pdmigrate.show import Section, make_table, show

UNDECIDED = "undecided"
PEOPLE_CLASSES = ("user_not_found", "user_found_twice", "shared_mailbox", "bad_address")
WIDE = ipywidgets.Layout(width="100%", max_width="60rem")
LABELS = {"description_width": "11rem"}


def is_interactive() -> bool:
    """Whether a person sits before the notebook: papermill, nbconvert and nbval allow no input, JupyterLab does."""
    if os.environ.get("PDMIGRATE_HEADLESS"):
        return False
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return False
    return bool(kernel.get_parent("shell").get("content", {}).get("allow_stdin"))


def choose_services(job: Job, found: Preview) -> Any:
    """Which services move: search, choose, save. Writes the choice `scope.services` to decisions.yaml."""
    if not is_interactive():
        return look(found, "services")
    names = {
        f"{s.name} ({s.id})": s.id
        for s in sorted(found.draft.account.services.values(), key=lambda s: s.name.casefold())
    }
    chosen = job.settings.scope.services
    picked = [i for n, i in names.items() if chosen == "all" or i in chosen or n.rpartition(" (")[0] in chosen]
    search = _text("Search", "part of a service's name")
    box = ipywidgets.SelectMultiple(
        options=list(names.items()), value=picked, description="Services", rows=12, layout=WIDE, style=LABELS
    )
    kept = set(picked)
    search.observe(lambda change: _narrow(box, names, kept, change["new"]), "value")
    box.observe(lambda change: _remember(box, kept), "value")
    who, said = _who(), _said()

    def save_some(_: Any) -> None:
        _do(
            said,
            lambda: choose(job, "scope.services", sorted(kept), who.value),
            f"{len(kept)} services chosen: run the notebook again.",
        )

    def save_all(_: Any) -> None:
        _do(
            said,
            lambda: choose(job, "scope.services", "all", who.value),
            "The whole account is chosen: run the notebook again.",
        )

    buttons = ipywidgets.HBox(
        [_button("Move these services", save_some, "primary"), _button("Move the whole account", save_all)]
    )
    return ipywidgets.VBox([search, box, who, buttons, said])


def choose_people(job: Job, people: People) -> Any:
    """Decide about people who are not found in Harness: one by one, or all."""
    questions = [c for c in people.draft.open.values() if c.kind == "users"]
    return _answer(job, questions, people.draft.answered, lambda: look(people, "questions"), PEOPLE_CLASSES)


def answer_conflicts(job: Job, decided: Decided) -> Any:
    """Decide the open questions, one by one or a class at a time, and take answers back."""
    return _answer(job, list(decided.draft.open.values()), decided.draft.answered, lambda: look(decided, "open"), None)


def choose_rules(job: Job) -> Any:
    """The sync rules. Headless: what they are."""
    rules = job.settings.rules
    if not is_interactive():
        rows = [{"rule": name.replace("_", " "), "value": value} for name, value in rules.model_dump().items()]
        return show(make_table(rows, {"rule": "Rule", "value": "Value"}))
    contacts = ipywidgets.Checkbox(
        rules.contact_details, description="Sync contact details and notification rules", indent=False, layout=WIDE
    )
    options = [("preserve what was changed in Harness", "preserve"), ("overwrite it with PagerDuty's", "overwrite")]
    strategy = ipywidgets.Dropdown(
        options=options, value=rules.strategy, description="In a conflict", layout=WIDE, style=LABELS
    )
    who, said = _who(), _said()

    def save(_: Any) -> None:
        def write() -> None:
            choose(job, "rules.contact_details", contacts.value, who.value)
            choose(job, "rules.strategy", strategy.value, who.value)

        _do(said, write, "Saved in decisions.yaml: run the notebook again.")

    return ipywidgets.VBox([contacts, strategy, who, _button("Save the rules", save, "primary"), said])


def approve_plan(job: Job, decided: Decided) -> Any:
    """Approve the plan by typing the beginning of its digest. Headless: whether it is approved."""
    plan, known = decided.plan, decided.approval
    state = f"approved by {known.by} at {known.at}" if known else "nothing to approve" if plan.empty else "not approved"
    table = make_table([{"plan": plan.digest, "to write": sum(a.writes for a in plan.actions), "state": state}])
    if not is_interactive() or known or plan.empty:
        return show(table)
    typed, why, who, said = (
        _text("Digest", f"the first 6 characters: {plan.digest[:6]}"),
        _text("Why", "a word for the record"),
        _who(),
        _said(),
    )

    def save(_: Any) -> None:
        if len(typed.value.strip()) < 6 or not plan.digest.startswith(typed.value.strip()):
            _say(
                said,
                f"That is not the beginning of {plan.digest[:12]}…: look at the plan, then type its first 6 characters.",
            )
        elif decided.refusals or decided.stop:
            _say(said, "The plan cannot be approved yet: " + " ".join([*decided.refusals, decided.stop]))
        else:
            _do(
                said,
                lambda: approve(job, plan.digest, who.value, why.value),
                f"Approved: {plan.digest[:12]}. Go on with 5 · Load.",
            )

    return ipywidgets.VBox(
        [ipywidgets.HTML(table.html("The plan")), typed, why, who, _button("Approve this plan", save, "primary"), said]
    )


def load_plan(job: Job, approved: str = "") -> Loaded:
    """Load, with progress by kind. Interrupting the cell stops between two steps; run it again to go on."""
    bar = ipywidgets.IntProgress(0, description="Loading", layout=WIDE)
    text = _said()
    if is_interactive():
        from IPython.display import display

        display(ipywidgets.VBox([bar, text]))
    pace = LoadProgress()

    def tell(done: Done, number: int, total: int) -> None:
        bar.max, bar.value = total, number
        _say(text, f"{pace.tell(done, number, total)}; {done.action.name}: {done.outcome}")

    def tell_log(done: Done, number: int, total: int) -> None:
        words = pace.tell(done, number, total)
        if number == total or number % 25 == 0:
            print(words, file=sys.stderr)

    return load(job, approved, tell if is_interactive() else tell_log)


def tick_handover(job: Job) -> Any:
    """Tick off what people have done, with what Harness shows. Headless: what is left to do."""
    handover = open_handover(job.workspace, job.folder / "handover")
    rows = [{"what": i.name, "stage": STAGES[i.kind], "key": i.key} for i in handover.open]
    table = make_table(rows, {"what": "What", "stage": "Stage", "key": "Key"}, empty="Nothing is left to do by hand.")
    if not is_interactive() or not rows:
        return show(table)
    names = [(f"{STAGES[i.kind]} · {i.name}", i.key) for i in handover.open]
    which = ipywidgets.Dropdown(options=names, description="Done", layout=WIDE, style=LABELS)
    told = ipywidgets.HTML()
    seen = ipywidgets.Textarea(
        description="Harness shows", placeholder="paste it here, or a file's path", layout=WIDE, style=LABELS
    )
    who, said = _who(), _said()
    expected = {item.key: item.expected for item in handover.open}

    def turn(_: Any = None) -> None:
        told.value = show(make_table([{"Harness should show": expected[which.value]}]))._repr_html_()

    def save(_: Any) -> None:
        args = (job.workspace, handover.items, which.value, who.value, job.clock(), seen.value)
        _do(said, lambda: tick_item(*args), f"Ticked off: {which.value}.")

    which.observe(turn, "value")
    turn()
    return ipywidgets.VBox([which, told, seen, who, _button("Tick it off", save, "primary"), said])


def _answer(
    job: Job, questions: list[Conflict], answered: dict, table: Callable, classes: tuple[str, ...] | None
) -> Any:
    if not is_interactive():
        return table()
    mine = [a for a in answered.values() if a.by != "rule" and (classes is None or a.conflict.about in classes)]
    return ipywidgets.VBox([_ask_box(job, questions), _answered_box(job, mine)])


def _ask_box(job: Job, questions: list[Conflict]) -> ipywidgets.Widget:
    if not questions:
        return ipywidgets.HTML("<p>No question is open.</p>")
    by_key = {conflict.key: conflict for conflict in questions}
    names = [(f"{c.about.replace('_', ' ')} · {c.name} · {c.id}", c.key) for c in questions]
    which = ipywidgets.Dropdown(options=names, description="Question", layout=WIDE, style=LABELS)
    choice = ipywidgets.Dropdown(description="Answer", layout=WIDE, style=LABELS)
    value, why, who, said = (
        _text("Value", "only where the answer takes one"),
        _text("Why", "a word for the record"),
        _who(),
        _said(),
    )
    told = ipywidgets.HTML()
    whole = ipywidgets.Checkbox(
        False, description="the same for every open question of this class", indent=False, layout=WIDE
    )

    def turn(_: Any = None) -> None:
        conflict = by_key[which.value]
        choice.options = [(UNDECIDED, ""), *((o.name.replace("_", " "), o.name) for o in conflict.options)]
        choice.value, value.value, whole.value = "", "", False
        told.value = show(_tell(conflict))._repr_html_()

    def save(_: Any) -> None:
        conflict = by_key[which.value]
        if not choice.value:
            _say(said, "Choose an answer first.")
            return
        target = "all" if whole.value else conflict.id
        write = lambda: decide(job, conflict.about, target, choice.value, value.value, who.value, why.value)  # noqa: E731 - one use
        _do(
            said,
            write,
            f"Decided: {conflict.about.replace('_', ' ')}, {target}: {choice.value}. Run the draft again to see the plan.",
        )

    which.observe(turn, "value")
    turn()
    return ipywidgets.VBox([which, told, choice, value, whole, why, who, _button("Decide", save, "primary"), said])


def _answered_box(job: Job, answers: list) -> ipywidgets.Widget:
    if not answers:
        return ipywidgets.HTML("")
    names = [
        (f"{a.conflict.about.replace('_', ' ')} · {a.conflict.name}: {a.choice}", (a.conflict.about, a.conflict.id))
        for a in answers
    ]
    which, said = ipywidgets.Dropdown(options=names, description="Decided", layout=WIDE, style=LABELS), _said()

    def undo(_: Any) -> None:
        _do(
            said,
            lambda: take_back(job, *which.value),
            "Taken back: the question is open again, unless its class is decided.",
        )

    return ipywidgets.VBox([which, _button("Take this answer back", undo), said])


def _tell(conflict: Conflict) -> Section:
    rows = [{"answer": o.name.replace("_", " "), "effect": o.effect, "value": o.value or ""} for o in conflict.options]
    table = make_table(rows, {"answer": "Answer", "effect": "What it will do", "value": "Value"})
    return Section(
        conflict.question, f"{conflict.meaning} Recommended: {conflict.recommended.replace('_', ' ')}.", table, level=3
    )


def _narrow(box: ipywidgets.SelectMultiple, names: dict[str, str], kept: set[str], words: str) -> None:
    """Searching hides rows; what was chosen stays chosen."""
    before = set(kept)
    box.options = [(name, id) for name, id in names.items() if words.casefold() in name.casefold()]
    kept |= before
    box.value = [id for _, id in box.options if id in kept]


def _remember(box: ipywidgets.SelectMultiple, kept: set[str]) -> None:
    kept -= {id for _, id in box.options} - set(box.value)
    kept |= set(box.value)


def _text(label: str, hint: str) -> ipywidgets.Text:
    return ipywidgets.Text(description=label, placeholder=hint, layout=WIDE, style=LABELS)


def _who() -> ipywidgets.Text:
    name = os.environ.get("PDMIGRATE_USER") or getpass.getuser()
    return ipywidgets.Text(value=name, description="Decided by", layout=WIDE, style=LABELS)


def _button(label: str, act: Callable, style: str = "") -> ipywidgets.Button:
    button = ipywidgets.Button(
        description=label, button_style=style, layout=ipywidgets.Layout(width="auto", align_self="flex-start")
    )
    button.on_click(act)
    return button


def _said() -> ipywidgets.Label:
    return ipywidgets.Label(layout=WIDE)


def _say(label: ipywidgets.Label, words: str) -> None:
    label.value = words


def _do(label: ipywidgets.Label, act: Callable[[], None], words: str) -> None:
    try:
        act()
        _say(label, words)
    except PdmigrateError as error:
        _say(label, str(error))
