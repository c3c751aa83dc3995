"""The proof as data frames: who is on call, or paged, on one side only; each service; whoever would not hear of a page."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.rota import NOBODY, Difference, People, to_datetime
from pdmigrate.parity.people import Reach
from pdmigrate.parity.policies import PolicyParity, describe_begins
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.verdicts import VERDICTS, Alert, ServiceParity
from pdmigrate.steps.frames import MOMENT, NUMBER, TEXT, YES_NO, Row, Shape, make_frame

if TYPE_CHECKING:
    import pandas as pd

OURS = "our reading"
MISREAD = "PagerDuty's own word on the level is not what its schedules and targets say"
DIFFERENCES: Shape = {
    "kind": ("schedules", "escalation_policies", "services"),
    "object_id": TEXT,
    "object": TEXT,
    "level": NUMBER,
    "start": MOMENT,
    "end": MOMENT,
    "minute": NUMBER,
    "pages": NUMBER,
    "email": TEXT,
    "person": TEXT,
    "only_in": ("PagerDuty", "Harness", OURS),
    "clock_change": MOMENT,
    "explained": YES_NO,
    "reason": TEXT,
}
SERVICES: Shape = {
    "service_id": TEXT,
    "service": TEXT,
    "verdict": VERDICTS,
    "pages": NUMBER,
    "same": NUMBER,
    "otherwise": NUMBER,
    "nobody": NUMBER,
    "silent": NUMBER,
    "louder": NUMBER,
    "unexplained": NUMBER,
    "raised": MOMENT,
    "before": TEXT,
    "after": TEXT,
    "reason": TEXT,
}
PEOPLE: Shape = {
    "email": TEXT,
    "person": TEXT,
    "grade": ("unreachable", "late", "unproven"),
    "next_turn": MOMENT,
    "why": TEXT,
}
NOWHERE: Row = {"level": None, "minute": None, "pages": None, "clock_change": None, "end": None}


class ParityFrames:
    """The data frames of a result that has compared both sides. Each call makes a new one."""

    FRAMES: ClassVar[tuple[str, ...]] = ("differences", "services", "people")
    draft: Draft
    schedules: tuple[ScheduleParity, ...]
    policies: tuple[PolicyParity, ...]
    service_parity: tuple[ServiceParity, ...]
    reach: Reach

    @property
    def differences(self) -> "pd.DataFrame":
        """A row a person who is on call, or paged, on one side only.

        Of schedules and of levels of policies from `start` to `end`; of services so many minutes after a page, for so many
        pages, the first raised at `start` and the last at `end`. A policy whose levels begin at other minutes has one row without a person. `our reading`: on
        call by what we read out of PagerDuty's schedules, and not by its own word on the level. clock_change: of what was compared around one, beyond the horizon. explained: answers or
        rules cover all of it; reason: which, or that none does.
        """
        rows = [row for s in self.schedules for row in self._list_schedule(s)]
        rows += [row for policy in self.policies for row in self._list_policy(policy)]
        rows += [row for service in self.service_parity for row in self._list_pages(service)]
        return make_frame("What differs", DIFFERENCES, rows)

    @property
    def services(self) -> "pd.DataFrame":
        """A row a service, with the verdict that the pages give it: the worst that holds of its pages.

        Of so many pages, same: they wake the same people at the same minutes; otherwise: they wake other people, or at other
        minutes; nobody: they wake somebody in PagerDuty, and nobody in Harness; silent: they wake nobody on either side. Of
        those that are otherwise, louder: they wake somebody in Harness only. Of both that differ, unexplained: nobody decided
        that. raised, before, after: one page as an example, where one differs one of those.
        """
        rows = [
            {
                **{"service_id": one.id, "service": one.name, "verdict": one.verdict},
                **{"pages": one.moments, "same": one.heard, "otherwise": len(one.otherwise)},
                **{"nobody": len(one.unheard), "silent": one.silent},
                **{"louder": one.louder, "unexplained": len(one.unexplained)},
                **{"raised": to_datetime(one.shown.instant), "before": one.before},
                **{"after": None if one.unverified else one.after, "reason": one.reason or None},
            }
            for one in self.service_parity
        ]
        return make_frame("Who is paged", SERVICES, rows)

    @property
    def people(self) -> "pd.DataFrame":
        """A row somebody who can be paged and would not hear of it (unreachable), later than today (late), or of whom nobody
        knows (unproven), the most urgent first. email: in Harness; of somebody who is nobody there the PagerDuty id, and of a
        target that pages nobody its name. next_turn: when it matters; missing: not within the horizon."""
        rows = [
            {
                "email": one.email,
                "person": self._names.get(one.email),
                "grade": grade,
                "next_turn": one.next_turn,
                "why": one.why,
            }
            for grade in ("unreachable", "late", "unproven")
            for one in getattr(self.reach, grade)
        ]
        return make_frame("Who may not hear of a page", PEOPLE, rows)

    @cached_property
    def _names(self) -> dict[str, str]:
        users = self.draft.account.users
        return {email: users[id].name for id, email in self.draft.mapped.emails.items() if id in users}

    def _list_schedule(self, s: ScheduleParity) -> Iterator[Row]:
        about: Row = {**NOWHERE, "kind": "schedules", "object_id": s.id, "object": s.name}
        for one in s.differences:
            yield from self._list_people(about, one, s.unexplained, s.compared.describe(one[0], one[1]))
        for window in s.windows:
            around = {**about, "clock_change": to_datetime(window.change)}
            for one in window.differences:
                yield from self._list_people(around, one, window.unexplained, window.compared.describe(one[0], one[1]))

    def _list_policy(self, policy: PolicyParity) -> Iterator[Row]:
        about: Row = {**NOWHERE, "kind": "escalation_policies", "object_id": policy.id, "object": policy.name}
        for level, start, end, before, after in policy.target_differences:
            undecided = [(s, e, b, a) for number, s, e, b, a in policy.unexplained if number == level]
            yield from self._list_people({**about, "level": level}, (start, end, before, after), undecided, None)
        for level, start, end, before, after in policy.differences:
            misread = (start, end, before, after)
            for row in self._list_people({**about, "level": level}, misread, [misread], MISREAD):
                yield row | {"only_in": OURS if row["only_in"] == "Harness" else row["only_in"]}
        if policy.begins and policy.begins.before != policy.begins.after:
            when = dict.fromkeys(("start", "email", "person", "only_in"))
            yield {
                **about,
                **when,
                "explained": not policy.begins.unexplained,
                "reason": describe_begins(policy.begins),
            }

    def _list_people(
        self, about: Row, difference: Difference, unexplained: Iterable[Difference], reason: str | None
    ) -> Iterator[Row]:
        start, end, before, after = difference
        open_ = any(s < end and start < e for s, e, _, _ in unexplained)
        span = {**about, "start": to_datetime(start), "end": to_datetime(end), "explained": not open_, "reason": reason}
        yield from ({**span, **self._name(email, side)} for side, email in _part(before, after))

    def _list_pages(self, service: ServiceParity) -> Iterator[Row]:
        """A row for each minute after a page, and whoever is notified then on one side only."""
        about: Row = {**NOWHERE, "kind": "services", "object_id": service.id, "object": service.name}
        about["reason"] = service.reason or None
        raised: dict[tuple[int, str, str], list[Alert]] = {}
        for page in service.different:
            before, after = dict(page.before), dict(page.after)
            for minute in {*before, *after}:
                for side, email in _part(before.get(minute, NOBODY), after.get(minute, NOBODY)):
                    raised.setdefault((minute, side, email), []).append(page)
        for (minute, side, email), pages in sorted(raised.items()):
            first, last = (to_datetime(page.instant) for page in (pages[0], pages[-1]))
            span = {"start": first, "end": last, "explained": not any(page.unexplained for page in pages)}
            yield {**about, **span, **self._name(email, side), "minute": minute, "pages": len(pages)}

    def _name(self, email: str, side: str) -> Row:
        return {"email": email, "person": self._names.get(email), "only_in": side}


def _part(before: People, after: People) -> Iterator[tuple[str, str]]:
    """Those whom only one side has, each with the side."""
    for side, people in (("PagerDuty", before - after), ("Harness", after - before)):
        yield from ((side, email) for email in sorted(people))
