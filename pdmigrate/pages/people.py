"""The people on a page: each with one name that tells him from all others, and one look, the same on every page."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.proof import read_shown
from pdmigrate.oncall.rota import Rota, to_datetime, to_instant
from pdmigrate.pages.timeline import Bar, Lane, choose_look, draw_timeline, give_looks
from pdmigrate.pages.words import tell_apart
from pdmigrate.parity.schedules import ScheduleParity

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"/]+@[\w-]+(?:\.[\w-]+)*")
ZOOM = "Month, Week and Day zoom, and what is wider than the page scrolls; everybody has the same colour on every page."
Layers = Iterable[tuple[str, Iterable[Rota]]]


@dataclass(frozen=True)
class People:
    """names, looks: by PagerDuty id, and by the email that is paged in Harness."""

    names: dict[str, str]
    looks: dict[str, int]

    def name_of(self, person: str) -> str:
        """The name behind an id or an email; what it is itself, where nobody is known by it."""
        return self.names.get(person, person)

    def tell(self, words: str) -> str:
        """A sentence with the names of those whom it calls by their email."""
        return _EMAIL.sub(lambda found: self.name_of(found[0]), words)

    def make_bars(self, rota: Rota) -> tuple[Bar, ...]:
        """A rota as bars of a timeline: each person has his own, also where several are on at one time."""
        spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for start, end, who in rota.entries:
            for person in sorted(who):
                mine = spans[person]
                if mine and mine[-1][1] == start:
                    mine[-1] = (mine[-1][0], end)
                else:
                    mine.append((start, end))
        return tuple(
            Bar(
                to_datetime(start),
                to_datetime(end),
                self.name_of(person),
                self._look_key(person),
                self.look_of(person),
            )
            for person, mine in spans.items()
            for start, end in mine
        )

    def look_of(self, person: str) -> int:
        """The look of an id or an email."""
        return self.looks.get(person, choose_look(person))

    def _look_key(self, person: str) -> str:
        return f"{self.look_of(person)} {self.name_of(person)}"


def know_people(draft: Draft) -> People:
    """Everybody in the account, worked out once for each draft. Two users who are one person in Harness are the first of them there."""
    known: People | None = vars(draft).get("_people")
    if known is None:
        known = vars(draft)["_people"] = _list_everybody(draft)
    return known


def _list_everybody(draft: Draft) -> People:
    users = draft.account.users
    shown = (read_shown(schedule) or Rota() for schedule in draft.account.all_schedules.values())
    together = [{person for _, _, who in one.entries for person in who} for one in shown]
    names, looks = tell_apart(users.values()), give_looks(users, together)
    for id, email in draft.mapped.emails.items():
        if id in users:
            names.setdefault(email, names[id])
            looks.setdefault(email, looks[id])
    return People(names, looks)


def draw_sides(
    s: ScheduleParity,
    since: datetime,
    until: datetime,
    people: People,
    now: datetime,
    harness: bool = True,
    layers: tuple[Layers, Layers] | None = None,
    name: str = "",
) -> str:
    """Both sides of a schedule as lanes, with what differs marked. harness: whether the target is drawn.

    layers: what goes into each side, above its result. name: the schedule's, where another one has the same.
    """
    start, end = to_instant(since), to_instant(until)
    before, after = (
        [Lane(name, tuple(bar for rota in alone for bar in people.make_bars(rota))) for name, alone in side]
        for side in layers or ((), ())
    )
    source = "PagerDuty" if s.judged else "PagerDuty, computed"
    lanes = [*before, Lane(source, people.make_bars(s.before.clip(start, end)), True)]
    lanes += [*after, Lane("Harness", people.make_bars(s.after.clip(start, end)), True)] * harness
    spans = [(max(a, start), min(b, end)) for a, b, _, _ in s.differences if a < end and b > start]
    marks = [(to_datetime(a), to_datetime(b)) for a, b in spans]
    return draw_timeline(lanes, since, until, s.time_zone, name or s.name, marks, now)
