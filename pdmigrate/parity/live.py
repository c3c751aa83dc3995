"""Whom a test page of a service is to reach, at which minute, by which channel: by PagerDuty and the answers of people.

And whom it did reach, by Harness's alert and its timeline. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pdmigrate.errors import shorten
from pdmigrate.harness.alert_records import Alert, Timeline
from pdmigrate.harness.records import Channel
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import paging, rota
from pdmigrate.oncall.live import ONE_OF, Due, Notice, Seen
from pdmigrate.pagerduty.records import Service
from pdmigrate.pagerduty.urgency import urgencies_at
from pdmigrate.parity.people import list_told
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.services import expect_levels, find_policy


@dataclass(frozen=True)
class Expectation:
    """Everybody who is to be told of a page that nobody acknowledges, in order. why: why that is nobody."""

    dues: tuple[Due, ...]
    why: str = ""


def expect_page(found: Draft, service: Service, schedules: Sequence[ScheduleParity], instant: int) -> Expectation:
    """What is to become of an urgent page at this instant."""
    expected = expect_levels(found, service, find_policy(found, service), schedules)
    if not expected.pages("high" in urgencies_at(service, instant)):
        decided = "; ".join(dict.fromkeys(one.words for one in expected.explanations))
        return Expectation((), decided or "PagerDuty wakes nobody either: its urgency is not high at this hour")
    paged = paging.walk_all(expected.chains, instant)
    dues = tuple(_expect_person(found, minute, person) for minute, people in paged for person in sorted(people))
    return Expectation(dues, "" if dues else "nobody is on call at any level of its policy")


def _expect_person(found: Draft, level: int, person: str) -> Due:
    """When their own rule in Harness tells them first, and by what; at once, where it cannot be read."""
    details, rule = found.state.contacts.get(person), found.state.rules.get(person)
    methods = [Channel(type=m.type, address=m.address) for m in details.methods] if details else []
    told = list_told(rule, methods, {(m.type, m.address.strip().lower()) for m in methods})
    first = min((minute for minutes in told.values() for minute in minutes), default=0)
    channels = {type for (type, _), minutes in told.items() if first in minutes}
    return Due(level, person, level + (0 if person.startswith(ONE_OF) else first), tuple(sorted(channels)))


def describe_unknown(found: Draft, service: Service, schedules: Sequence[ScheduleParity], instant: int) -> str:
    """Why nobody knows whom a page of this service is to reach at this instant; "" where it is known."""
    if not rota.to_instant(found.account.since) <= instant < rota.to_instant(found.account.until):
        return "the snapshot says nothing of today: run preview again"
    policy = find_policy(found, service)
    targets = {target.id for rule in policy.escalation_rules for target in rule.targets} if policy else set()
    mine = [s for s in schedules if s.id in targets]
    unread = next((s for s in mine if s.unread), None)
    doubted = next((s for s in mine if s.doubted), None)
    if unread:
        return f"nobody knows who is on call in {unread.name} ({unread.id})"
    return doubted.describe_doubted() if doubted else ""


def read_seen(alert: Alert, timeline: Timeline, sent: int, until: int) -> Seen:
    """What Harness shows of the page that was sent at that instant and watched until that one, by our clock.

    Its clock may not be ours: what lies between is counted from the alert's own beginning.
    """
    created = rota.to_instant(alert.created)
    until = created + until - sent
    calls = timeline.of("told", "failed")
    nameless = [event.words for event in calls if not event.email]
    unread = [words for some in timeline.unread.values() for words in some]
    notices = []
    for event in calls:
        why = shorten(event.message or "Harness does not say why") if event.kind == "failed" else ""
        if event.email:
            notices.append(Notice(event.email, rota.to_instant(event.at), event.channel, why))
    answer = next(iter(timeline.of("acknowledged")), None)
    answered = answer.at if answer else alert.acknowledged if alert.status == "acknowledged" else None
    return Seen(
        alert=alert.id,
        created=created,
        until=min(until, rota.to_instant(alert.resolved)) if alert.over and alert.resolved else until,
        services=alert.services,
        notices=tuple(notices),
        acknowledged=rota.to_instant(answered) if answered else 0,
        by=answer.email if answer else "",
        understood=len(timeline.events) - len(nameless),
        strange=tuple(dict.fromkeys([*unread, *nameless])),
        over=alert.over,
    )
