"""The verdict that leads a page: who is paged for each service, then who is on call, then who cannot be reached.

Red is what is open: a difference that nobody has decided, somebody who cannot be reached. Amber is what was decided, and
what nobody could compare. Each figure leads to its rows, which bear the anchors that are named here.
"""

from collections.abc import Callable, Iterable, Sequence

from pdmigrate.oncall.paging import Paged
from pdmigrate.oncall.words import format_number
from pdmigrate.pages.people import People
from pdmigrate.pages.show import Columns, Figure, Section, Tag, make_table
from pdmigrate.pages.words import format_hours, format_percent
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.verdicts import VERDICTS, ServiceParity, Verdict

VERDICT_WORDS: dict[Verdict, str] = {
    "nobody": "pages nobody in Harness",
    "otherwise": "pages otherwise",
    "unverified": "not compared",
    "silent": "pages nobody on either side",
    "same": "pages the same people",
}
OTHERWISE, NOT_COMPARED = VERDICT_WORDS["otherwise"], VERDICT_WORDS["unverified"]
ONE_SIDE, DEAD, SILENT = "not on both sides", "nothing came", "feed silent"
"""What a night, or a replay, comes to, where it is not simply done."""
ANCHORS = {"services": "services", "differences": "differences", "unreachable": "unreachable", "on_call": "on-call"}

MOST_LINES = 4
HOW_COUNTED = (
    "The columns count pages: raised at and just before each handoff, and so long before that a later level meets it, with the "
    "urgency of that hour, and acknowledged by nobody.\n\n"
    "- Same: the same people are woken at the same minutes.\n"
    "- Otherwise: somebody else is, or at other minutes.\n"
    "- Nobody in Harness: it wakes somebody in PagerDuty, and nobody ever hears of it in Harness.\n"
    "- Nobody on either side: counted apart, and not the same."
)


def describe_verdict(
    services: Sequence[ServiceParity], schedules: Sequence[ScheduleParity], unreachable: Sequence[Unreachable]
) -> str:
    """Who is paged, who is on call, who cannot be reached: a sentence or two for each, in this order."""
    told = (_describe_services(services), _describe_schedules(schedules), _describe_reach(unreachable))
    return "\n".join(filter(None, told))


def _describe_services(services: Sequence[ServiceParity]) -> str:
    if not services:
        return "No service is in scope."
    number = {verdict: sum(s.verdict == verdict for s in services) for verdict in VERDICTS}
    lead = f"{number['same']} of {format_number(len(services), 'service')} {_verb(number['same'], 'page')} the same people."
    others, nobody = number["otherwise"], number["nobody"]
    parts = [f"{_count(others)} otherwise: other people, or at other minutes"] * bool(others)
    parts += [f"{_count(nobody)} nobody in Harness for alerts that page somebody in PagerDuty"] * bool(nobody)
    if parts:
        open_ones = sum(bool(s.unexplained) for s in services)
        decided = f"{format_number(open_ones, 'service')} without a decision" if open_ones else "all of it by decision"
        lead += f" {'; '.join(parts)} ({decided})."
    if number["silent"]:
        lead += f" {_count(number['silent'])} nobody on either side."
    if number["unverified"]:
        lead += f" {number['unverified']} could not be compared."
    return lead


def _describe_schedules(schedules: Sequence[ScheduleParity]) -> str:
    if not schedules:
        return "No schedule is in scope: there is none to compare."
    agree, differ, nobody = (sum(getattr(s, name) for s in schedules) for name in ("agree", "differ", "nobody"))
    if not agree + differ:
        return "Who is on call could not be compared: Harness has no API to read schedules from."
    if agree + differ == nobody:
        return "Nobody is on call in any schedule, on either side."
    share = format_percent(agree - nobody, agree - nobody + differ)
    lead = f"The same people are on call for {share} of the time that somebody is"
    lead += f"; for {format_hours(nobody)} nobody is, on either side." if nobody else "."
    unexplained = sum(bool(s.unexplained) for s in schedules)
    if unexplained:
        lead += f" {format_number(unexplained, 'schedule differs', 'schedules differ')} without a decision."
    unread = sum(s.unverified > 0 for s in schedules)
    return lead + (f" {format_number(unread, 'schedule')} could not be compared." if unread else "")


def _describe_reach(unreachable: Sequence[Unreachable]) -> str:
    number = len(unreachable)
    if not number:
        return "Nobody who can be paged is known to be out of reach."
    return f"{format_number(number, 'person', 'people')} who can be paged cannot be reached."


