"""Whether a page of a day that is over can be compared with what is there now: by PagerDuty's side alone. Pure.

What PagerDuty would do today, with the schedules as they are now, must be what it did then. So no change in Harness makes
fewer pages comparable.
"""

from dataclasses import dataclass
from typing import Literal

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import paging, rota
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.history import Happened, Incident
from pdmigrate.pagerduty.urgency import urgencies_at
from pdmigrate.parity.course import Course, agrees, read_course
from pdmigrate.parity.past import Past
from pdmigrate.parity.services import (
    SCHEDULE_TYPES,
    Chains,
    Expected,
    expect_levels,
    find_policy,
    list_target_policies,
    source_levels,
    target_levels,
)

Why = Literal["", "scope", "urgency", "policy", "schedule", "hand", "dated", "unread", "misread"]
"""Why a page cannot be compared."""


@dataclass(frozen=True)
class Sides:
    """A service's chains: PagerDuty's with the schedules of today, and of the day; Harness's; and what was decided.

    unrendered: its schedules of which PagerDuty's rendering of that day was not read.
    """

    service: records.Service
    policy: records.EscalationPolicy
    today: list[paging.PagedLevel]
    day: list[paging.PagedLevel]
    target: Chains
    expected: Expected
    unrendered: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """why, reason: of a page that cannot be compared. misread: we do not understand what PagerDuty did."""

    why: Why = ""
    reason: str = ""
    misread: bool = False


class Judge:
    """Judges the pages of a history. past: both sides over its time."""

    def __init__(self, found: Draft, happened: Happened, past: Past):
        self.found, self.happened, self.past = found, happened, past
        self.today = past.schedules.before
        self._until = rota.to_instant(happened.until)
        self._sides: dict[str, Sides | None] = {}

    def read_course(self, incident: Incident) -> Course:
        """What became of an incident, by the log of the history."""
        return read_course(incident, self.happened.log.get(incident.id, ()), self._until, self.found.emails)

    def find_sides(self, id: str) -> Sides | None:
        """The chains of a service; None where it does not move, or has no policy."""
        if id not in self._sides:
            service = self.found.account.services.get(id)
            policy = find_policy(self.found, service) if service else None
            known = service is not None and policy is not None and id in self.found.reasons["services"]
            self._sides[id] = self._make_sides(service, policy) if known and service and policy else None
        return self._sides[id]

    def _make_sides(self, service: records.Service, policy: records.EscalationPolicy) -> Sides:
        back, after = self.past.draft, self.past.schedules.after
        schedules = [t for rule in policy.escalation_rules for t in rule.targets if t.type in SCHEDULE_TYPES]
        return Sides(
            service,
            policy,
            source_levels(back, policy, self.today),
            source_levels(back, policy, self.past.day),
            [target_levels(back, one, after) for one in list_target_policies(back, service)],
            expect_levels(back, service, policy, self.past.schedules),
            tuple(t.summary or t.id for t in schedules if t.id not in self.past.day and not t.deleted_at),
        )

    def judge(self, course: Course, sides: Sides, now: paging.Paged) -> Judged:
        """Whether the page can be compared. now: who would be told today, by Harness."""
        if course.incident.id in self.happened.cut:
            return Judged("unread", self.happened.cut[course.incident.id])
        urgency, named = "high" if course.high else "low", course.incident.escalation_policy
        known = urgencies_at(sides.service, course.at)
        if urgency not in known:
            said = f"of {' or '.join(sorted(known))} urgency" if known else "of a service that is disabled"
            return Judged("urgency", f"it was of {urgency} urgency, and would be {said} today")
        if named not in ("", sides.policy.id):
            return Judged("policy", f"it went by another policy ({named}) than the service has today")
        if not course.high:
            return Judged()
        by_day, by_today = (
            paging.limit(paging.walk(levels, course.at), course.last) for levels in (sides.day, sides.today)
        )
        understood, same = agrees(course.told, by_day), agrees(course.told, by_today)
        misread = not (understood or course.by_hand or sides.unrendered)
        at = paging.list_instants(course.at, course.told, now)
        if same:
            dated = self._find_dated(sides, at)
            words = f"what Harness holds of {dated} has dates, and says nothing of days that are over"
            return Judged("dated", words, misread) if dated else Judged(misread=misread)
        if understood:
            return Judged("schedule", self._describe_schedules(sides, at))
        if course.by_hand:
            return Judged("hand", "a person chose who was told")
        if sides.unrendered:
            words = f"PagerDuty's rendering of that day was not read: {', '.join(sides.unrendered)}"
            return Judged("unread", words)
        parting = paging.describe_parting(course.told, by_day)
        words = f"PagerDuty did not do what its policy and its rendering of that day say: {parting}"
        return Judged("misread", words, True)

    def _list_hung(self, sides: Sides) -> list[tuple[str, str]]:
        """(id, name) of the schedules that pages of the service hang on."""
        targets = {t.id: t.summary or t.id for rule in sides.policy.escalation_rules for t in rule.targets}
        return [(id, name) for id, name in targets.items() if id in self.today]

    def _find_dated(self, sides: Sides, at: list[int]) -> str:
        for id, name in self._list_hung(sides):
            if any(s <= instant < e for s, e in self.past.dated.get(id, ()) for instant in at):
                return name
        return ""

    def _describe_schedules(self, sides: Sides, at: list[int]) -> str:
        parts = []
        for id, name in self._list_hung(sides):
            shown = self.past.day.get(id, rota.Rota())
            apart = next((t for t in at if shown.people_at(t) != self.today[id].people_at(t)), None)
            if apart is not None:
                then, now = (", ".join(sorted(who.people_at(apart))) or "nobody" for who in (shown, self.today[id]))
                parts.append(f"{name} had {then} on call, and by its layers of today {now}")
        return "; ".join(parts) or "its schedules were others that day"
