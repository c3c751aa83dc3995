"""Overrides: each is a part of its schedule, carried over exactly or lost with a reason."""

import hashlib
from datetime import UTC, datetime

from pdmigrate.actions import Desired
from pdmigrate.harness.records import Override
from pdmigrate.journal import Entry
from pdmigrate.mapping.work import Work, exact
from pdmigrate.pagerduty import records


def map_overrides(work: Work) -> None:
    """Want every override of the schedules in scope that has not ended yet."""
    for schedule in work.in_scope("schedules", work.account.schedules):
        for entry in schedule.overrides:
            if entry.end > work.account.since:
                _map_override(work, schedule, entry)
    work.dropped = _find_dropped(work)


def override_key(schedule_id: str, entry: records.Entry) -> str:
    """The list of schedules gives overrides no id, and may cut their start: schedule, person and end tell them apart."""
    person = entry.user.id if entry.user else "nobody"
    end = entry.end.astimezone(UTC).isoformat()
    return f"{schedule_id}_{hashlib.sha256(f'{person} {end}'.encode()).hexdigest()[:12]}"


def _find_dropped(work: Work) -> list[Entry]:
    """What we wrote for a schedule that is carried over, has not ended, and is not in PagerDuty any more."""
    there = {override_key(s.id, entry) for s in work.account.schedules.values() for entry in s.overrides}
    ours = [entry for (kind, key), entry in work.ledger.items() if kind == "overrides" and key not in there]
    carried = set(work.schedules.values())
    now = work.account.since
    return [e for e in ours if e.synced["schedule"] in carried and datetime.fromisoformat(e.synced["end"]) > now]


def _map_override(work: Work, schedule: records.Schedule, entry: records.Entry) -> None:
    key = override_key(schedule.id, entry)
    name = f"{(entry.user.summary if entry.user else None) or 'nobody'} in {schedule.name}"
    identifier = work.schedules.get(schedule.id)
    email = work.emails.get(entry.user.id) if entry.user else None
    if identifier is None:
        open_question = any(h.key == schedule.id and h.open_question for h in work.held)
        work.lose("overrides", key, name, "its schedule is not carried over", open_question)
    elif email is None:
        open_question = entry.user is not None and entry.user.id in work.undecided
        work.lose("overrides", key, name, "the stand-in has neither account nor invitation", open_question)
    else:
        _want_override(work, schedule, entry, key, name, identifier, email)


def _want_override(
    work: Work, schedule: records.Schedule, entry: records.Entry, key: str, name: str, identifier: str, email: str
) -> None:
    start, end = entry.start.astimezone(UTC), entry.end.astimezone(UTC)
    override = Override(identifier=f"pd_{key}", person=email, start=start, end=end)
    fields = {"schedule": identifier, **override.model_dump(mode="json", exclude={"identifier"})}
    needs = (("schedules", schedule.id), ("users", entry.user.id))
    work.want(
        Desired("overrides", key, f"{identifier}/pd_{key}", name, fields, (key,), needs), exact("start", "end", "user")
    )
