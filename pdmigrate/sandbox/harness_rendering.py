"""Who is on call, as the embedded Harness answers it.

Cut the time wherever anything could change, then ask at the start of each piece who is on, as a function of the naive
local time. Simple on purpose, and of its own: it is what the migration is checked against.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from pdmigrate.sandbox.store import Json

WEEK = 7 * 86400


def read_instant(text: str) -> datetime:
    """An instant of ISO 8601 with an offset, in UTC. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


def write_instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def render_on_call(schedule: Json, start: datetime, end: datetime, reading: str = "join") -> list[Json]:
    """The entries from `start` to `end`: in order, equal neighbours merged, gaps left out.

    `reading` says what several rotations are together: "join", everybody, or "stack", the first that has somebody.
    """
    entries: list[Json] = json.loads(_render_once(json.dumps(schedule), start, end, reading))
    return entries


@lru_cache(maxsize=1024)
def _render_once(said: str, start: datetime, end: datetime, reading: str) -> str:
    """As text, both what is asked and what is answered: a schedule that stays as it is is asked about again and again."""
    return json.dumps(_render(json.loads(said), start, end, reading))


def _render(schedule: Json, start: datetime, end: datetime, reading: str) -> list[Json]:
    zone = ZoneInfo(schedule["time_zone"])
    cuts = sorted({start, end, *(cut for cut in _list_cuts(schedule, zone, start, end) if start < cut < end)})
    entries: list[Json] = []
    for begin, finish in pairwise(cuts):
        people = sorted(_people_at(schedule, zone, begin, reading))
        if people and entries and entries[-1]["people"] == people and entries[-1]["end"] == write_instant(begin):
            entries[-1]["end"] = write_instant(finish)
        elif people:
            entries.append({"start": write_instant(begin), "end": write_instant(finish), "people": people})
    return entries


def _people_at(schedule: Json, zone: ZoneInfo, moment: datetime, reading: str) -> set[str]:
    overriding = {one["person"] for one in schedule["overrides"] if _is_within(moment, one["start"], one["end"])}
    if overriding:
        return overriding
    local = moment.astimezone(zone).replace(tzinfo=None)
    alive = [one for one in schedule["rotations"] if _is_within(moment, one["since"], one["until"])]
    on = [_participant(rotation, local) for rotation in alive]
    people = [person for person in on if person]
    return set(people[:1] if reading == "stack" else people)


def _is_within(moment: datetime, start: str | None, end: str | None) -> bool:
    return (start is None or read_instant(start) <= moment) and (end is None or moment < read_instant(end))


def _participant(rotation: Json, local: datetime) -> str | None:
    if rotation["windows"] and not any(_is_open(window, local) for window in rotation["windows"]):
        return None
    passed = local - datetime.fromisoformat(rotation["anchor"])
    turn = passed // timedelta(seconds=rotation["turn_seconds"])
    person: str | None = rotation["participants"][turn % len(rotation["participants"])]
    return person


def _is_open(window: Json, local: datetime) -> bool:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    since_monday = local.weekday() * 86400 + (local - midnight).total_seconds()
    return bool((since_monday - _opening(window)) % WEEK < window["seconds"])


def _opening(window: Json) -> int:
    """Seconds from Monday's midnight."""
    hours, minutes, seconds = map(int, window["start"].split(":"))
    return int(window["day"] - 1) * 86400 + hours * 3600 + minutes * 60 + seconds


def _list_cuts(schedule: Json, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    yield from _zone_changes(zone, start, end)
    for one in schedule["overrides"]:
        yield from (read_instant(one["start"]), read_instant(one["end"]))
    for rotation in schedule["rotations"]:
        first = max([start, *(read_instant(text) for text in [rotation["since"]] if text)])
        last = min([end, *(read_instant(text) for text in [rotation["until"]] if text)])
        yield from (first, last)
        for local in _local_cuts(rotation, _to_local(first, zone), _to_local(last, zone)):
            yield from _instants(local, zone)


def _to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _instants(local: datetime, zone: ZoneInfo) -> set[datetime]:
    """Both instants of a time that happens twice. For one that never happens, two that do no harm."""
    return {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}


def _local_cuts(rotation: Json, first: datetime, last: datetime) -> Iterator[datetime]:
    """Starts of turns, starts and ends of windows, a day beyond both ends to be safe with changes of the zone."""
    first, last = first - timedelta(days=1), last + timedelta(days=1)
    yield from _repeat(datetime.fromisoformat(rotation["anchor"]), rotation["turn_seconds"], first, last)
    monday = datetime(2024, 1, 1)
    for window in rotation["windows"]:
        opens = monday + timedelta(seconds=_opening(window))
        yield from _repeat(opens, WEEK, first, last)
        yield from _repeat(opens + timedelta(seconds=window["seconds"]), WEEK, first, last)


def _repeat(origin: datetime, seconds: int, first: datetime, last: datetime) -> Iterator[datetime]:
    step = timedelta(seconds=seconds)
    moment = origin + step * ((first - origin) // step)
    while moment <= last:
        yield moment
        moment += step


def _zone_changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The instants at which the clock jumps, found by halving each quarter of a day whose ends differ."""
    moment, step = start, timedelta(hours=6)
    while moment < end:
        if moment.astimezone(zone).utcoffset() != (moment + step).astimezone(zone).utcoffset():
            yield _find_change(zone, moment, moment + step)
        moment += step


def _find_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        same = middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset()
        before, after = (middle, after) if same else (before, middle)
    return after.replace(microsecond=0)
