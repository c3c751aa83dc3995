"""Beside the six steps: a night of shadow weeks, PagerDuty's incidents beside Harness's alerts. Writes to neither side."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.errors import (
    AnswerError,
    IncompleteFetchError,
    PdmigrateError,
    SettingsError,
    UnexplainedDifferenceError,
    UnreachableError,
    UsageError,
)
from pdmigrate.harness.alert_reading import list_alerts, read_timeline
from pdmigrate.harness.alert_records import Alert, Alerts, Timeline
from pdmigrate.harness.client import Harness
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pagerduty.client import PagerDuty
from pdmigrate.pagerduty.history import Happened, Row, Window, read_happened
from pdmigrate.pagerduty.history_reading import HistoryReader
from pdmigrate.pagerduty.window import whole_seconds
from pdmigrate.parity.parallel import SLACK, Night, Pair, compare_night, describe_feed
from pdmigrate.steps.draft import draft
from pdmigrate.steps.job import Job, records_step
from pdmigrate.steps.result import Result
from pdmigrate.wire.transport import MOST_ILL

STATE = "parallel"
"""What the last parallel run found, in numbers, as it stands in the workspace."""
EVENING, MORNING = time(20), time(8)
"""A night, by the clock of the account."""
TAIL = timedelta(hours=4)
"""So long after the night the course of its last pages is followed."""
LONGEST = timedelta(days=31)
WEEK = timedelta(days=7)


@dataclass(frozen=True, repr=False)
class ParallelRun(Result):
    """What was found of the time from since until until. alerts: those that were read. titles: whether they may be shown."""

    step = "parallel"
    draft: Draft
    happened: Happened
    alerts: Alerts
    night: Night
    since: datetime
    until: datetime
    titles: bool = True

    @property
    def zone(self) -> str:
        return self.draft.home_zone

    @property
    def error(self) -> PdmigrateError | None:
        found, feed = self.night.unexplained, self.night.feed
        if feed.state == "dead":
            return UnexplainedDifferenceError(self.describe_feed() + " Look at the subscription in PagerDuty.")
        if not found:
            return None
        shown = "; ".join(self.describe_pair(pair) for pair in found[:3])
        more = f"; and {len(found) - 3:,} more" if len(found) > 3 else ""
        words = format_number(len(found), "alert differs", "alerts differ")
        silent = f" {self.describe_feed()}" if feed.state == "silent" else ""
        return UnexplainedDifferenceError(
            f"{words}, and no decision says so: {shown}{more}.{silent} See the page parallel."
        )

    def summarise(self) -> dict[str, Any]:
        night, feed = self.night, self.night.feed
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "alerts": night.count(),
            "computed": night.count_computed(),
            "not_comparable": night.count_whys(),
            "matched_by": night.count_ways(),
            "unexplained": len(night.unexplained),
            "feed": {
                "state": feed.state,
                "expected": feed.expected,
                "came": feed.came,
                "missed": feed.missed,
                "last": feed.arrived.isoformat() if feed.arrived else "",
                "seconds_behind": feed.offset,
            },
        }

    def describe_feed(self) -> str:
        """What can be said of the feed."""
        arrived = self.night.feed.arrived
        return describe_feed(self.night.feed, format_local(arrived, self.zone) if arrived else "")

    def describe_pair(self, pair: Pair) -> str:
        """One of them in a sentence: which, when, and what differs."""
        service = self.draft.account.services.get(pair.service)
        began = pair.incident.created_at if pair.incident else pair.alert.created if pair.alert else self.since
        name = (
            f"incident {pair.incident.number or pair.incident.id}"
            if pair.incident
            else f"alert {pair.alert and pair.alert.id}"
        )
        of = f" of {service.name}" if service else ""
        return f"{name}{of}, {format_local(began, self.zone)}: {pair.reason}"


@records_step("parallel")
def parallel(job: Job, since: str = "", until: str = "", titles: bool = True) -> ParallelRun:
    """Put both systems' alerts of a time side by side: last night, or from since until until (ISO 8601, by the account's clock).

    Nothing of what is read is kept in the workspace but the numbers. titles: those of incidents may stand on the page.
    """
    source, target = job.source, job.target
    if source is None:
        raise SettingsError(
            "A parallel run asks PagerDuty what happened, and the source is a file: name an account in source."
        )
    if not isinstance(target, Harness):
        raise SettingsError("A parallel run reads Harness's alerts, and the target is none: name a project in target.")
    found = draft(job)
    now = whole_seconds(job.clock())
    start, end = choose_span(since, until, ZoneInfo(found.home_zone), now)
    whole = (start - SLACK, min(now, end + TAIL))
    happened = _read_source(source, list(found.account.all_schedules), whole)
    alerts = list_alerts(target, *whole)
    near = [one for one in alerts if start - SLACK <= one.created < end + SLACK]
    timelines = _read_timelines(target, near, job.progress.count)
    before = alerts.alerts[-1].created if alerts.alerts else _find_last(target, whole[0])
    night = compare_night(found, happened, near, timelines, (start, end), now, before)
    run = ParallelRun(found, happened, alerts, night, start, end, titles)
    job.workspace.save_state(STATE, run.summarise())
    return run


def _find_last(target: Harness, moment: datetime) -> datetime | None:
    """When Harness had its last alert, where that is not longer ago than a week."""
    earlier = list_alerts(target, moment - WEEK, moment).alerts
    return earlier[-1].created if earlier else None


def choose_span(since: str, until: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """What was asked for; without a word the latest night that is over. Raises UsageError for what cannot be read."""
    start, end = _read_moment(since, zone), _read_moment(until, zone)
    if end is None and start is None:
        today = now.astimezone(zone).date()
        over = datetime.combine(today, MORNING, zone) <= now
        last = today if over else today - timedelta(days=1)
        return (
            whole_seconds(datetime.combine(last - timedelta(days=1), EVENING, zone)),
            whole_seconds(datetime.combine(last, MORNING, zone)),
        )
    end = min(end or now, now)
    start = start or end - timedelta(hours=12)
    if not start < end <= start + LONGEST:
        raise UsageError(
            f"From {start.isoformat()} until {end.isoformat()} is no time that is over, or more than {LONGEST.days} days: mend --since or --until."
        )
    return whole_seconds(start), whole_seconds(end)


def _read_moment(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text} is no moment: write it as 2026-11-29T20:00, by the clock of {zone.key}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _read_source(source: PagerDuty, schedules: list[str], span: tuple[datetime, datetime]) -> Happened:
    """PagerDuty's incidents, their log, and who was on call by its own word."""
    reader = HistoryReader(source.transport)
    without: dict[str, list[Row]] = {"notifications": []}  # the log names who was notified, and when
    cut: dict[str, str] = {}
    try:
        window = reader.read(Window(*span, without), keys=True)
    except IncompleteFetchError:
        window = reader.read(Window(*span, without | {"log_entries": []}), keys=True)
        window.rows["log_entries"], cut = _read_logs(reader, window.rows.get("incidents", []))
    for kind in ("incidents", "log_entries"):
        if kind in reader.unread:
            raise IncompleteFetchError(f"Nothing can be compared: {reader.unread[kind]}")
    shown = (*span, source.read_renderings(*span, schedules))
    return read_happened([window], [shown], *span, reader.unread, cut)


def _read_logs(reader: HistoryReader, incidents: list[Row]) -> tuple[list[Row], dict[str, str]]:
    """The log incident by incident, where that of all could not be read whole; and why that of some could not."""
    rows: list[Row] = []
    cut: dict[str, str] = {}
    for incident in incidents:
        try:
            rows += reader.read_log(incident["id"])
        except IncompleteFetchError as error:
            cut[incident["id"]] = str(error)
    return rows, cut


def _read_timelines(
    target: Harness, alerts: list[Alert], count: Callable[[str, int, int], None]
) -> dict[str, Timeline]:
    """One that cannot be read is said at its alert. A side that is gone, or answers several in a row with errors, is everybody's."""
    found: dict[str, Timeline] = {}
    ill = 0
    for number, alert in enumerate(alerts, 1):
        try:
            found[alert.id], ill = read_timeline(target, alert.id), 0
        except (AnswerError, IncompleteFetchError, UnreachableError) as error:
            ill += isinstance(error, UnreachableError)
            if isinstance(error, UnreachableError) and (not error.status or ill >= MOST_ILL):
                raise
            found[alert.id] = Timeline(cut=str(error))
        count("Harness's timelines", number, len(alerts))
    return found
