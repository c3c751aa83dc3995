"""Random v2 schedules, who is on call in them by a point function that shares nothing with the package, and as written."""

from bisect import bisect
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from pdmigrate.harness import records as harness
from pdmigrate.harness.rota import render_schedule
from pdmigrate.mapping.overrides import cut_overrides
from pdmigrate.mapping.rotations import write_rotation

ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "America/Santiago",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Cairo",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "America/St_Johns",
    "UTC",
]
START = datetime(2026, 11, 23, 10, 11, 12, tzinfo=UTC)
MONDAY = 345_600
DAY, WEEK = 86_400, 604_800
LONG = (WEEK, WEEK, 2 * WEEK, DAY, 2 * DAY, 3 * DAY, DAY // 2, 8 * 3600, 100_000, 604_801)
TURNS = (*LONG, *LONG, *LONG, 5400, 2700)
"""Short turns are rare here: they take most of the time."""
PEOPLE = ["ann", "bob", "cat", "dan"]

seconds_of_day = st.one_of(st.sampled_from([0, 3600, 7200, 9 * 3600, 22 * 3600, 5400, 9000]), st.integers(0, DAY - 1))
lengths = st.one_of(st.sampled_from([3600, 8 * 3600, 9 * 3600, 12 * 3600, DAY, 62 * 3600, WEEK]), st.integers(1, WEEK))


@st.composite
def restrictions(draw):
    start, length = draw(seconds_of_day), draw(lengths)
    clock = f"{start // 3600:02}:{start % 3600 // 60:02}:{start % 60:02}"
    if draw(st.booleans()):
        return {"type": "daily_restriction", "start_time_of_day": clock, "duration_seconds": min(length, DAY)}
    day = draw(st.integers(1, 7))
    return {
        "type": "weekly_restriction",
        "start_time_of_day": clock,
        "duration_seconds": length,
        "start_day_of_week": day,
    }


def place(name):
    """A user of a layer; None is somebody who was deleted."""
    gone = {} if name else {"deleted_at": "2026-01-01T00:00:00Z"}
    return {"user": {"id": name or "gone", "type": "user_reference", "summary": name, **gone}}


@st.composite
def layers(draw, number):
    """turn of the wall clock, anchor up to ten years back, life from the past or the future, with an end or none."""
    anchor = START - timedelta(seconds=draw(st.integers(0, 10 * 365 * DAY) | st.just(3 * WEEK)))
    since = anchor if draw(st.booleans()) else START + timedelta(seconds=draw(st.integers(-WEEK, 200 * DAY)))
    until = since + timedelta(seconds=draw(st.integers(1, 900 * DAY))) if draw(st.integers(0, 3)) == 0 else None
    people = draw(st.lists(st.sampled_from(PEOPLE + [None] * draw(st.integers(0, 2))), max_size=5))
    turn = draw(st.sampled_from(TURNS))
    short = turn < DAY // 2
    return {
        "id": f"L{number}",
        "name": f"Layer {number}",
        "start": since.isoformat(),
        "end": until.isoformat() if until else None,
        "rotation_virtual_start": anchor.isoformat(),
        "rotation_turn_length_seconds": turn,
        "users": [place(name) for name in people[: 3 if short else 5]],
        "restrictions": draw(st.lists(restrictions(), max_size=3)),
    }


@st.composite
def overrides(draw):
    """Somebody stands in, from before the start at the earliest, for a month at most."""
    start = START + timedelta(seconds=draw(st.integers(-DAY, 300 * DAY)))
    end = start + timedelta(seconds=draw(st.sampled_from([3600, DAY, WEEK]) | st.integers(1, 30 * DAY)))
    return {"start": start.isoformat(), "end": end.isoformat(), **place(draw(st.sampled_from([*PEOPLE, "eve"])))}


@st.composite
def schedules(draw):
    """A schedule as PagerDuty's API has it, up to four layers, and people who stand in."""
    body = [draw(layers(number)) for number in range(draw(st.integers(1, 4)), 0, -1)]
    stand_ins = {"rendered_schedule_entries": draw(st.lists(overrides(), max_size=3))}
    zone = draw(st.sampled_from(ZONES))
    return {
        "id": "PS1",
        "name": "Random",
        "time_zone": zone,
        "schedule_layers": body,
        "overrides_subschedule": stand_ins,
    }


class Facts:
    """Who is on call at a second, straight from the facts: a stand-in, else the first layer from the top with somebody.

    Counted on the naive wall clock of the schedule's zone; `edges` are all instants at which the answer could change.
    """

    def __init__(self, schedule):
        self.zone = ZoneInfo(schedule["time_zone"])
        self.changes, self.offsets = _clock_changes(schedule["time_zone"])
        self.layers = [self._read(layer) for layer in schedule["schedule_layers"]]
        overrides = schedule.get("overrides_subschedule", {}).get("rendered_schedule_entries", [])
        self.overrides = [(_stamp(one["start"]), _stamp(one["end"]), one["user"]["id"]) for one in overrides]

    def person_at(self, instant):
        standing_in = [who for start, end, who in self.overrides if start <= instant < end]
        if standing_in:
            return standing_in[-1]
        clock = self._clock(instant)
        return next((who for layer in self.layers if (who := _ask(layer, instant, clock))), None)

    def people_at(self, instant):
        person = self.person_at(instant)
        return frozenset([person]) if person else frozenset()

    def instants(self, start, end):
        """The edges, and the second before each."""
        return sorted(
            edge - back for edge, back in product(self.edges(start, end), (0, 1)) if start <= edge - back < end
        )

    def edges(self, start, end):
        found = {start, end, *self.changes}
        found |= {edge for begin, finish, _ in self.overrides for edge in (begin, finish)}
        first, last = self._clock(start) - DAY, self._clock(end) + DAY
        for layer in self.layers:
            found |= {edge for edge in layer["life"] if edge is not None}
            found |= {t for clock in _list_clocks(layer, first, last) for t in self._instants(clock)}
        return {edge for edge in found if start <= edge <= end}

    def _read(self, layer):
        users = [None if place["user"].get("deleted_at") else place["user"]["id"] for place in layer["users"]]
        return {
            "life": (_stamp(layer["start"]), _stamp(layer["end"]) if layer["end"] else None),
            "anchor": self._read_clock(layer["rotation_virtual_start"]),
            "turn": layer["rotation_turn_length_seconds"],
            "users": users,
            "windows": [_read_window(one) for one in layer["restrictions"]],
        }

    def _read_clock(self, text):
        shown = datetime.fromisoformat(text).astimezone(self.zone).replace(tzinfo=UTC)
        return int(shown.timestamp()) - MONDAY

    def _clock(self, instant):
        return instant + self._offset(instant) - MONDAY

    def _offset(self, instant):
        return self.offsets[bisect(self.changes, instant)]

    def _instants(self, clock):
        """None of a time that the clock skips, two of one that it shows twice."""
        shown = {clock + MONDAY - offset: offset for offset in set(self.offsets)}
        return [instant for instant, offset in shown.items() if self._offset(instant) == offset]


def _stamp(text):
    return int(datetime.fromisoformat(text).timestamp())


def _read_window(restriction):
    """(how often, second of the week or the day, for how long)"""
    hours, minutes, seconds = map(int, restriction["start_time_of_day"].split(":"))
    opened, length = hours * 3600 + minutes * 60 + seconds, restriction["duration_seconds"]
    if restriction["type"] == "daily_restriction":
        return DAY, opened, length
    return WEEK, (restriction["start_day_of_week"] - 1) * DAY + opened, length


def _ask(layer, instant, clock):
    since, until = layer["life"]
    if instant < since or (until is not None and instant >= until) or not layer["users"]:
        return None
    if layer["windows"] and not any((clock - opened) % often < length for often, opened, length in layer["windows"]):
        return None
    return layer["users"][(clock - layer["anchor"]) // layer["turn"] % len(layer["users"])]


def _list_clocks(layer, first, last):
    """What the clock shows when a turn or a window starts or ends."""
    repeats = [(layer["turn"], layer["anchor"])] if len(set(layer["users"])) > 1 else []
    repeats += [(often, at) for often, opened, length in layer["windows"] for at in (opened, opened + length)]
    for often, at in repeats:
        yield from range(first + (at - first) % often, last, often)


@lru_cache
def _clock_changes(name):
    """When the zone's clock is set in the days that are asked about, and how far it is ahead of UTC before and after."""
    zone, first = ZoneInfo(name), int(START.timestamp()) // 900 * 900
    quarters = range(first - 40 * DAY, first + 440 * DAY, 900)
    ahead = [int(datetime.fromtimestamp(t, zone).utcoffset().total_seconds()) for t in quarters]
    changes = [n for n in range(1, len(ahead)) if ahead[n] != ahead[n - 1]]
    return [quarters[n] for n in changes], [ahead[0], *(ahead[n] for n in changes)]


def all_edges(rotas):
    """Every instant at which one of them changes, and the second before it."""
    edges = {edge for rota in rotas for start, end, _ in rota.entries for edge in (start, end)}
    return sorted(edge - back for edge, back in product(edges, (0, 1)))


def write(record, zone, named):
    """The schedule as it goes over the wire to Harness, and as it is read there."""
    stand_ins = [
        {"identifier": f"{at}-{n}", "person": f"{entry.user.id}@example.com", "start": s, "end": e}
        for at, (entry, spans) in enumerate(cut_overrides(record.overrides))
        for n, (s, e) in enumerate(spans)
    ]
    emails = {id: f"{id}@example.com" for one in named for id in one.rotation.participants if id}
    rotations = [write_rotation(one, emails).model_dump(mode="json") for one in named]
    made = {"identifier": "ps1", "name": "Random", "time_zone": zone.key, "overrides": stand_ins}
    return harness.Schedule.model_validate(made | {"rotations": rotations})


def read_both_ways(record, zone, named, start, end):
    """The written schedule: rotations joined, and stacked; people as they are called in PagerDuty."""
    written = write(record, zone, named)
    drawn = [render_schedule(written, start, end, stacked) for stacked in (False, True)]
    names = {email: email.partition("@")[0] for one in drawn for _, _, who in one.entries for email in who}
    return [one.rename(names) for one in drawn]
