"""Which alert of Harness is which incident of PagerDuty: by key, by link, or by service, title and time. Never a guess. Pure.

What is told apart by nothing stays ambiguous, on both sides. Clocks of two systems differ, and a feed takes its time: the
median of what is matched by key or link says by how much.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from statistics import median
from typing import Literal, get_args

from pdmigrate.harness.alert_records import Alert
from pdmigrate.pagerduty.history import Incident

Way = Literal["key", "link", "service, title and time"]
WAYS: tuple[Way, ...] = get_args(Way)
NEAR = timedelta(minutes=15)
"""What lies further apart is not matched by its title."""
LINGERS = timedelta(hours=4)
"""So long an incident may go on: without a key, its acknowledgement or its end may come as an alert of its own."""
CLEAR = timedelta(seconds=60)
"""So much nearer than any other it must be, to be the one."""
ENOUGH = 3
"""With fewer alerts nobody can tell a clock from a delay."""
MOST_OFFSET = timedelta(minutes=5)
"""More than this is a delay of the feed, whatever the clocks say: it is not taken away."""


@dataclass(frozen=True)
class Match:
    """One incident and its alert. doubled: further alerts of the same incident, by the same."""

    incident: Incident
    alert: Alert
    way: Way
    doubled: tuple[Alert, ...] = ()

    @property
    def lag(self) -> timedelta:
        """How much later Harness has it, by its own clock."""
        return self.alert.created - self.incident.created_at


@dataclass(frozen=True)
class Matched:
    """Every incident and every alert stands in one of these, once; a doubled alert with its match.

    ambiguous: by incident's id the alerts that may be it. offset: by how much Harness's clock and the feed are behind
    PagerDuty's, in the middle; zero where too few alerts can tell.
    """

    matches: tuple[Match, ...] = ()
    only_source: tuple[Incident, ...] = ()
    only_target: tuple[Alert, ...] = ()
    ambiguous: dict[str, tuple[Alert, ...]] = field(default_factory=dict)
    offset: timedelta = timedelta(0)


Pair = tuple[timedelta, Incident, Alert]
"""How far apart they are, once the offset is taken away, and which."""


def match_alerts(
    incidents: Sequence[Incident], alerts: Sequence[Alert], identifier_of: Callable[[str], str]
) -> Matched:
    """Match all of them. identifier_of: a service of PagerDuty to that of Harness, "" where it has none."""
    sure = _match_sure(incidents, alerts)
    offset = _find_offset(one.lag for one in sure)
    known = {one.incident.id for one in sure}
    taken = {alert.id for one in sure for alert in (one.alert, *one.doubled)}
    alike = [
        (apart, incident, alert)
        for incident in incidents
        for alert in alerts
        if incident.id not in known and alert.id not in taken and _is_alike(incident, alert, identifier_of)
        if (apart := abs(alert.created - incident.created_at - offset)) <= LINGERS
    ]
    near = [pair for pair in alike if pair[0] <= NEAR]
    clear = [Match(pair[1], pair[2], "service, title and time") for pair in near if _is_clear(pair, near)]
    known |= {one.incident.id for one in clear}
    taken |= {one.alert.id for one in clear}
    more: dict[str, list[Alert]] = defaultdict(list)
    doubtful: dict[str, list[Alert]] = defaultdict(list)
    for apart, incident, alert in alike:
        if alert.id not in taken and (incident.id in known or apart <= NEAR):
            (more if incident.id in known else doubtful)[incident.id].append(alert)
    unclear = {alert.id for some in doubtful.values() for alert in some}
    for number, one in enumerate(clear):
        further = tuple(alert for alert in more[one.incident.id] if alert.id not in taken | unclear)
        taken |= {alert.id for alert in further}
        clear[number] = replace(one, doubled=further)
    return Matched(
        tuple(sorted([*sure, *clear], key=lambda one: (one.incident.created_at, one.incident.id))),
        tuple(one for one in incidents if one.id not in known and one.id not in doubtful),
        tuple(one for one in alerts if one.id not in taken and one.id not in unclear),
        {id: tuple(some) for id, some in doubtful.items()},
        offset,
    )


def _match_sure(incidents: Iterable[Incident], alerts: Iterable[Alert]) -> list[Match]:
    """By the key that both know, or by the link that leads back. A key may come again: then the nearest in time is meant.

    Of several alerts of an incident the first is the one.
    """
    named: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        for name in {incident.key, incident.id} - {""}:
            named[name].append(incident)
    found: dict[str, list[tuple[Incident, Alert, Way]]] = defaultdict(list)
    for alert in sorted(alerts, key=lambda one: (one.created, one.id)):
        keyed = named.get(alert.key, [])
        linked = named.get(alert.link.rstrip("/").rpartition("/")[2], [])
        if keyed or linked:
            nearest = min(keyed or linked, key=lambda one: (abs(alert.created - one.created_at), one.id))
            found[nearest.id].append((nearest, alert, "key" if keyed else "link"))
    return [Match(*some[0], doubled=tuple(alert for _, alert, _ in some[1:])) for some in found.values()]


def _find_offset(lags: Iterable[timedelta]) -> timedelta:
    seconds = [lag.total_seconds() for lag in lags]
    middle = timedelta(seconds=round(median(seconds))) if len(seconds) >= ENOUGH else timedelta(0)
    return middle if abs(middle) <= MOST_OFFSET else timedelta(0)


def _is_alike(incident: Incident, alert: Alert, identifier_of: Callable[[str], str]) -> bool:
    title = _plain(incident.title)
    return bool(title) and title == _plain(alert.title) and identifier_of(incident.service) in alert.services


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()


def _is_clear(pair: Pair, pairs: Iterable[Pair]) -> bool:
    """Whether nothing else comes near to being its incident's alert, or its alert's incident."""
    apart, incident, alert = pair
    rivals = (one for one in pairs if one != pair and (one[1].id == incident.id or one[2].id == alert.id))
    return all(one[0] >= apart + CLEAR for one in rivals)
