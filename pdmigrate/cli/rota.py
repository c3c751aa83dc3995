"""`rota`: who is on call by one schedule, as PagerDuty's API answers it, rendered by its rules alone."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import click
from pydantic import ValidationError

from pdmigrate.cli.program import FOLDER, command
from pdmigrate.errors import UsageError
from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone, suggest_zones
from pdmigrate.pagerduty import rota_v3
from pdmigrate.pagerduty.records import Schedule
from pdmigrate.pagerduty.rota import find_foreign, render_schedule
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.steps.rota_files import print_rota
from pdmigrate.wire.json_text import OF_ANSWER, JsonError, read_json
from pdmigrate.workspace.states import read_within


@command("rota", "pdmigrate rota schedule.json --from 2026-12-24T09:00 --to 2026-12-26T09:00 --zone Europe/Berlin")
@click.argument("file", type=FOLDER, metavar="FILE", help="The body of GET /schedules/ID or /v3/schedules/ID.")
@click.option("--from", "start", required=True, metavar="T", help="As 2026-12-24T09:00, or with an offset.")
@click.option("--to", "end", required=True, metavar="T", help="The same, later.")
@click.option("--zone", metavar="Z", show_default="the schedule's", help="Print times in this zone.")
def run_rota(file: Path, start: str, end: str, zone: str | None) -> int:
    """Print who is on call by one schedule, as CSV.

    Rendered from PagerDuty's answer by its rules alone; doubts go to stderr.
    """
    for doubt in print_on_call(file, start, end, zone, sys.stdout):
        print(doubt, file=sys.stderr)
    return 0


def print_on_call(path: Path, start: str, end: str, zone: str | None, file: TextIO) -> list[str]:
    """Print who is on call from `start` to `end` as CSV, in `zone` (the schedule's own unless said).

    The file is the body of `GET /schedules/{id}` or `GET /v3/schedules/{id}`. Overrides are applied where they are in it;
    PagerDuty's own rendering is not used. Times without an offset are meant in the zone that is printed. Returns what
    is to be said of it beside. Raises UsageError for anything that cannot be used.
    """
    schedule = read_schedule(path)
    own = _find_zone(schedule.time_zone, f"time_zone in {path.name}")
    shown = _find_zone(zone, "--zone") if zone else own
    span = (_read_time(start, shown, "--from"), _read_time(end, shown, "--to"))
    if span[0] >= span[1]:
        raise UsageError("--to must be later than --from.")
    try:
        if isinstance(schedule, ScheduleV3):
            who = rota_v3.render_schedule(schedule, *span)
        else:
            who = render_schedule(schedule, own, *span)
    except ValueError as error:
        raise UsageError(f"{path.name}: {error}.") from None
    print_rota(file, who, shown.key)
    return describe_doubts(schedule)


def read_schedule(path: Path) -> Schedule | ScheduleV3:
    """The schedule in a file, of either kind. Raises UsageError where there is none."""
    try:
        body = read_json(read_within(path, OF_ANSWER.size), OF_ANSWER)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except JsonError as error:
        raise UsageError(
            f"{path.name} is not JSON that can be used ({error}): save the body of GET /schedules/ID as it came."
        ) from None
    row = body.get("schedule", body) if isinstance(body, dict) else None
    if not isinstance(row, dict) or not ("schedule_layers" in row or "rotations" in row):
        raise UsageError(f"{path.name} holds no schedule with layers or rotations: save the body of GET /schedules/ID.")
    row = {**row, "final_schedule": None}
    try:
        return ScheduleV3.model_validate(row) if "rotations" in row else Schedule.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path.name} cannot be used: {place}: {first['msg']}.") from None


def describe_doubts(schedule: Schedule | ScheduleV3) -> list[str]:
    """Sentences about what the file does not hold, and about windows that are not in the schedule's zone."""
    parts = ", ".join(part.removesuffix("_subschedule").replace("_", " ") for part in schedule.unread)
    said = [f"Not in the file, and so not applied: {parts} (save it with since and until)."] if parts else []
    foreign = find_foreign(schedule.time_zone, getattr(schedule, "schedule_layers", ()))
    if foreign is not None:
        said.append(
            f"The file was written in another zone than {schedule.time_zone} ({foreign.isoformat()}), and so are its "
            "windows, most likely: save GET /schedules/ID, which writes in the schedule's own."
        )
    return said


def _find_zone(name: str, what: str) -> ZoneInfo:
    iana = read_zone(name).iana
    if iana is None:
        near = ", ".join(suggest_zones(name)) or "nothing like it"
        raise UsageError(f"{what}: nobody knows the time zone {name!r} (similar: {near}).")
    return ZoneInfo(iana)


def _read_time(text: str, zone: ZoneInfo, what: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{what} {text!r} is no time: write it as 2026-12-24T09:00 or with an offset.") from None
    return rota.to_instant(moment if moment.tzinfo else moment.replace(tzinfo=zone))
