"""Harness's rotations as rotas, by the rules of docs/oncall-contract.md."""

from zoneinfo import ZoneInfo

from pdmigrate.harness.records import Coverage, Rotation, Schedule, Window
from pdmigrate.oncall import rota


def render_schedule(schedule: Schedule, start: int, end: int, stacked: bool = False) -> rota.Rota:
    """Who is on call in [start, end). People are emails. Rotations are joined, or, with `stacked`, the first wins."""
    zone = ZoneInfo(schedule.time_zone)
    rotations = [make_rotation(rotation).render(zone, start, end) for rotation in schedule.rotations]
    base = rota.stack(rotations) if stacked else rota.join(rotations)
    overrides = rota.join(  # two that overlap are both on call: people may write such ones, pdmigrate never does
        [rota.make_rota([(rota.to_instant(o.start), rota.to_instant(o.end), (o.person,))]) for o in schedule.overrides]
    )
    return rota.stack([overrides.clip(start, end), base])


def read_coverage(coverage: tuple[Coverage, ...]) -> rota.Rota:
    """The target's own answer as a rota."""
    return rota.make_rota((rota.to_instant(c.start), rota.to_instant(c.end), c.people) for c in coverage)


def make_rotation(rotation: Rotation) -> rota.Roster:
    return rota.Roster(
        participants=rotation.participants,
        anchor=rota.to_naive(rotation.anchor),
        turn=rotation.turn_seconds,
        week=rota.week_spans(map(_read_window, rotation.windows)) if rotation.windows else None,
        since=rota.to_instant(rotation.since) if rotation.since else None,
        until=rota.to_instant(rotation.until) if rotation.until else None,
    )


def write_windows(week: tuple[rota.Span, ...] | None) -> tuple[Window, ...]:
    """The open spans of a week as windows; none means always open. The turn of the week joins one window, not two."""
    if week is None:
        return ()
    spans = list(week)
    if len(spans) > 1 and spans[0][0] == 0 and spans[-1][1] == rota.WEEK:
        spans[-1] = (spans[-1][0], rota.WEEK + spans.pop(0)[1])
    windows = []
    for start, end in spans:
        day, second = divmod(start, rota.DAY)
        clock = f"{second // 3600:02}:{second % 3600 // 60:02}:{second % 60:02}"
        windows.append(Window(day=day + 1, start=clock, seconds=end - start))
    return tuple(windows)


def _read_window(window: Window) -> rota.Span:
    hours, minutes, seconds = map(int, window.start.split(":"))
    return (window.day - 1) * rota.DAY + hours * 3600 + minutes * 60 + seconds, window.seconds