def _count(number: int) -> str:
    return f"{number} of them {_verb(number, 'page')}"


def _verb(number: int, verb: str) -> str:
    return verb + "s" * (number == 1)


def list_figures(
    services: Sequence[ServiceParity], schedules: Sequence[ScheduleParity], unreachable: Sequence[Unreachable]
) -> tuple[Figure, ...]:
    """The same in numbers, each a link to its rows."""
    figures = []
    for verdict in ("same", "otherwise", "nobody", "silent", "unverified"):
        there = [s for s in services if s.verdict == verdict]
        if not there and (verdict in ("silent", "unverified") or not services):
            continue
        number = f"{len(there)} of {len(services)}" if verdict == "same" else str(len(there))
        href = f"#{ANCHORS['services']}-{verdict}" if there else ""
        figures.append(Figure(_label(verdict, len(there)), number, _tone(verdict, there), href))
    if schedules:
        differ, unread = (sum(getattr(s, name) for s in schedules) for name in ("differ", "unverified"))
        tone = "bad" if any(s.unexplained for s in schedules) else "warn" if differ else "good"
        if not all(s.unverified for s in schedules):
            href = f"#{ANCHORS['differences' if differ else 'on_call']}"
            figures.append(Figure("Other people on call", format_hours(differ), tone, href))
        if unread:
            figures.append(Figure("On call, not compared", format_hours(unread), "warn", f"#{ANCHORS['on_call']}"))
    reach = Figure(
        "Cannot be reached",
        str(len(unreachable)),
        "bad" if unreachable else "good",
        f"#{ANCHORS['unreachable']}" if unreachable else "",
    )
    return (*figures, reach)


def _label(verdict: Verdict, number: int) -> str:
    words = VERDICT_WORDS[verdict]
    if words.startswith("pages"):
        words = _verb(number, "page") + words.removeprefix("pages")
    return words[0].upper() + words[1:]


def _tone(verdict: Verdict, services: Iterable[ServiceParity]) -> str:
    """Of so many services of one verdict."""
    services = list(services)
    if verdict in ("nobody", "otherwise"):
        return "bad" if any(s.unexplained for s in services) else "warn" if services else "good"
    return {"unverified": "warn", "silent": "plain", "same": "good"}[verdict] if services else "plain"


def tag_verdict(s: ServiceParity) -> Tag:
    """What is said of one service."""
    return Tag(VERDICT_WORDS[s.verdict], _tone(s.verdict, [s]))


def rank_service(s: ServiceParity) -> tuple[int, bool, str]:
    """The worst first, of the equally bad what nobody has decided."""
    return VERDICTS.index(s.verdict), not s.unexplained, s.name.casefold()


def list_paged(paged: Paged, people: People) -> list[str]:
    """A line for each minute at which somebody is paged; of a chain that goes on and on, the beginning and the last."""
    told = [
        f"{minute} min: {', '.join(sorted(people.tell(people.name_of(one)) for one in who))}" for minute, who in paged
    ]
    if len(told) > MOST_LINES:
        told[MOST_LINES:] = [f"and so on, {format_number(len(told) - MOST_LINES, 'time')}, until {paged[-1][0]} min"]
    return told or ["nobody"]


def section_services(
    services: Sequence[ServiceParity],
    name: Callable[[ServiceParity], str],
    more: Columns[ServiceParity],
    empty: str,
    open_up_to: int | None = None,
    title: str = "Who is paged for each service",
) -> Section:
    """A row for each service, the worst first: what is said of it, and how many of its pages are what. more: columns."""
    columns: Columns[ServiceParity] = {
        "Service": name,
        "In Harness it": tag_verdict,
        "Same": lambda s: s.heard,
        "Otherwise": lambda s: len(s.otherwise),
        "Nobody in Harness": lambda s: len(s.unheard),
        "Nobody, either side": lambda s: s.silent,
        "Hours of nobody, either side": lambda s: round(s.silent_seconds / 3600, 1),
        **more,
    }
    rows = sorted(services, key=rank_service)
    table = make_table(rows, columns, empty, anchor=lambda s: f"{ANCHORS['services']}-{s.verdict}")
    silent = sum(s.silent_seconds for s in services)
    apart = f"\n\nAll services added up, nobody is paged on either side for {format_hours(silent)}." if silent else ""
    return Section(title, HOW_COUNTED + apart, table, anchor=ANCHORS["services"], open_up_to=open_up_to)
