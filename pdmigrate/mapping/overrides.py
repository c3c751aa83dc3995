"""Overrides: each is a part of its schedule, carried over exactly or lost with a reason."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from pdmigrate import rota
from pdmigrate.actions import Desired
from pdmigrate.harness.records import Override
from pdmigrate.journal import Entry
from pdmigrate.mapping.work import Fate, Work, exact
from pdmigrate.pagerduty import records


def map_overrides(work: Work) -> None:
    """Want every override of the schedules in scope that has not ended yet."""
    for schedule in work.in_scope("schedules", work.account.schedules):
        for entry, spans in cut_overrides(schedule.overrides):
            if entry.end > work.account.since:
                _map_override(work, schedule, entry, spans)
    work.dropped = _find_dropped(work)


def cut_overrides(entries: tuple[records.Entry, ...]) -> Iterator[tuple[records.Entry, tuple[rota.Span, ...]]]:
    """Each with what is left of it: in PagerDuty a later one wins, in Harness both people would be on call.

    One whose stand-in was deleted takes nothing from the others: nobody stands in.
    """
    spans = [(rota.to_instant(entry.start), rota.to_instant(entry.end)) for entry in entries]
    stands = [entry.user is not None and not entry.user.deleted_at for entry in entries]
    for number, entry in enumerate(entries):
        later = [spans[other] for other in range(number + 1, len(entries)) if stands[other]]
        yield entry, rota.subtract_spans([spans[number]], later)


def override_key(schedule_id: str, entry: records.Entry) -> str:
    """The list of schedules gives overrides no id, and may cut their start: schedule, person and end tell them apart."""
    person = entry.user.id if entry.user else "nobody"
    end = entry.end.astimezone(UTC).isoformat()
    return f"{schedule_id}_{hashlib.sha256(f'{person} {end}'.encode()).hexdigest()[:12]}"


def _find_dropped(work: Work) -> list[Entry]:
    """What we wrote for a schedule that is carried over, has not ended, and is not in PagerDuty any more.

    Where the overrides of a schedule were not read, nobody knows which of them are gone: none is taken back.
    """
    there = {override_key(s.id, entry) for s in work.account.schedules.values() for entry in s.overrides}
    there |= {wish.key for wish in work.desired if wish.kind == "overrides"}
    ours = [entry for (kind, key), entry in work.ledger.items() if kind == "overrides" and key not in there]
    carried = {place for id, place in work.schedules.items() if not work.account.all_schedules[id].unread}
    now = work.account.since
    return [e for e in ours if e.synced["schedule"] in carried and datetime.fromisoformat(e.synced["end"]) > now]


def _map_override(work: Work, schedule: records.Schedule, entry: records.Entry, spans: tuple[rota.Span, ...]) -> None:
    key = override_key(schedule.id, entry)
    name = f"{(entry.user.summary if entry.user else None) or 'nobody'} in {schedule.name}"
    identifier = work.schedules.get(schedule.id)
    email = work.emails.get(entry.user.id) if entry.user else None
    if identifier is None:
        open_question = any(h.key == schedule.id and h.open_question for h in work.held)
        work.lose("overrides", key, name, "its schedule is not carried over", open_question)
    elif email is None:
        open_question = entry.user is not None and entry.user.id in work.undecided
        work.lose("overrides", key, name, _tell_missing(work, entry), open_question)
    elif not spans:
        work.fates.append(Fate("overrides", key, name, "changed", "others that were made later take all of its time"))
    else:
        for number, span in enumerate(spans, 1):
            _want_override(work, schedule, entry, (key, number), span, name, identifier, email)


def _tell_missing(work: Work, entry: records.Entry) -> str:
    if entry.user and entry.user.id in work.nobodies:
        return "its stand-in is nobody by decision, and an override of Harness names a person: those hours would page"
    return "the stand-in has neither account nor invitation"


def _want_override(
    work: Work, schedule: records.Schedule, entry: records.Entry, part: tuple[str, int], span: rota.Span, *where: str
) -> None:
    """One piece of it; further pieces have keys of their own, and stand for no object of the source."""
    (key, number), (name, identifier, email) = part, where
    own = key if number == 1 else f"{key}_{number}"
    start, end = (rota.to_datetime(edge) for edge in span)
    override = Override(identifier=f"pd_{own}", person=email, start=start, end=end)
    fields = {"schedule": identifier, **override.model_dump(mode="json", exclude={"identifier"})}
    needs = (("schedules", schedule.id), ("users", entry.user.id))
    sources = (key,) if number == 1 else ()
    wish = Desired("overrides", own, f"{identifier}/pd_{own}", name, fields, sources, needs)
    work.want(wish, exact("start", "end", "user"))
