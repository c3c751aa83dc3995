"""What the timeline of an alert shows: who was told by which level at which minute, who could not be, whose phone rang late. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pdmigrate.harness.alert_records import Alert, Timeline
from pdmigrate.harness.records import Person
from pdmigrate.oncall import paging
from pdmigrate.parity.course import LAG

APART = 1
"""Minutes by which two telephones may ring apart: they are rung at seconds, and counted in minutes."""


def read_told(timeline: Timeline, alert: Alert, late: int, now: datetime) -> tuple[paging.Paged, int]:
    """Who was told by which level, at its minute; and the last minute that tells: then somebody answered, or it is now.

    A level's people are those who are notified while it stands: by their own rules some are later than others. Of a timeline
    without levels only the first time counts at which somebody was told. late: seconds by which the alert itself came later
    than the others.
    """
    told: dict[int, frozenset[str]] = {}
    levels = timeline.of("level")
    for event in timeline.told:
        begun = [
            one.at for one in levels if one.at <= event.at and (event.level is None or one.level in (None, event.level))
        ]
        minute = _minute_of(alert, max(begun, default=event.at), late)
        told[minute] = told.get(minute, frozenset()) | {event.who}
    if not levels:
        told = dict(keep_first(tuple(sorted(told.items()))))
    answers = [one.at for one in timeline.of("acknowledged")]
    ends = [*answers, *filter(None, (alert.acknowledged, alert.resolved)), now]
    last = (min(ends) - alert.created).total_seconds() + late - LAG
    return tuple(sorted(told.items())), max(0, int(last // 60))


def keep_first(paged: paging.Paged) -> paging.Paged:
    """Of everybody the first minute at which he is told."""
    known: frozenset[str] = frozenset()
    first = []
    for minute, people in paged:
        if people - known:
            first.append((minute, people - known))
        known |= people
    return tuple(first)


def name_by_email(timeline: Timeline, people: Iterable[Person]) -> Timeline:
    """The timeline with emails where it names people otherwise, and it is clear who is meant."""
    people = [*people]
    named = Counter(person.name.lower() for person in people)
    known = {person.name.lower(): person.email for person in people if named[person.name.lower()] == 1}
    known |= {person.uuid.lower(): person.email for person in people if person.uuid}
    told = (event.model_copy(update={"who": known.get(event.who, event.who)}) for event in timeline.events)
    return replace(timeline, events=tuple(told))


def list_failed(timeline: Timeline) -> dict[str, str]:
    """Who was to be told and could not be, and the timeline's words for it."""
    return {one.who: f"not reached: {one.message or one.who}" for one in timeline.of("failed")}


def compare_rings(rings: dict[str, int], timeline: Timeline, alert: Alert, late: int) -> str:
    """Where a telephone rings minutes later than the other, although the level is the same; else "".

    rings: the minute at which PagerDuty first notified each.
    """
    rang: dict[str, int] = {}
    for event in timeline.told:
        rang.setdefault(event.who, _minute_of(alert, event.at, late))
    return "; ".join(
        f"{who} was notified at minute {minute} by PagerDuty, at minute {rang[who]} by Harness"
        for who, minute in rings.items()
        if who in rang and abs(rang[who] - minute) > APART
    )


def _minute_of(alert: Alert, at: datetime, late: int) -> int:
    return max(0, int((at - alert.created).total_seconds()) + late + LAG) // 60
