"""Weekly windows in words, as somebody would say them to the one who types them in."""

from collections.abc import Iterable, Iterator

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Window = tuple[int, str, int]
"""The day on which it opens (1 is Monday), the time of the day (HH:MM:SS), and how many seconds it is open."""


def describe_windows(windows: Iterable[Window]) -> Iterator[str]:
    """Windows of the same hours in one breath: `Monday to Friday from 09:00:00 to 17:00:00`."""
    windows = list(windows)
    for start, seconds in dict.fromkeys((start, seconds) for _, start, seconds in windows):
        days = [day for day, *hours in windows if hours == [start, seconds]]
        names = [DAYS[day - 1] for day in days]
        told = ", ".join(names)
        if len(days) == len(DAYS):
            told = "every day"
        elif len(days) > 2 and days == list(range(days[0], days[0] + len(days))):
            told = f"{names[0]} to {names[-1]}"
        yield f"{told} from {start} to {_format_end(days, start, seconds)}"


def _format_end(days: list[int], start: str, seconds: int) -> str:
    """By the wall clock, with the day where it is another one."""
    hours, minutes, rest = map(int, start.split(":"))
    later, second = divmod(hours * 3600 + minutes * 60 + rest + seconds, 86400)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    if later > 1 and len(days) == 1:
        return f"{DAYS[(days[0] - 1 + later) % 7]} {clock}"
    return clock + ("", " the next day")[later] if later < 2 else f"{clock}, {later} days later"
