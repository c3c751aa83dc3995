"""One page that was really sent: who was to be told, who was told, and what is to be said of it. Pure.

Instants are whole seconds since the epoch; minutes count from the page's start.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from pdmigrate.oncall.words import format_number

Outcome = Literal["nobody", "others", "late", "silent", "same"]
"""Worst first. nobody: somebody was to be told, and nobody was. others: somebody else was told, or somebody was not. late: the
right people, later or by another channel. silent: nobody was to be told, and nobody was, which is not the same as the same."""
SLACK = 1
"""Minutes that a notification may take."""
ONE_OF = "one of "
Instant = Annotated[int, Field(ge=0, lt=10**11)]
"""0 where it did not happen; up to the year 5138: what lies beyond no clock tells."""
Minute = Annotated[int, Field(ge=0, lt=10**9)]


@dataclass(frozen=True)
class Due:
    """Somebody who is to be told. level: the minute at which a level reaches them. minute: of their own first notification.

    channels: by which that is; empty where nobody knows.
    """

    level: Minute
    person: str
    minute: Minute
    channels: tuple[str, ...] = ()

    def fits(self, person: str) -> bool:
        """Whether it is this person. `one of ann, bob` is either."""
        return person in self.person.removeprefix(ONE_OF).split(", ")


@dataclass(frozen=True)
class Notice:
    """Somebody was told. failed: in whose words they were not, although it was tried."""

    person: str
    at: Instant
    channel: str = ""
    failed: str = ""


@dataclass(frozen=True)
class Seen:
    """What the target shows of a page. until: how far it was watched. understood: how many events were.

    unread: why nothing can be said of it. strange: events that nobody here understands, in words. services: whom the target
    takes it to be for. acknowledged: 0 where nobody has; by: "" where it is not said who. over: it was resolved or dismissed.
    """

    alert: str = ""
    created: Instant = 0
    until: Instant = 0
    services: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    acknowledged: Instant = 0
    by: str = ""
    understood: int = 0
    strange: tuple[str, ...] = ()
    over: bool = False
    unread: str = ""

    @property
    def told(self) -> list[Notice]:
        return [one for one in self.notices if not one.failed]

    @property
    def watched(self) -> int:
        """Seconds from its start until somebody answered, or until it was looked at last."""
        return max(0, (self.acknowledged or self.until) - self.created)

    def minute_of(self, notice: Notice) -> int:
        return (notice.at - self.created) // 60


TEST_TITLE = "TEST PAGE"
"""With these words the title of a test page begins."""


@dataclass(frozen=True)
class SentPage:
    """A test page. token: in its title, and nowhere else. state: `intended` before it is sent; then `sent`, `refused`, or
    `unknown`: nobody knows whether it arrived. asking: the number of the asking that it belongs to. plan: the digest of what
    was loaded then. why: why nobody is due. ended: when, and by whom it was ended; "": it was not. ticked: who saw what became of it, when.
    """

    service: str
    name: str
    identifier: str
    token: str
    title: str
    way: str
    by: str
    plan: str
    asking: int
    intended: Instant
    dues: tuple[Due, ...]
    why: str = ""
    state: Literal["intended", "sent", "refused", "unknown"] = "intended"
    note: str = ""
    seen: Seen | None = None
    ended: Instant = 0
    ticked_by: str = ""
    ticked_at: Instant = 0
    ticked_words: str = ""


@dataclass(frozen=True)
class PageLog:
    """All test pages that were ever asked for, oldest first. number: of the latest asking; under_way: it is not at its end, or
    was broken off; again: it was for services that had a page already.
    """

    number: int = 0
    again: bool = False
    under_way: bool = False
    pages: tuple[SentPage, ...] = ()

    def find(self, service: str) -> SentPage | None:
        """The latest page of a service."""
        return next((page for page in reversed(self.pages) if page.service == service), None)

    def keep(self, page: SentPage) -> "PageLog":
        """With this page in the place of what was known of it, or as the latest one."""
        known = [one if one.token != page.token else page for one in self.pages]
        return replace(self, pages=(*known, *([] if page in known else [page])))

    def begin(self, again: bool) -> "PageLog":
        """A new asking; one that was broken off goes on."""
        return self if self.under_way else replace(self, number=self.number + 1, again=again, under_way=True)

    def list_paged(self, plan: str) -> set[str]:
        """Services that the asking under way sends nothing to: it has already, or, unless it is to be again, an earlier one
        has under this plan. What a webhook has refused did not arrive.
        """
        sent = [page for page in self.pages if page.state != "refused"]
        here = {page.service for page in sent if page.asking == self.number}
        return here if self.again else here | {page.service for page in sent if page.plan == plan}


@dataclass(frozen=True)
class Judged:
    """What is said of a page: an outcome, or None where it was not seen; and in words what differs, or why it was not seen."""

    outcome: Outcome | None
    words: str = ""


def judge(dues: Sequence[Due], seen: Seen, name: Callable[[str], str] = str) -> Judged:
    """Compare. What is not understood is never taken for nobody: the page is then not seen. name: of a person."""
    if seen.unread:
        return Judged(None, seen.unread)
    told = seen.told
    strangers = [one for one in told if not any(d.fits(one.person) and d.level <= _soonest(seen, one) for d in dues)]
    due = [one for one in dues if not one.minute or 60 * one.minute < seen.watched]
    missing = [one for one in due if not _list_told(one, seen)]
    failed = [_describe_failed(one, name) for one in seen.notices if one.failed]
    if strangers:
        told_too = [f"{name(n.person)} was told {_after(seen.minute_of(n))}" for n in strangers]
        lost = [f"{_name(d, name)} was not" for d in missing]
        return Judged("others", _join([*told_too, *lost, *failed]))
    if not told and dues and not due:
        first = min(one.minute for one in dues)
        return Judged(None, f"nobody was to be told yet: the first is to be {_after(first)}")
    if (missing or not told) and (seen.strange or not seen.understood):
        shown = "holds events that nobody here understands" if seen.strange else "holds nothing that is understood"
        return Judged(None, f"the timeline {shown}")
    if missing:
        tried = {one.person for one in seen.notices}
        lost = [
            f"{_name(d, name)} was not told, who was to be {_after(d.minute)}"
            for d in missing
            if not tried & {d.person}
        ]
        return Judged("others" if told else "nobody", _join([*lost, *failed]))
    if not told:
        return Judged("silent", "nobody was to be told")
    words = [said for one in due for said in _describe_late(one, seen, name)] + failed
    return Judged("late" if words else "same", _join(words))


def _describe_failed(notice: Notice, name: Callable[[str], str]) -> str:
    who = name(notice.person)
    return f"{who} could not be told{_by(notice.channel)}: {notice.failed.replace(notice.person, who)}"


def _soonest(seen: Seen, notice: Notice) -> int:
    return seen.minute_of(notice) + SLACK


def _list_told(due: Due, seen: Seen) -> list[Notice]:
    """What told them from their level on, in order."""
    there = (one for one in seen.told if due.fits(one.person) and _soonest(seen, one) >= due.level)
    return sorted(there, key=lambda one: one.at)


def _describe_late(due: Due, seen: Seen, name: Callable[[str], str]) -> list[str]:
    told = _list_told(due, seen)
    late = seen.minute_of(told[0]) - due.minute
    channels = {one.channel for one in told if one.channel and one.at < told[0].at + 60}
    words = [f"{_name(due, name)} was told {format_number(late, 'minute')} later"] if late > SLACK else []
    if due.channels and channels and not channels & {*due.channels}:
        words.append(f"{_name(due, name)} was told{_by(*sorted(channels))}, and not{_by(*due.channels)}")
    return words


def _name(due: Due, name: Callable[[str], str]) -> str:
    if not due.person.startswith(ONE_OF):
        return name(due.person)
    return ONE_OF + ", ".join(map(name, due.person.removeprefix(ONE_OF).split(", ")))


def _after(minutes: int) -> str:
    return f"after {format_number(minutes, 'minute')}" if minutes else "at once"


def _by(*channels: str) -> str:
    said = " and ".join(one for one in channels if one)
    return f" by {said}" if said else ""


def _join(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(parts))
