"""The windows of time that PagerDuty is asked for. All in whole seconds: it answers with nothing to fractions of one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

OVERRIDES_AHEAD = timedelta(days=400)
"""Swaps are made months ahead."""


@dataclass(frozen=True)
class Window:
    """From since until until."""

    since: datetime
    until: datetime

    @property
    def params(self) -> dict[str, str]:
        return {"since": _format(self.since), "until": _format(self.until)}


def whole_seconds(moment: datetime) -> datetime:
    """PagerDuty answers with nothing where since and until have fractions of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def override_window(since: datetime) -> Window:
    """From the start of last month on: a fixed day, so that a running override looks the same tomorrow."""
    start = (since.replace(day=1, hour=0, minute=0, second=0) - timedelta(days=1)).replace(day=1)
    return Window(start, start + OVERRIDES_AHEAD + timedelta(days=62))


def _format(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
