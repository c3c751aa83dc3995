"""Random v2 schedules, and who is on call in them by a point function that shares nothing with the package."""

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

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
DAY, WEEK = 86_400, 604_800
TURNS = (WEEK, WEEK, 2 * WEEK, DAY, 2 * DAY, 3 * DAY, DAY // 2, 8 * 3600, 5400, 2700, 100_000, 604_801)
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
def schedules(draw):
    """A schedule as PagerDuty's API has it, up to four layers."""
    body = [draw(layers(number)) for number in range(draw(st.integers(1, 4)), 0, -1)]
    return {"id": "PS1", "name": "Random", "time_zone": draw(st.sampled_from(ZONES)), "schedule_layers": body}


def person_at(schedule, instant):
    """Who is on call at that second, straight from the facts: first layer from the top that has somebody."""
    clock = datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(schedule["time_zone"])).replace(tzinfo=None)
    for layer in schedule["schedule_layers"]:
        here = _turn_of(schedule, layer, clock) if _lives(layer, instant) and _is_open(layer, clock) else None
        if here:
            return here
    return None


def _lives(layer, instant):
    start = datetime.fromisoformat(layer["start"]).timestamp()
    return start <= instant and (not layer["end"] or instant < datetime.fromisoformat(layer["end"]).timestamp())


def _turn_of(schedule, layer, clock):
    if not layer["users"]:
        return None
    anchor = datetime.fromisoformat(layer["rotation_virtual_start"]).astimezone(ZoneInfo(schedule["time_zone"]))
    passed = clock - anchor.replace(tzinfo=None, fold=0)
    user = layer["users"][passed // timedelta(seconds=layer["rotation_turn_length_seconds"]) % len(layer["users"])]
    return None if user["user"].get("deleted_at") else user["user"]["id"]


def _is_open(layer, clock):
    return not layer["restrictions"] or any(_covers(one, clock) for one in layer["restrictions"])


def _covers(restriction, clock):
    """Whether a window that opened on one of the eight days up to this one is still open."""
    opened = datetime.strptime(restriction["start_time_of_day"], "%H:%M:%S").time()
    for back in range(9):
        day = clock.date() - timedelta(days=back)
        if restriction["type"] == "daily_restriction" or day.isoweekday() == restriction["start_day_of_week"]:
            since = datetime.combine(day, opened)
            if since <= clock < since + timedelta(seconds=restriction["duration_seconds"]):
                return True
    return False


def all_edges(rotas):
    """Every instant at which one of them changes, and the second before it."""
    edges = {edge for rota in rotas for start, end, _ in rota.entries for edge in (start, end)}
    return sorted(edge - back for edge, back in product(edges, (0, 1)))
