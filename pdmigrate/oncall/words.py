"""Numbers, lengths and moments in words, the same on every page and in every sentence."""

from datetime import datetime
from zoneinfo import ZoneInfo

TURNS = ((7 * 86400, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_number(number: int, one: str, many: str = "") -> str:
    """A number and its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def format_turn(seconds: int) -> str:
    """The length of a turn in the largest unit that it is whole in."""
    size, word = next((size, word) for size, word in TURNS if seconds % size == 0)
    return format_number(seconds // size, word)


def format_seconds(seconds: int) -> str:
    """A length in its largest units, as many of them as are needed: `1 week 2 hours`."""
    told = []
    for size, word in TURNS:
        number, seconds = divmod(seconds, size)
        told += [format_number(number, word)] * bool(number)
    return " ".join(told) or "0 seconds"


def format_local(moment: datetime, zone: str) -> str:
    """A moment by the clock of a zone, which is named: `Mon 2 Nov 2026, 10:00 (Europe/Berlin)`. moment: aware."""
    local = moment.astimezone(ZoneInfo(zone))
    seconds = f":{local:%S}" if local.second else ""
    return (
        f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}, {local:%H:%M}{seconds} ({zone})"
    )
