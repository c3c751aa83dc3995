"""What goes into a schedule, lane by lane: PagerDuty's layers or events from the top, Harness's rotations."""

from zoneinfo import ZoneInfo

from pdmigrate.harness import records as harness
from pdmigrate.harness import rota as harness_rota
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.rota import make_rotation, read_entries
from pdmigrate.pagerduty.v3_records import ScheduleV3

MOST_LANES = 8
"""Of more than these the last ones share a lane, which says how many they are and what they are called."""

Lanes = list[tuple[str, tuple[rota.Rota, ...]]]


def source_lanes(schedule: Schedule | ScheduleV3, zone: ZoneInfo, start: int, end: int) -> Lanes:
    """(name, who would be on call by it alone) of what is alive in [start, end), by PagerDuty user id."""
    try:
        if isinstance(schedule, ScheduleV3):
            return _alive(_event_lanes(schedule, start, end))
        return _alive(_layer_lanes(schedule, zone, start, end))
    except (
        ValueError
    ):  # nobody can read a rule, or look at so many turns: the schedule is held, and that is said elsewhere
        return []


def target_lanes(schedule: harness.Schedule | None, start: int, end: int) -> Lanes:
    """The same of the target's rotations and overrides, by email."""
    if schedule is None:
        return []
    zone = ZoneInfo(schedule.time_zone)
    lanes = [(one.name, harness_rota.make_rotation(one).render(zone, start, end)) for one in schedule.rotations]
    stand_ins = harness_rota.render_schedule(schedule.model_copy(update={"rotations": ()}), start, end)
    return _alive([("Overrides", stand_ins), *lanes])


def _layer_lanes(schedule: Schedule, zone: ZoneInfo, start: int, end: int) -> list[tuple[str, rota.Rota]]:
    layers = [
        (layer.name or layer.id, make_rotation(layer, zone).render(zone, start, end))
        for layer in schedule.schedule_layers
    ]
    return [("Overrides", read_entries(schedule.overrides).clip(start, end)), *layers]


def _event_lanes(schedule: ScheduleV3, start: int, end: int) -> list[tuple[str, rota.Rota]]:
    bare = {"custom_shifts": (), "rotations": ()}
    alone = [
        (
            " / ".join(event.name or one.id for event in one.events),
            schedule.model_copy(update={**bare, "rotations": (one,)}),
        )
        for one in schedule.rotations
    ]
    custom = schedule.model_copy(update={**bare, "custom_shifts": schedule.custom_shifts})
    return [(n, rota_v3.render_schedule(one, start, end)) for n, one in [*alone, ("Custom shifts", custom)]]


def _alive(lanes: list[tuple[str, rota.Rota]]) -> Lanes:
    alive: Lanes = [(name, (who,)) for name, who in lanes if who.entries]
    if len(alive) <= MOST_LANES:
        return alive
    shown, rest = alive[: MOST_LANES - 1], alive[MOST_LANES - 1 :]
    more = f"{len(rest)} more: {', '.join(name for name, _ in rest)}"
    return [*shown, (more, tuple(who for _, alone in rest for who in alone))]
