"""What is said of a service: whether its pages wake the same people, others, or nobody; and how often each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal, NamedTuple, get_args

from pdmigrate.oncall import paging
from pdmigrate.oncall.words import format_number
from pdmigrate.parity.explanations import Explanation
from pdmigrate.parity.schedules import UNDECIDED

Verdict = Literal["nobody", "otherwise", "unverified", "silent", "same"]
"""Worst first. nobody: a page that wakes somebody in PagerDuty wakes nobody in Harness. otherwise: it wakes other people, or
at other minutes. silent: none of its pages wakes anybody, on either side, which is not the same as the same people."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class Alert(NamedTuple):
    """A page and what becomes of it. expected: what is to become of it in Harness by the answers of people."""

    instant: int
    urgency: str
    before: paging.Paged
    after: paging.Paged
    expected: paging.Paged

    @property
    def unexplained(self) -> bool:
        return self.after not in (self.before, self.expected)

    @property
    def is_silent(self) -> bool:
        """Whether it wakes nobody on either side."""
        return not self.before and not self.after


@dataclass(frozen=True)
class ServiceParity:
    """One service: for so many pages, how often the same people are notified at the same minutes.

    different: the pages that differ, in order. dropped: pages that nobody ever hears of. louder: pages that wake somebody
    in Harness and nobody in PagerDuty, since their urgency is low or the service is disabled. silent: pages that wake nobody
    on either side, and silent_seconds: how much of the horizon no page wakes anybody on either side. passed: pages whose first
    level is empty in Harness, which does not say what it does then. shown: the page that a table shows. unverified: Harness
    has no API to read its policies from, or nobody knows who is on call in one of its schedules before: no page was
    compared (moments is 0). Where that is for overrides that were not read, what differs from the layers is told all the same.
    """

    id: str
    name: str
    moments: int
    dropped_before: int
    dropped_after: int
    louder: int
    passed: int
    shown: Alert
    silent: int = 0
    silent_seconds: int = 0
    different: tuple[Alert, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    unverified: bool = False

    @property
    def equal(self) -> int:
        """How many pages are the same on both sides, those that wake nobody on either side among them."""
        return self.moments - len(self.different)

    @property
    def heard(self) -> int:
        """How many pages wake the same people at the same minutes: those that wake nobody are not among them."""
        return self.equal - self.silent

    @property
    def unheard(self) -> tuple[Alert, ...]:
        """Pages that wake somebody in PagerDuty, and nobody in Harness."""
        return tuple(page for page in self.different if not page.after)

    @property
    def otherwise(self) -> tuple[Alert, ...]:
        """Pages that wake somebody in Harness, and other people, or at other minutes, than in PagerDuty."""
        return tuple(page for page in self.different if page.after)

    @property
    def verdict(self) -> Verdict:
        """The worst that holds of its pages."""
        if self.unverified:
            return "unverified"
        if self.different:
            return "nobody" if self.unheard else "otherwise"
        return "same" if self.heard else "silent"

    @property
    def same(self) -> bool:
        """Whether every page was compared, and is the same."""
        return not self.unverified and not self.different

    @property
    def before(self) -> str:
        return paging.describe(self.shown.before)

    @property
    def after(self) -> str:
        return "not known" if self.unverified else paging.describe(self.shown.after)

    @property
    def parting(self) -> str:
        """The first minute at which the page that is shown parts, and who is paged, waiting or dropped then."""
        return "" if self.unverified else paging.describe_parting(self.shown.before, self.shown.after)

    @property
    def unexplained(self) -> tuple[Alert, ...]:
        """Pages that differ, and not as anybody decided."""
        return tuple(page for page in self.different if page.unexplained)

    @property
    def reason(self) -> str:
        """The decisions behind the pages that differ; that there is none, where one has none."""
        if not self.different:
            return ""
        covered = len(self.different) > len(self.unexplained)
        words = list(dict.fromkeys(x.words for x in self.explanations)) if covered else []
        if self.unexplained:
            words.append(f"{format_number(len(self.unexplained), 'page')}: {UNDECIDED}")
        return "; ".join(words)


def count_silence(pages: Sequence[Alert], until: int) -> int:
    """Seconds in which no page, whatever its urgency, wakes anybody on either side. pages: in order, up to `until`.

    Between two pages that were looked at it is taken to be as at the first: every handoff is looked at.
    """
    raised = [(instant, all(page.is_silent for page in same)) for instant, same in groupby(pages, lambda p: p.instant)]
    return sum(after - at for (at, silent), (after, _) in pairwise([*raised, (until, False)]) if silent)


def count_verdicts(services: Iterable[ServiceParity]) -> dict[str, int]:
    """How many services each verdict holds of; every service has exactly one."""
    found = [service.verdict for service in services]
    return {verdict: found.count(verdict) for verdict in VERDICTS}
