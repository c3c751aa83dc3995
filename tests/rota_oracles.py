"""Who is on call at a second, straight from what the APIs hold: PagerDuty's v2 and v3 schedules, and Harness's as written.

Point functions on whole seconds, with every instant at which the answer could change. They share nothing with pdmigrate,
nor with the embedded pair.
"""

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr

DAY, WEEK = 86_400, 604_800
MONDAY = 345_600
EPOCH = datetime(1970, 1, 1)


def stamp(text):
    return int(datetime.fromisoformat(text).timestamp())


@lru_cache
def list_changes(name, first, last):
    """When the zone's clock is set between those years, and how far it is ahead of UTC before and after."""
    zone = ZoneInfo(name)
    hours = range(
        int(datetime(first, 1, 1, tzinfo=UTC).timestamp()), int(datetime(last, 1, 1, tzinfo=UTC).timestamp()), 21_600
    )
    ahead = [_ahead(zone, t) for t in hours]
    changes, offsets = [], [ahead[0]]
    for n in range(1, len(ahead)):
        if ahead[n] != ahead[n - 1]:
            quarters = range(hours[n - 1], hours[n] + 1, 900)
            changes.append(next(t for t in quarters if _ahead(zone, t) == ahead[n]))
            offsets.append(ahead[n])
    return changes, offsets


def _ahead(zone, t):
    return int(datetime.fromtimestamp(t, zone).utcoffset().total_seconds())


class Clock:
    """A zone's wall clock, in seconds since Monday 1970-01-05 00:00."""

    def __init__(self, zone):
        self.changes, self.offsets = list_changes(zone, 2010, 2040)
        self.zone = ZoneInfo(zone)

    def offset(self, instant):
        return self.offsets[bisect_right(self.changes, instant)]

    def shows(self, instant):
        return instant + self.offset(instant) - MONDAY

    def read(self, text):
        """What the clock shows at an instant that the API gives."""
        return int(datetime.fromisoformat(text).astimezone(self.zone).replace(tzinfo=UTC).timestamp()) - MONDAY

    def instants(self, shown, near):
        """When the clock shows that: never, once or twice. near: the offsets that it may have then."""
        found = [(shown + MONDAY - offset, offset) for offset in near]
        return [instant for instant, offset in found if self.offset(instant) == offset]

    def near(self, start, end):
        """The offsets in that time."""
        first, last = bisect_right(self.changes, start - DAY), bisect_right(self.changes, end + DAY)
        return set(self.offsets[first : last + 1])


class Stack:
    """A PagerDuty v2 schedule: a stand-in, else the first layer from the top with somebody."""

    def __init__(self, schedule):
        self.clock = Clock(schedule["time_zone"])
        self.layers = [self._read(layer) for layer in schedule["schedule_layers"]]
        shown = schedule.get("overrides_subschedule", {}).get("rendered_schedule_entries", [])
        self.overrides = [(stamp(one["start"]), stamp(one["end"]), one["user"]["id"]) for one in shown]

    def people_at(self, instant):
        standing_in = [who for start, end, who in self.overrides if start <= instant < end]
        if standing_in:
            return frozenset([standing_in[-1]])
        shown = self.clock.shows(instant)
        person = next((who for layer in self.layers if (who := _ask(layer, instant, shown))), None)
        return frozenset([person] if person else [])

    def edges(self, start, end):
        found = {edge for begin, finish, _ in self.overrides for edge in (begin, finish)}
        return _find_edges(self.clock, self.layers, found, start, end)

    def _read(self, layer):
        return {
            "since": stamp(layer["start"]),
            "until": stamp(layer["end"]) if layer["end"] else None,
            "anchor": self.clock.read(layer["rotation_virtual_start"]),
            "turn": layer["rotation_turn_length_seconds"],
            "people": [None if one["user"].get("deleted_at") else one["user"]["id"] for one in layer["users"]],
            "windows": [_read_restriction(one) for one in layer["restrictions"]],
        }


class Written:
    """A schedule as Harness has it: rotations joined or stacked, an override in place of everybody."""

    def __init__(self, schedule):
        self.clock = Clock(schedule["time_zone"])
        self.rotations = [self._read(one) for one in schedule["rotations"]]
        self.overrides = [(stamp(one["start"]), stamp(one["end"]), one["person"]) for one in schedule["overrides"]]

    def people_at(self, instant, stacked=False):
        standing_in = [_name(who) for start, end, who in self.overrides if start <= instant < end]
        if standing_in:
            return frozenset(standing_in)
        shown = self.clock.shows(instant)
        people = [_name(who) for one in self.rotations if (who := _ask(one, instant, shown))]
        return frozenset(people[:1] if stacked else people)

    def edges(self, start, end):
        found = {edge for begin, finish, _ in self.overrides for edge in (begin, finish)}
        return _find_edges(self.clock, self.rotations, found, start, end)

    def _read(self, one):
        return {
            "since": stamp(one["since"]) if one["since"] else None,
            "until": stamp(one["until"]) if one["until"] else None,
            "anchor": int((datetime.fromisoformat(one["anchor"]) - EPOCH).total_seconds()) - MONDAY,
            "turn": one["turn_seconds"],
            "people": one["participants"],
            "windows": [(WEEK, (w["day"] - 1) * DAY + _seconds(w["start"]), w["seconds"]) for w in one["windows"]],
        }


