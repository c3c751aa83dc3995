"""How long a migration takes: minutes for each piece of work, in one table. They are assumptions, and no measurement.

Whoever knows better says so in migration.yaml, e.g. `minutes: {sender: [5, 15]}`; the page Account survey reckons with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pdmigrate.errors import find_nearest


@dataclass(frozen=True)
class Effort:
    """One piece of work: what it is, whose hours they are, at least and at most so many minutes, and why."""

    what: str
    who: str
    low: int
    high: int
    why: str


WHO = CONSULTANT, TEAMS, EVERYONE = "consultant", "teams", "each person"
EFFORTS = {
    "start": Effort(
        "Keys, access and the first run", CONSULTANT, 120, 480, "once; most of it is waiting for who may give a key"
    ),
    "question": Effort(
        "Open questions", CONSULTANT, 3, 12, "read, ask whoever knows, answer; one answer may do for a whole class"
    ),
    "schedule": Effort("Schedules looked at", CONSULTANT, 3, 10, "both sides beside each other, with who is on it"),
    "schedule_by_hand": Effort("Schedules made by hand", CONSULTANT, 10, 30, "typed in from its file, and its preview"),
    "policy_by_hand": Effort("Policies made by hand", CONSULTANT, 5, 15, "typed in from its file, level by level"),
    "service_by_hand": Effort("Services given owner and rule", CONSULTANT, 4, 10, "owner, policy and an alert rule"),
    "team": Effort("Teams told, asked and signed off", TEAMS, 45, 120, "a meeting, questions, a test page, the go"),
    "sender": Effort("Senders re-pointed", TEAMS, 15, 60, "a change in the sender, and a test alert that is seen"),
    "dependent": Effort("Others that talk to PagerDuty", TEAMS, 20, 120, "find the owner; rebuild it, or retire it"),
    "stale": Effort("Things perhaps not needed", TEAMS, 1, 5, "somebody says that it may go"),
    "person": Effort("People with a new account", EVERYONE, 10, 20, "accept, install the app, hear a test page"),
}
"""A piece of work by its name in migration.yaml."""


def check_minutes(value: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Raises ValueError where a name is none of EFFORTS, or the range is none."""
    for name, (low, high) in value.items():
        if name not in EFFORTS:
            raise ValueError(f"no such work: {name}{find_nearest(name, EFFORTS)}; there are {', '.join(EFFORTS)}")
        if not 0 <= low <= high:
            raise ValueError(f"{name}: write the fewest minutes and the most, as [5, 15]")
    return value


def list_hours(
    counts: Mapping[str, int], minutes: Mapping[str, tuple[int, int]]
) -> list[tuple[Effort, int, tuple[int, int], tuple[float, float]]]:
    """Each piece of work that there is, with how many, the minutes for one, and the hours for all. counts: by name."""
    rows = []
    for name, effort in EFFORTS.items():
        number, (low, high) = counts.get(name, 0), minutes.get(name, (effort.low, effort.high))
        if number:
            rows.append((effort, number, (low, high), (number * low / 60, number * high / 60)))
    return rows
