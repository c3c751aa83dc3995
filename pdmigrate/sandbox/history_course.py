"""The course of one incident of the embedded company, played forward minute by minute.

People are assigned level by level, notified by their own rules, and answer or do not; timeouts escalate, repeat, exhaust,
take back an acknowledgement, resolve. What PagerDuty documents is played; what it leaves open is chosen, and said here:
who acknowledges is the only one assigned from then on; an acknowledgement that runs out starts that person's rules anew,
and the level's delay with them; what is reassigned by hand no longer escalates.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Protocol
from zoneinfo import ZoneInfo

from pdmigrate.sandbox.pagerduty_zones import own_zone
from pdmigrate.sandbox.store import Json

CHANNELS = {f"{kind}_contact_method": f"{kind}_notification" for kind in ("email", "phone", "sms")}
CHANNELS["push_notification_contact_method"] = "push_notification"
"""By which channel a contact method notifies. The list of notifications knows these four, and no other."""
HIGH, LOW = "high", "low"
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification; `address` is none for a push."""

    at: datetime
    kind: str
    user: Json
    address: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log, numbered within it. `more` is what only its kind has, `agent` the reference to who did it."""

    number: int
    at: datetime
    kind: str
    words: str
    agent: Json
    channel: str
    more: Json
    notice: Notice | None = None


@dataclass
class Incident:
    """An incident as it stands where its course, or the clock, has ended; and its log."""

    id: str
    service: Json
    policy: Json
    title: str
    severity: str
    created: datetime
    urgency: str = HIGH
    status: str = "triggered"
    assigned: list[tuple[datetime, Json]] = field(default_factory=list)
    acknowledged: list[tuple[datetime, Json]] = field(default_factory=list)
    via: str = "escalation_policy"
    changed: datetime = NEVER
    changed_by: Json = field(default_factory=dict)
    pending: list[tuple[str, datetime]] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)


class World(Protocol):
    """What a course is played in."""

    until: datetime

    def list_people(self, policy: Json, level: int, at: datetime) -> list[Json]:
        """The users of a level at that moment, each once."""
        ...

    def list_rules(self, user: Json, urgency: str) -> list[tuple[timedelta, Json]]:
        """A user's notification rules: the delay, and the contact method."""
        ...

    def find_zone_of(self, user: Json) -> ZoneInfo:
        """The user's time zone."""
        ...


def find_support(hours: Json, at: datetime) -> tuple[bool, datetime]:
    """Whether it is within support hours, and when they start next."""
    local = at.astimezone(own_zone(hours))
    opens, closes = hours["start_time"], hours["end_time"]
    is_open = local.isoweekday() in hours["days_of_week"] and opens <= f"{local:%H:%M:%S}" < closes
    for later in range(9):
        day = (local + timedelta(days=later)).date()
        start = datetime.fromisoformat(f"{day}T{opens}").replace(tzinfo=local.tzinfo).astimezone(UTC)
        if day.isoweekday() in hours["days_of_week"] and start > at:
            return is_open, start
    return is_open, datetime.max.replace(tzinfo=UTC)


def play(incident: Incident, world: World, dice: Random) -> bool:
    """Play the incident's course until it is resolved or the clock is reached. False: nobody is there for it at any level."""
    return _Course(incident, world, dice).play()


