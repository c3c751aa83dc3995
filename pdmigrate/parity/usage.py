"""Noise and use: how often services page, whom they wake at night, what nobody answers, what has been silent. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.history import Happened

EVENING, MORNING = 22, 7
"""A night is from this hour of a person's own clock to that one."""
ASSIGNS = ("assign_log_entry", "escalate_log_entry", "notify_log_entry")


@dataclass(frozen=True)
class ServiceUse:
    """pages: incidents of high urgency. low: the others. unanswered: pages that no person acknowledged or resolved.

    nights: pages that came to somebody at night. last: the latest incident; None where there was none.
    """

    id: str
    name: str
    pages: int = 0
    low: int = 0
    unanswered: int = 0
    nights: int = 0
    last: datetime | None = None

    @property
    def silent(self) -> bool:
        return self.last is None


@dataclass(frozen=True)
class PersonUse:
    """pages: pages in which somebody was told. nights: nights in which he was, each counted once. channels: how often by
    which, by the list of notifications, whatever they were about."""

    id: str
    name: str
    pages: int
    nights: int
    channels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Usage:
    """services: those in scope, the loudest first. people: the most often woken first."""

    services: tuple[ServiceUse, ...]
    people: tuple[PersonUse, ...]


def count_usage(found: Draft, happened: Happened) -> Usage:
    """What the history says of the services in scope, and of the people whom their pages told.

    Whom a page told is the word of its log: `notify` where PagerDuty has sent something, else who was assigned.
    """
    scope = found.reasons["services"]
    services = {id: ServiceUse(id, one.name) for id, one in found.account.services.items() if id in scope}
    told: dict[str, set[str]] = defaultdict(set)
    nights: dict[str, set[object]] = defaultdict(set)
    zones: dict[str, ZoneInfo] = {}
    for incident in happened.incidents:
        before = services.get(incident.service)
        if before is None:
            continue
        high, log = incident.urgency == "high", happened.log.get(incident.id, ())
        answered = any(e.by_hand and e.type.startswith(("acknowledge", "resolve")) for e in log)
        woken = False
        for entry in log if high else ():
            for person in {*entry.assignees, entry.user} - {""} if entry.type in ASSIGNS else ():
                zone = zones.setdefault(person, _find_zone(found, person))
                told[person].add(incident.id)
                night = find_night(entry.created_at, zone)
                if night is not None:
                    nights[person].add(night)
                    woken = True
        services[incident.service] = ServiceUse(
            before.id,
            before.name,
            before.pages + high,
            before.low + (not high),
            before.unanswered + (high and not answered),
            before.nights + woken,
            incident.created_at,
        )
    users = found.account.users
    channels: dict[str, Counter[str]] = defaultdict(Counter)
    for one in happened.notifications:
        channels[one.user][one.type.removesuffix("_notification")] += 1
    people = [
        PersonUse(
            id, users[id].name if id in users else id, len(told[id]), len(nights[id]), dict(channels[id].most_common())
        )
        for id in {*told, *channels}
    ]
    return Usage(
        tuple(sorted(services.values(), key=lambda s: (-s.pages, -s.low, s.name.casefold()))),
        tuple(sorted(people, key=lambda p: (-p.nights, -p.pages, p.name.casefold()))),
    )


def find_night(moment: datetime, zone: ZoneInfo) -> object | None:
    """The day on whose evening the night began, by the clock of the zone; None by day."""
    local = moment.astimezone(zone)
    if MORNING <= local.hour < EVENING:
        return None
    return (local - timedelta(days=local.hour < MORNING)).date()


def _find_zone(found: Draft, person: str) -> ZoneInfo:
    user = found.account.users.get(person)
    return ZoneInfo((read_zone(user.time_zone or "").iana if user else None) or found.home_zone)
