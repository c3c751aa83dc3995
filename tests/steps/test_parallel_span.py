"""Which night is meant: the latest that is over, or what was asked for, by the account's clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from shadow_night import NOW, SINCE, UNTIL

from pdmigrate.steps.parallel import choose_span


@pytest.mark.parametrize(
    "now, night",
    [
        (
            "2026-03-08T14:00+00:00",
            ("2026-03-08T01:00:00+00:00", "2026-03-08T12:00:00+00:00"),
        ),  # the clock goes forward
        ("2026-03-09T11:59+00:00", ("2026-03-08T01:00:00+00:00", "2026-03-08T12:00:00+00:00")),
        ("2026-03-09T12:00+00:00", ("2026-03-09T00:00:00+00:00", "2026-03-09T12:00:00+00:00")),
    ],
)
def test_last_night_is_the_latest_that_is_over_by_the_accounts_clock(now, night):
    span = choose_span("", "", ZoneInfo("America/New_York"), datetime.fromisoformat(now))
    assert tuple(moment.isoformat() for moment in span) == night


def test_what_was_asked_for_is_by_the_accounts_clock_and_never_in_the_future():
    zone = ZoneInfo("America/New_York")
    assert choose_span("2025-10-06T20:00", "2025-10-07T08:00", zone, NOW) == (SINCE, UNTIL)
    assert choose_span("2025-10-06T20:00", "2025-10-09T08:00", zone, NOW) == (SINCE, NOW)
    assert choose_span("", "2025-10-07T08:00", zone, NOW) == (SINCE, UNTIL)
