"""Evidence: PagerDuty's own rendering of other windows than the horizon, asked for around changes of the clock."""

from pydantic import ValidationError

from pdmigrate.pagerduty.records import Moment, Rendered
from pdmigrate.pagerduty.v3_records import FinalSchedule


class Rendering(Rendered, FinalSchedule):
    """What was shown from `since` until `until`: entries of a layer-based schedule, or shifts of a shift-based one."""

    since: Moment
    until: Moment


def read_renderings(rows: dict[str, list[dict]]) -> dict[str, tuple[Rendering, ...]]:
    """Evidence by schedule id. What cannot be read is no evidence."""
    found: dict[str, tuple[Rendering, ...]] = {}
    for id, shown in rows.items():
        try:
            found[id] = tuple(Rendering.model_validate(row) for row in shown)
        except ValidationError:
            continue
    return found