class _Course:
    def __init__(self, incident: Incident, world: World, dice: Random):
        self.incident, self.world, self.dice = incident, world, dice
        self.service, self.now = _refer(incident.service), incident.created
        self.level = self.loops = self.state = 0
        self.levels = incident.policy.get("escalation_rules") or []
        self.unheard = dice.random() < 0.07  # nobody answers
        self._plans: list[tuple[datetime, int, int | None, Callable[[], None], str]] = []
        self._number = count()

    def play(self) -> bool:
        incident, service = self.incident, self.incident.service
        self._set_urgency()
        people = next(filter(None, map(self._list_people, range(len(self.levels)))), None)
        if not people:
            return False
        self.level = next(level for level in range(len(self.levels)) if self._list_people(level))
        self._write("trigger_log_entry", "Triggered through the API", self.service, "api")
        self._assign("assign_log_entry", people)
        if (after := service.get("auto_resolve_timeout")) is not None:
            self._plan(timedelta(seconds=after), lambda: self._resolve(self.service, "timeout"), None, "resolve")
        if self.dice.random() < 0.25:
            self._plan(self._minutes(2, 90), lambda: self._resolve(self.service, "api"), None)
        self._plan(self._minutes(600, 1800), lambda: self._resolve(people[0], "website"), None)
        while incident.status != "resolved" and self._plans[0][0] <= self.world.until:
            at, _, state, step, _ = heapq.heappop(self._plans)
            if state in (None, self.state):
                self.now = at
                step()
        if incident.status != "resolved":
            standing = sorted(plan[:2] + plan[4:] for plan in self._plans if plan[4] and plan[2] in (None, self.state))
            incident.pending = [(name, at) for at, _, name in standing]
        return True

    # --- what PagerDuty does ---

    def _set_urgency(self) -> None:
        rule = self.incident.service.get("incident_urgency_rule") or {}
        urgency = rule.get("urgency") or HIGH
        if rule.get("type") == "use_support_hours" and self.incident.service.get("support_hours"):
            is_open, opens = find_support(self.incident.service["support_hours"], self.now)
            side = rule.get("during_support_hours" if is_open else "outside_support_hours") or {}
            urgency = side.get("urgency") or HIGH
            if urgency == LOW and self.incident.service.get("scheduled_actions"):
                self._plan(opens - self.now, self._raise_urgency, None, "urgency_change")
        if urgency == "severity_based":
            urgency = HIGH if self.incident.severity in ("critical", "error") else LOW
        self.incident.urgency = urgency

    def _raise_urgency(self) -> None:
        self.incident.urgency = HIGH
        self._write("urgency_change_log_entry", "Urgency changed to high", self.service, "auto")
        if self.incident.status == "triggered":
            self.state += 1
            self._call([user for _, user in self.incident.assigned])

    def _assign(self, kind: str, people: list[Json]) -> None:
        self.state += 1
        self.incident.assigned = [(self.now, user) for user in people]
        names = ", ".join(user["summary"] for user in people)
        verb, channel = ("Escalated", "timeout") if kind == "escalate_log_entry" else ("Assigned", "auto")
        self._write(kind, f"{verb} to {names}", self.service, channel, assignees=people)
        self._call(people)

    def _call(self, people: list[Json]) -> None:
        """Notify them by their rules from now on, and wait for the level's delay; low urgency does not escalate."""
        for user in people:
            rules = self.world.list_rules(user, self.incident.urgency)
            for delay, method in rules:
                self._plan(delay + self._seconds(1, 8), lambda user=user, method=method: self._notify(user, method))  # type: ignore[misc]  # a lambda's defaults have no types
            if rules and not self.unheard and self.dice.random() < self._willingness(user):
                answer = self._minutes(1, 9) if self._is_day(user) else self._minutes(2, 16)
                wait = min(delay for delay, _ in rules) + answer
                self._plan(wait, lambda user=user: self._acknowledge(user), None)  # type: ignore[misc]  # as above
        if self.incident.urgency == HIGH and self.incident.via == "escalation_policy":
            minutes = self.levels[self.level].get("escalation_delay_in_minutes") or 30
            self._plan(timedelta(minutes=minutes), self._run_out, name="escalate")

    def _run_out(self) -> None:
        """The level's delay is over: the next one that has somebody, the chain once more, or the end of it."""
        while True:
            for level in range(self.level + 1, len(self.levels)):
                if people := self._list_people(level):
                    self.level = level
                    return self._assign("escalate_log_entry", people)
            if self.loops >= (self.incident.policy.get("num_loops") or 0):
                return self._write(
                    "exhaust_escalation_path_log_entry", "Escalation path exhausted", self.service, "auto"
                )
            self.level, self.loops = -1, self.loops + 1
            self._write(
                "repeat_escalation_path_log_entry", f"Repeat {self.loops} of the escalation path", self.service, "auto"
            )
            if people := self._list_people(0):
                self.level = 0
                return self._assign("assign_log_entry", people)

    def _notify(self, user: Json, method: Json) -> None:
        kind = CHANNELS[method["type"]]
        digits = f"+{method.get('country_code') or 1}{method.get('address')}"
        address = {"push_notification": None, "email_notification": method.get("address")}.get(kind, digits)
        notice = Notice(self.now, kind, user, address)
        words = f"Notified {user['summary']} by {kind.removesuffix('_notification')}"
        self._write("notify_log_entry", words, self.service, "auto", notice, user=user)

    def _take_back(self) -> None:
        """An acknowledgement, or a snooze, runs out."""
        self.state += 1
        self.incident.acknowledged = []
        self._change("triggered", self.service)
        self._write("unacknowledge_log_entry", "Unacknowledged due to timeout", self.service, "timeout")
        self._call([user for _, user in self.incident.assigned])

    def _resolve(self, agent: Json, channel: str) -> None:
        self.incident.assigned, self.incident.acknowledged = [], []
        self._change("resolved", agent)
        self._write("resolve_log_entry", f"Resolved by {agent['summary']}", agent, channel)

    # --- what people do ---

    def _acknowledge(self, user: Json) -> None:
        if self.incident.status != "triggered":
            return
        self.state += 1
        self.incident.assigned = self.incident.acknowledged = [(self.now, user)]
        self._change("acknowledged", user)
        after = self.incident.service.get("acknowledgement_timeout")
        channel = self.dice.choice(("website", "website", "sms", "email"))
        self._write(
            "acknowledge_log_entry", f"Acknowledged by {user['summary']}", user, channel, acknowledgement_timeout=after
        )
        if after:
            self._plan(timedelta(seconds=after), self._take_back, name="unacknowledge")
        self._plan(
            self._minutes(3, 25) if self.dice.random() < 0.8 else self._minutes(25, 150),
            lambda: self._resolve(user, "website"),
            None,
        )
        luck = self.dice.random()
        if luck < 0.15:
            self._plan(
                self._minutes(1, 3),
                lambda: self._write("annotate_log_entry", "Note added", user, "note", note="Looking into it."),
            )
        elif luck < 0.18:
            self._plan(self._minutes(1, 3), lambda: self._snooze(user))
        elif luck < 0.2:
            self._plan(self._minutes(1, 3), lambda: self._hand_on(user))

    def _snooze(self, user: Json) -> None:
        hours = self.dice.choice((1, 2, 3))
        self.state += 1
        ends = {"type": "unacknowledge", "at": self.now + timedelta(hours=hours)}
        self._write("snooze_log_entry", f"Snoozed for {hours} h", user, "website", changed_actions=[ends])
        self._plan(timedelta(hours=hours), self._take_back, name="unacknowledge")

    def _hand_on(self, user: Json) -> None:
        """Reassigned by hand to somebody who stands higher in the policy."""
        others = [
            one for level in range(len(self.levels)) for one in self._list_people(level) if one["id"] != user["id"]
        ]
        if not others:
            return
        self.state += 1
        other = others[-1]
        self.incident.via, self.incident.acknowledged, self.incident.assigned = (
            "direct_assignment",
            [],
            [(self.now, other)],
        )
        self._change("triggered", user)
        self._write("assign_log_entry", f"Reassigned to {other['summary']}", user, "website", assignees=[other])
        self._call([other])

    # --- the bookkeeping ---

    def _list_people(self, level: int) -> list[Json]:
        return self.world.list_people(self.incident.policy, level, self.now)

    def _willingness(self, user: Json) -> float:
        """What does not wake anybody waits longer."""
        if self.incident.urgency == LOW:
            return 0.4
        return 0.85 if self._is_day(user) else 0.65

    def _is_day(self, user: Json) -> bool:
        return 7 <= self.now.astimezone(self.world.find_zone_of(user)).hour < 23

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.dice.randint(least * 60, most * 60))

    def _seconds(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.dice.randint(least, most))

    def _plan(self, wait: timedelta, step: Callable[[], None], state: int | None = -1, name: str = "") -> None:
        """Do it then: if the incident stands as it does now, or (state None) however it stands. `name`: as an open one shows it."""
        state = self.state if state == -1 else state
        heapq.heappush(self._plans, (self.now + wait, next(self._number), state, step, name))

    def _change(self, status: str, agent: Json) -> None:
        self.incident.status, self.incident.changed, self.incident.changed_by = status, self.now, agent

    def _write(
        self, kind: str, words: str, agent: Json, channel: str, notice: Notice | None = None, **more: object
    ) -> None:
        log = self.incident.log
        log.append(Entry(len(log), self.now, kind, words, agent, channel, more, notice))


def _refer(service: Json) -> Json:
    return {name: service.get(name) for name in ("id", "summary", "self", "html_url")} | {"type": "service_reference"}
