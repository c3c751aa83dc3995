"""One question beside the list: what it means for paging, every option with its effect, and a field where an answer takes a value."""

from collections import Counter
from collections.abc import Callable, Sequence

import ipywidgets
from markupsafe import escape

from pdmigrate.notebook.parts import LABELS, WIDE, Saying, draw, make_button, make_tick, stand_below
from pdmigrate.pages.explained import explain_question, fold, spell
from pdmigrate.pages.show import Section, Table
from pdmigrate.plan.answers import ONE_STATE, Conflict, Option
from pdmigrate.plan.values import TAKES

FIELDS = {"people": "Email", "groups": "Group", "zones": "Zone", "": "Name"}
"""What a value names, to the label of its field."""
OPTIONAL = "rename"
"""The choice whose value may be left empty: a name is made then."""
EFFECT = ipywidgets.Layout(flex="1 1 14rem", min_width="10rem", margin="2px 2px 2px .6rem")
OPTION = ipywidgets.Layout(flex_flow="row wrap", align_items="flex-start", width="100%", margin="0 0 .3rem 0")


def copy_wide() -> ipywidgets.Layout:
    """A layout of its own: what is hidden by it hides nothing else."""
    return ipywidgets.Layout(width=WIDE.width, max_width=WIDE.max_width)


class Asked:
    """What is asked about the ticked rows. A click on an option answers, and nothing else does.

    known: what a value may name, by its sort. check: why a choice with a value cannot be carried out, or "". decide: is
    called with the choice, the value and the questions that the clicked option was shown for. fields: stand below the options.
    """

    def __init__(
        self,
        known: Callable[[str], Sequence[str]],
        check: Callable[[str, str], str],
        decide: Callable[[str, str, Sequence[Conflict]], None],
        fields: ipywidgets.Widget,
    ):
        self.known, self.check, self.decide = known, check, decide
        self.conflicts: list[Conflict] = []
        self.valued: Option | None = None
        self.told, self.wrong, self.options = ipywidgets.HTML(), Saying(), ipywidgets.VBox(layout=WIDE)
        # told when the field is left: a name that is half typed is not wrong yet
        self.value = ipywidgets.Combobox(layout=copy_wide(), style=LABELS, continuous_update=False)
        self.value.observe(lambda _: self.judge(), "value")
        self.whole = make_tick("for the whole class: all of its questions, later ones too")
        self.whole.layout = copy_wide()
        self.given = ipywidgets.VBox([self.value, self.wrong.line], layout=copy_wide())
        self.below = ipywidgets.VBox([self.options, self.whole], layout=copy_wide())
        self.box = stand_below(self.told, self.given, self.below, fields)

    def show(self, conflicts: Sequence[Conflict], nothing: str, answer: str = "") -> None:
        """The first of them in words, and the answers that all of them can have. answer: what was decided."""
        self.conflicts = list(conflicts)
        self.below.layout.display = "flex" if conflicts else "none"
        if conflicts:
            self.told.value = draw(_describe(self.conflicts, answer), fold(explain_question(conflicts[0].about)))
        else:
            self.told.value = draw(Table((), (), empty=nothing))
        shared = self.list_shared()
        valued = [option for option in shared if option.value or option.name == OPTIONAL]
        self.valued = valued[0] if valued else None
        if self.valued:
            sort = TAKES.get(self.valued.name, "")
            self.value.description, self.value.options, self.value.value = FIELDS[sort], tuple(self.known(sort)), ""
            self.value.placeholder = f"for {spell(self.valued.name)}: {self.valued.value or 'as it is to be named'}"
        self.given.layout.display = "flex" if self.valued else "none"
        self.whole.value = False
        self.whole.layout.display = "none" if ONE_STATE & {c.about for c in conflicts} else "flex"
        self.wrong.say("")
        self.options.children = [self._show_option(option) for option in shared]

    def list_shared(self) -> list[Option]:
        """The options of the first that all the others have, the recommended one first."""
        if not self.conflicts:
            return []
        first, names = self.conflicts[0], [{option.name for option in c.options} for c in self.conflicts]
        shared = [option for option in first.options if all(option.name in there for there in names)]
        return sorted(shared, key=lambda option: option.name != first.recommended)

    def judge(self) -> bool:
        """Say beside the field why its value cannot be used, and whether it can."""
        value, why = self.value.value.strip(), ""
        if self.valued and value and len(self.conflicts) > 1 and self.valued.name == OPTIONAL:
            why = "A name is for one object: tick one, or leave the field empty"
        elif self.valued and value:
            why = self.check(self.valued.name, value)
        self.wrong.say(f"{why}." if why else "", "bad")
        return not why

    def _show_option(self, option: Option) -> ipywidgets.Widget:
        asked, many, about = self.conflicts, len(self.conflicts), self.conflicts[0]
        words = spell(option.name) + (f", all {many:,}" if many > 1 else "")
        recommended = all(conflict.recommended == option.name for conflict in self.conflicts)
        button = make_button(words, lambda: self._answer(option, asked), "info" if recommended else "")
        pages = any(c.changes_paging for c in self.conflicts)
        tags = '<span class="tag plain">recommended</span> ' * recommended
        tags += '<span class="tag warn">changes who is paged</span> ' * (recommended and pages)
        told = f'<div class="pdm cell pdm-said">{tags}{escape(option.effect)}</div>'
        if many > 1 and len({o.effect for c in self.conflicts for o in c.options if o.name == option.name}) > 1:
            told = f'<div class="pdm cell pdm-said">{tags}for {escape(about.name)}: {escape(option.effect)}</div>'
        return ipywidgets.HBox([button, ipywidgets.HTML(told, layout=EFFECT)], layout=OPTION)

    def _answer(self, option: Option, asked: Sequence[Conflict]) -> None:
        takes = option.value is not None or option.name == OPTIONAL
        value = self.value.value.strip() if takes else ""
        if option.value and not value:
            return self.wrong.say(f"{spell(option.name)} needs {option.value}.", "bad")
        return self.decide(option.name, value, asked) if not takes or self.judge() else None


def _describe(conflicts: list[Conflict], answer: str) -> Section:
    first, counts = conflicts[0], Counter(spell(conflict.about) for conflict in conflicts)
    parts = [
        first.meaning,
        f"{first.note}." if first.note else "",
        f"{answer[:1].upper()}{answer[1:]}." if answer else "",
    ]
    if len(conflicts) > 1:
        many = ", ".join(f"{number:,} of {about}" for about, number in counts.items())
        parts.insert(
            0, f"{len(conflicts):,} questions are ticked: {many}. This is the first of them; an answer is for all."
        )
    return Section(first.question, "\n\n".join(filter(None, parts)), level=3)
