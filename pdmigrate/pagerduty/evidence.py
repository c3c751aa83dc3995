"""Evidence: PagerDuty's own word on who is on call, beside its rendering of the horizon.

Renderings of other windows are asked for around changes of the clock. GET /oncalls says who is on call at each level of each
escalation policy: it looks at most 90 days ahead, has a limit of requests of its own, and leaves out policies that nothing
uses. What it does not say is not known, and never "nobody".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, ValidationError

from pdmigrate.oncall import rota
from pdmigrate.pagerduty.records import Moment, Record, Reference, Rendered
from pdmigrate.pagerduty.v3_records import FinalSchedule


class Rendering(Rendered, FinalSchedule):
    """What was shown from `since` until `until`: entries of a layer-based schedule, or shifts of a shift-based one."""

    since: Moment
    until: Moment


def read_renderings(rows: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[Rendering, ...]]:
    """Evidence by schedule id. What cannot be read is no evidence."""
    found: dict[str, tuple[Rendering, ...]] = {}
    for id, shown in rows.items():
        try:
            found[id] = tuple(Rendering.model_validate(row) for row in shown)
        except ValidationError:
            continue
    return found


EPOCH = datetime.fromtimestamp(0, UTC)


class OnCall(Record):
    """Somebody is on call at a level. No start and no end: a target of the level himself, for ever (PagerDuty API)."""

    escalation_policy: Reference
    escalation_level: int = Field(ge=1)
    user: Reference
    schedule: Reference | None = None
    start: Moment | None = None
    end: Moment | None = None


@dataclass(frozen=True)
class OnCalls:
    """What PagerDuty said, from `since` until `until`.

    levels: by policy id and number of the level, in PagerDuty user ids. policies: the ids of those that it says anything of.
    unread: by policy id, why nothing is known of it; under "" why nothing is known of any that is not named.
    """

    since: datetime
    until: datetime
    levels: dict[tuple[str, int], rota.Rota] = field(default_factory=dict)
    policies: frozenset[str] = frozenset()
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def span(self) -> rota.Span:
        return rota.to_instant(self.since), rota.to_instant(self.until)

    def why_unread(self, policy_id: str) -> str:
        """Why nothing is known of a policy; "" where PagerDuty has answered for it."""
        return self.unread.get(policy_id) or self.unread.get("", "")

    def level(self, policy_id: str, number: int) -> rota.Rota:
        """Who is on call at a level, in PagerDuty user ids."""
        return self.levels.get((policy_id, number), rota.Rota())


class OnCallFold:
    """Takes raw entries as they come, and keeps of them who is on call when: they are tens of thousands."""

    def __init__(self, since: datetime, until: datetime, unread: dict[str, str] | None = None):
        self._times = since, until
        self._unread = dict(unread or {})
        self._policies: set[str] = set()
        self._spans: dict[tuple[str, int], dict[str, list[rota.Span]]] = {}

    def add(self, rows: Iterable[Any]) -> None:
        """An entry that cannot be read leaves its policy unread."""
        first, last = map(rota.to_instant, self._times)
        for row in rows:
            try:
                entry = OnCall.model_validate(row)
            except ValidationError as error:
                policy = row.get("escalation_policy") if isinstance(row, dict) else None
                id = str(policy.get("id") or "") if isinstance(policy, dict) else ""
                self._unread[id] = f"an entry of /oncalls cannot be read ({error.error_count()} fields)"
                continue
            self._policies.add(entry.escalation_policy.id)
            if not entry.user.deleted_at:  # whoever was deleted is not paged, as in a rendering
                begun = max(rota.to_instant(entry.start), first) if entry.start else first
                over = min(rota.to_instant(entry.end), last) if entry.end else last
                people = self._spans.setdefault((entry.escalation_policy.id, entry.escalation_level), {})
                people.setdefault(entry.user.id, []).append((begun, over))

    def end(self, unread: dict[str, str] | None = None) -> OnCalls:
        """What all of it says. unread: why more policies were not read."""
        levels = {
            place: rota.join([_make_own(*one) for one in people.items()]) for place, people in self._spans.items()
        }
        return OnCalls(*self._times, levels, frozenset(self._policies), self._unread | (unread or {}))


def _make_own(person: str, spans: list[rota.Span]) -> rota.Rota:
    people = frozenset((person,))
    return rota.make_rota((since, until, people) for since, until in rota.merge_spans(spans))


class Said(Record):
    """The form in which a snapshot holds it: raw entries, the time that was asked about, what was not read."""

    since: Moment
    until: Moment
    oncalls: tuple[Any, ...]
    unread: dict[str, str] = Field(default_factory=dict)


def read_oncalls(said: Any) -> OnCalls | None:
    """What a snapshot holds, or PagerDuty has just said; None where nobody has asked.

    A record that does not say which time it covers says nothing.
    """
    if said is None:
        return None
    try:
        held = Said.model_validate(said)
    except ValidationError:
        return OnCalls(EPOCH, EPOCH, unread={"": "what was recorded of /oncalls does not say which time it covers"})
    fold = OnCallFold(held.since, held.until, held.unread)
    fold.add(held.oncalls)
    return fold.end()
