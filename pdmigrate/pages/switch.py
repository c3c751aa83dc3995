"""The manager's question: may we switch, and if not, who must do what by when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pages.readiness import Readiness, find_untested
from pdmigrate.pages.show import Columns, Section, Tag, make_table
from pdmigrate.parity.people import Unreachable

SOON = timedelta(days=7)
RUNNER = "whoever runs the migration"


@dataclass(frozen=True)
class Duty:
    """Something that must be done before the switch. by: the moment, None where there is none: before the switch.

    blocks: whether nobody should switch without it.
    """

    who: str
    what: str
    by: datetime | None = None
    blocks: bool = True


def is_soon(readiness: Readiness, unreachable: Unreachable) -> bool:
    """Whether it matters within a week that he cannot be reached."""
    return unreachable.next_turn is not None and unreachable.next_turn - readiness.now < SOON


def list_duties(readiness: Readiness) -> list[Duty]:
    """What is left to be done before the switch, the most urgent first; what has no date last."""
    duties = [*_list_undecided(readiness), *_list_unreachable(readiness), *_list_work(readiness)]
    far = max((duty.by for duty in duties if duty.by), default=readiness.now)
    return sorted(duties, key=lambda duty: (not duty.blocks, duty.by is None, duty.by or far))


def _list_undecided(readiness: Readiness) -> Iterator[Duty]:
    questions, differences = len(readiness.draft.open), len(readiness.verified.unexplained)
    if questions:
        yield Duty(
            RUNNER, f"answer {format_number(questions, 'open question')} (notebook 4), then load and verify again"
        )
    if differences:
        told = format_number(differences, "difference that nobody has decided", "differences that nobody has decided")
        yield Duty(RUNNER, f"mend or decide {told} (page verify), then verify again")
    drift = len(readiness.verified.drift)
    if drift:
        yield Duty(
            RUNNER, f"load {format_number(drift, 'object that is', 'objects that are')} not in Harness as planned"
        )


def _list_unreachable(readiness: Readiness) -> Iterator[Duty]:
    for one in readiness.verified.unreachable:
        yield Duty(readiness.name_of(one.email), f"become reachable: {one.why}", one.next_turn)


def _list_work(readiness: Readiness) -> Iterator[Duty]:
    by_hand = sum(item.what == "make by hand" and not item.tick for item in readiness.items)
    if by_hand:
        yield Duty("an administrator of Harness", f"make {format_number(by_hand, 'thing')} by hand (page handover)")
    for team in readiness.teams:
        said = readiness.sign_off(team.id)
        if said is None or said.choice == "no_go":
            who = ", ".join(team.leads) or f"the lead of {team.name}"
            word = "withdraw the no-go" if said else "say go or no-go"
            yield Duty(who, f"{word} for the team {team.name}, on its page", readiness.good_until)
    untested = len(find_untested(readiness))
    if untested:
        people = format_number(untested, "person who is on call", "people who are on call")
        yield Duty(RUNNER, f"send a test page to {people}, and tick who has seen it", blocks=False)


def _tell_when(by: datetime, readiness: Readiness) -> str:
    return "now" if by <= readiness.now else f"by {format_local(by, readiness.home)}"


def section_switch(readiness: Readiness) -> Section:
    """The answer, in a sentence or two."""
    duties = list_duties(readiness)
    blocking = [duty for duty in duties if duty.blocks]
    refused = [
        team.name for team in readiness.teams if (said := readiness.sign_off(team.id)) and said.choice == "no_go"
    ]
    left = [item for item in readiness.items if item.what == "re-point" and not item.tick]
    if refused:
        answer = f"No: {', '.join(refused)} said no-go."
    elif blocking:
        answer = f"Not yet: {format_number(len(blocking), 'thing is', 'things are')} left to do first."
    elif not left and any(item.what == "re-point" for item in readiness.items):
        answer = "It is done: every integration sends to Harness."
    elif unread := sum(s.unverified for s in readiness.verified.service_parity):
        told = format_number(unread, "service", "services")
        answer = f"Only on the teams' word: who is paged could not be compared for {told}."
    else:
        answer = "Yes: every team has said go, everybody can be reached, and nothing differs that nobody has decided."
    first = blocking[0] if blocking else None
    if first and first.by:
        answer += f" First: {first.who}, {_tell_when(first.by, readiness)}."
    rest = len(duties) - len(blocking)
    advice = " Before each team goes over, its people should have seen a test page." if rest else ""
    fresh = format_local(readiness.good_until, readiness.home)
    text = f"{answer}{advice}\n\nThis holds until {fresh}; after that, run verify again before anybody switches."
    text += "\n\nTo switch is to point a team's integrations at Harness. Until then PagerDuty pages as it always did."
    return Section("May we switch?", text)


def section_to_do(readiness: Readiness) -> Section:
    """Who must do what by when."""

    def tell_when(duty: Duty) -> Tag:
        if duty.by is None:
            return Tag("before the switch")
        soon = duty.by - readiness.now < SOON
        return Tag(_tell_when(duty.by, readiness).removeprefix("by "), "bad" if soon and duty.blocks else "plain")

    columns: Columns[Duty] = {
        "Who": lambda duty: duty.who,
        "Must do what": lambda duty: duty.what,
        "By when": tell_when,
    }
    table = make_table(list_duties(readiness), columns, "Nothing is left to do before the switch.")
    return Section("Who must do what by when", table=table)
