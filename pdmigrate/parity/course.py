"""The course of an incident by PagerDuty's log: who was told at which minute, until somebody answered. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pdmigrate.oncall import paging, rota
from pdmigrate.pagerduty.history import Incident, LogEntry

LAG = 30
"""Seconds by which PagerDuty's log may be late; what falls so close to an answer is not compared."""
ENDS = ("acknowledge", "resolve", "snooze", "delegate", "urgency_change", "reach_ack", "reach_trigger")
"""Beginnings of the types of log entries after which the policy does not go on by itself."""
ASSIGNS = ("assign_log_entry", "escalate_log_entry")
TURN = "one of "


@dataclass(frozen=True)
class Course:
    """What became of an incident: told, in emails; the last minute that can be compared.

    told: nobody where its urgency was low, whoever was assigned. by_hand: a person chose who was told first.
    """

    incident: Incident
    told: paging.Paged
    last: int
    by_hand: bool = False
    high: bool = True

    @property
    def at(self) -> int:
        """The instant at which it began."""
        return rota.to_instant(self.incident.created_at)


def read_course(incident: Incident, entries: Sequence[LogEntry], until: int, emails: Mapping[str, str]) -> Course:
    """The course by the log. until: the instant up to which the log was read. emails: by user id; who has none keeps his id."""
    start, end = rota.to_instant(incident.created_at), until
    told: dict[int, frozenset[str]] = {}
    by_hand = False
    changes = sum(entry.type.startswith("urgency_change") for entry in entries)
    for entry in entries:
        at = rota.to_instant(entry.created_at)
        minute = max(0, at - start + LAG) // 60
        assigns = entry.type in ASSIGNS
        if entry.type.startswith(ENDS) or (assigns and entry.by_hand and minute):
            end = at
            break
        if assigns and entry.assignees:
            told[minute] = told.get(minute, frozenset()) | {emails.get(one, one) for one in entry.assignees}
            by_hand = by_hand or entry.by_hand
    last = max(0, (end - start - LAG) // 60)
    high = (incident.urgency == "high") == (changes % 2 == 0)
    loud = paging.limit(tuple(sorted(told.items())), last) if high else ()
    return Course(incident, loud, last, by_hand, high)


def agrees(told: paging.Paged, expected: paging.Paged) -> bool:
    """Whether somebody was told as expected: of targets that take turns any one will do."""
    if [minute for minute, _ in told] != [minute for minute, _ in expected]:
        return False
    return all(who == whom or _is_turn(who, whom) for (_, who), (_, whom) in zip(told, expected, strict=True))


def _is_turn(who: frozenset[str], whom: frozenset[str]) -> bool:
    word = next(iter(whom), "")
    return len(who) == len(whom) == 1 and word.startswith(TURN) and who <= set(word.removeprefix(TURN).split(", "))