class Events:
    """A PagerDuty v3 schedule: the occurrences of every rule by dateutil, each from its first, and who is on in them."""

    def __init__(self, schedule, last):
        self.shifts = [
            (start, end, who, one["id"])
            for one in schedule["rotations"]
            for event in one["events"]
            for start, end, who in _list_event(event, last)
        ]
        for one in schedule["custom_shifts"]:
            who = [given["member"].get("user_id") for given in one["assignments"]]
            self.shifts += [(stamp(one["start_time"]), stamp(one["end_time"]), person, one["id"]) for person in who]
        for override in schedule["overrides"]:
            self.shifts = [piece for shift in self.shifts for piece in _stand_in(shift, override)]
        self.shifts.sort(key=lambda shift: shift[:2])
        self.starts = [shift[0] for shift in self.shifts]
        self.longest = max((end - start for start, end, _, _ in self.shifts), default=0)

    def people_at(self, instant):
        first, last = bisect_left(self.starts, instant - self.longest), bisect_right(self.starts, instant)
        return frozenset(who for _, end, who, _ in self.shifts[first:last] if who and instant < end)

    def edges(self, start, end):
        first, last = bisect_left(self.starts, start - self.longest), bisect_right(self.starts, end)
        return {edge for shift in self.shifts[first:last] for edge in shift[:2] if start <= edge <= end}


def _list_event(event, last):
    zone = ZoneInfo(event["start_time"]["time_zone"])
    begin, finish = (
        datetime.fromisoformat(event[name]["date_time"]).astimezone(zone).replace(tzinfo=None)
        for name in ("start_time", "end_time")
    )
    since, until = (
        stamp(event["effective_since"]),
        stamp(event["effective_until"]) if event["effective_until"] else None,
    )
    strategy, people = event["assignment_strategy"], [m.get("user_id") for m in event["assignment_strategy"]["members"]]
    for number, start in enumerate(_list_starts(event, begin, zone, last)):
        first, end = (int(t.replace(tzinfo=zone).timestamp()) for t in (start, start + (finish - begin)))
        first, end = max(first, since), end if until is None else min(end, until)
        per = strategy["shifts_per_member"]
        for who in [people[number // per % len(people)]] if per else people:
            if first < end:
                yield first, end, who


def _list_starts(event, begin, zone, last):
    rule, *dates = event["recurrence"]
    local = lambda text: datetime.fromisoformat(text).astimezone(zone).replace(tzinfo=None)  # noqa: E731
    if "UNTIL=" in rule:
        text = rule.partition("UNTIL=")[2][:16]
        rule = rule.replace(text, f"{local(text):%Y%m%dT%H%M%S}")
    whole = rruleset()
    whole.rrule(rrulestr(rule, dtstart=begin))
    for line in dates:
        head, _, text = line.partition(":")
        if "VALUE=DATE" in head:
            continue
        moment = local(text) if text.endswith("Z") else datetime.fromisoformat(text)
        if "TZID=" in head:
            moment = moment.replace(tzinfo=ZoneInfo(head.partition("TZID=")[2])).astimezone(zone).replace(tzinfo=None)
        (whole.exdate if head.startswith("EXDATE") else whole.rdate)(moment)
    end = datetime.fromtimestamp(last, zone).replace(tzinfo=None) + timedelta(days=1)
    return islice(takewhile(lambda one: one < end, whole), 200_000)


def _stand_in(shift, override):
    start, end, who, source = shift
    first, last = max(start, stamp(override["start_time"])), min(end, stamp(override["end_time"]))
    if source != override["rotation_id"] or who != override["overridden_member"].get("user_id") or first >= last:
        return [shift]
    other = override["overriding_member"].get("user_id")
    pieces = [(start, first, who, source), (first, last, other, source), (last, end, who, source)]
    return [piece for piece in pieces if piece[0] < piece[1]]


def _ask(one, instant, shown):
    if (one["since"] is not None and instant < one["since"]) or (one["until"] is not None and instant >= one["until"]):
        return None
    if not one["people"]:
        return None
    if one["windows"] and not any((shown - opened) % often < length for often, opened, length in one["windows"]):
        return None
    return one["people"][(shown - one["anchor"]) // one["turn"] % len(one["people"])]


def _find_edges(clock, many, found, start, end):
    found = {start, end, *found, *clock.changes}
    near = clock.near(start, end)
    for one in many:
        found |= {edge for edge in (one["since"], one["until"]) if edge is not None}
        first = max(start, start if one["since"] is None else one["since"])
        last = min(end, end if one["until"] is None else one["until"])
        if first < last:
            clocks = _list_clocks(one, clock.shows(first) - DAY, clock.shows(last) + DAY)
            found |= {instant for shown in clocks for instant in clock.instants(shown, near)}
    return {edge for edge in found if start <= edge <= end}


def _list_clocks(one, first, last):
    repeats = [(one["turn"], one["anchor"])] if len(set(one["people"])) > 1 else []
    repeats += [(often, at) for often, opened, length in one["windows"] for at in (opened, opened + length)]
    for often, at in repeats:
        yield from range(first + (at - first) % often, last, often)


def _read_restriction(restriction):
    opened, length = _seconds(restriction["start_time_of_day"]), restriction["duration_seconds"]
    if restriction["type"] == "daily_restriction":
        return DAY, opened, length
    return WEEK, (restriction["start_day_of_week"] - 1) * DAY + opened, length


def _seconds(text):
    return sum(int(part) * size for part, size in zip(text.split(":"), (3600, 60, 1), strict=False))


def _name(email):
    return email.partition("@")[0]
