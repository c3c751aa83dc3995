"""Overrides: each is a part of its schedule, carried over exactly, or held with a question or an answer behind it.

Those of shift-based schedules, and their custom shifts, are written into the rotations: here they are only counted.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pdmigrate.harness.records import Override
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, Outcome, Stop, exact, read_stop
from pdmigrate.oncall import rota
from pdmigrate.pagerduty import records
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.actions import Desired, LedgerEntry
from pdmigrate.plan.values import describe_unusable

COVERED = "others that were made later take all of its time"
DATED = "written as a dated shift of the schedule"
NOT_CARRIED = "its schedule is not carried over"
KEY = re.compile(r"(?P<base>(?P<stem>.*_[0-9a-f]{12})(_s(?P<start>\d+))?)(_\d+)?")
"""Stem (schedule, person, end), start, and the number of a piece. Before, keys had no start."""

Known = dict[str, dict[str, int]]
"""What earlier runs have written: stem to the keys of overrides, each with its start."""


def map_overrides(mapped: Mapped) -> None:
    """Want every override of the schedules in scope that has not ended yet. Fills `mapped.dropped`."""
    known, held = read_known(mapped.ledger), set()
    for schedule in mapped.in_scope("schedules"):
        if isinstance(schedule, ScheduleV3):
            _count_shifts(mapped, schedule)
        else:
            held |= _map_schedule(mapped, schedule, known)
    mapped.dropped = _find_dropped(mapped, held)


def count_overrides(schedule: records.Schedule | ScheduleV3, since: datetime) -> int:
    """Overrides and custom shifts that have not ended."""
    if isinstance(schedule, ScheduleV3):
        ends = (*(one.end_time for one in schedule.overrides), *(one.end_time for one in schedule.custom_shifts))
        return sum(end > since for end in ends)
    return sum(entry.end > since for entry in schedule.overrides)


def cut_overrides(
    entries: tuple[records.RenderedEntry, ...],
) -> Iterator[tuple[records.RenderedEntry, tuple[rota.Span, ...]]]:
    """Each with what is left of it: in PagerDuty a later one wins, in Harness both people would be on call.

    One whose stand-in was deleted takes nothing from the others: nobody stands in.
    """
    taken: list[rota.Span] = []
    left = []
    for entry in reversed(entries):
        span = (rota.to_instant(entry.start), rota.to_instant(entry.end))
        first, last = _find_touched(taken, span)
        left.append(rota.subtract_spans([span], taken[first:last]))
        if entry.user is not None and not entry.user.deleted_at:
            taken[first:last] = rota.merge_spans([*taken[first:last], span])
    return zip(entries, reversed(left), strict=True)


def _find_touched(taken: list[rota.Span], span: rota.Span) -> tuple[int, int]:
    """The slice of spans, in order and apart, that the span touches."""
    first = max(0, bisect_left(taken, span) - 1)
    while first < len(taken) and taken[first][1] < span[0]:
        first += 1
    last = first
    while last < len(taken) and taken[last][0] <= span[1]:
        last += 1
    return first, last


# --- keys ---


def override_key(schedule_id: str, entry: records.RenderedEntry) -> str:
    """The list of schedules gives overrides no id: schedule, person, end and start tell them apart."""
    return f"{_stem(schedule_id, entry)}_s{rota.to_instant(entry.start)}"


def name_piece(key: str, number: int) -> str:
    """The key of a piece of an override, counted from 1: the first has the override's own."""
    return key if number == 1 else f"{key}_{number}"


def key_overrides(schedule: records.Schedule, known: Known, now: datetime) -> list[str]:
    """The key of each override, in their order: the one under which an earlier run has written it, else its own.

    Earlier keys had no start, and PagerDuty's list cuts the start of a long one to the start of the last month: so one
    that has begun is known by its person and its end.
    """
    entries, begun = schedule.overrides, rota.to_instant(now)
    stems = [_stem(schedule.id, entry) for entry in entries]
    left = {stem: dict(known[stem]) for stem in stems if stem in known}
    keys: dict[int, str] = {}
    for fits in (_has_its_start, _may_be_it):
        for number, (stem, entry) in enumerate(zip(stems, entries, strict=True)):
            found = (key for key, start in left.get(stem, {}).items() if fits(entry, start, begun))
            if number not in keys and (key := next(found, None)):
                keys[number] = key
                del left[stem][key]
    return [keys.get(number) or override_key(schedule.id, entry) for number, entry in enumerate(entries)]


def _has_its_start(entry: records.RenderedEntry, start: int, now: int) -> bool:
    return rota.to_instant(entry.start) == start


def _may_be_it(entry: records.RenderedEntry, start: int, now: int) -> bool:
    """Both have begun, or a first piece of it was written that begins later."""
    own = rota.to_instant(entry.start)
    return max(own, start) <= now or own <= start < rota.to_instant(entry.end)


def _stem(schedule_id: str, entry: records.RenderedEntry) -> str:
    person = entry.user.id if entry.user else "nobody"
    end = entry.end.astimezone(UTC).isoformat()
    return f"{schedule_id}_{hashlib.sha256(f'{person} {end}'.encode()).hexdigest()[:12]}"


def read_known(ledger: dict[tuple[str, str], LedgerEntry]) -> Known:
    """The keys of the overrides that the ledger has, as `key_overrides` wants them."""
    known: Known = {}
    for (kind, key), entry in sorted(ledger.items()):
        found = KEY.fullmatch(key) if kind == "overrides" else None
        if found:
            start = found["start"] or rota.to_instant(datetime.fromisoformat(entry.synced["start"]))
            known.setdefault(found["stem"], {}).setdefault(found["base"], int(start))
    return known


def _find_dropped(mapped: Mapped, held: set[str]) -> list[LedgerEntry]:
    """What we wrote for the schedules in scope, is wanted no more, and pages somebody still.

    Cancelled, or covered by a later one. What is held in the meantime stays as it is, and so do schedules that the
    source does not show: whatever is held itself, its overrides are known. Where the overrides of a schedule were not
    read, nobody knows which of them are gone: none is taken back.
    """
    wanted = {wish.key for wish in mapped.desired if wish.kind == "overrides"}
    read = [id for id in mapped.scope["schedules"] if id in mapped.account.all_schedules]
    read = [id for id in read if not mapped.account.all_schedules[id].unread]
    written = {id: mapped.known("schedules", id) for id in read}
    schedules = {mapped.schedules.get(id) or (entry.identifier if entry else None) for id, entry in written.items()}
    ours = [entry for (kind, _), entry in mapped.ledger.items() if kind == "overrides" and entry.key not in wanted]
    return [e for e in ours if e.synced["schedule"] in schedules and _base(e.key) not in held and _is_on(mapped, e)]


def _base(key: str) -> str:
    found = KEY.fullmatch(key)
    return found["base"] if found else key


def _is_on(mapped: Mapped, entry: LedgerEntry) -> bool:
    """Not over yet: as we wrote it, or as somebody has lengthened it since."""
    there = mapped.state.overrides.get(entry.identifier)
    ends = [datetime.fromisoformat(entry.synced["end"]), *([there.end] if there else [])]
    return max(ends) > mapped.account.since


# --- what becomes of each ---


def _map_schedule(mapped: Mapped, schedule: records.Schedule, known: Known) -> set[str]:
    """Returns the keys of those that are held."""
    keys, held, now = key_overrides(schedule, known, mapped.account.since), set(), rota.to_instant(mapped.account.since)
    not_carried = None if schedule.id in mapped.schedules else mapped.stop_behind("schedules", schedule.id, NOT_CARRIED)
    for key, (entry, spans) in zip(keys, cut_overrides(schedule.overrides), strict=True):
        if entry.end <= mapped.account.since:
            continue
        name = f"{_name_stand_in(mapped, entry)} in {schedule.name}"
        pieces = [(number, span) for number, span in enumerate(spans, 1) if span[1] > now]
        nothing = _describe_nothing(mapped, entry, pieces)
        if nothing:
            mapped.outcomes.append(Outcome("overrides", key, name, "changed", nothing))
            continue
        found = not_carried or _find_stand_in(mapped, schedule, entry, key)
        if isinstance(found, Stop):
            mapped.lose("overrides", key, name, found.reason, found.waits, found.decided)
            held.add(key)
        else:
            _want_override(mapped, schedule, entry, (key, name, found), pieces)
    return held


def _name_stand_in(mapped: Mapped, entry: records.RenderedEntry) -> str:
    if entry.user is None:
        return "nobody"
    user = mapped.account.users.get(entry.user.id)
    return user.name if user else entry.user.summary or entry.user.id


def _describe_nothing(mapped: Mapped, entry: records.RenderedEntry, pieces: Sequence[object]) -> str:
    """Why there is nothing to write: it puts nobody on call in PagerDuty either."""
    if entry.start == entry.end:
        return "it is empty (it starts and ends at the same time): nobody stands in, in PagerDuty as well"
    if entry.start > entry.end:
        return "it ends before it starts: nobody stands in, in PagerDuty as well"
    if entry.user is not None and entry.user.deleted_at:
        return (
            f"its stand-in {_name_stand_in(mapped, entry)} was deleted in PagerDuty: nobody stands in, "
            "and whoever has the turn is on call"
        )
    return "" if pieces else COVERED


def _find_stand_in(mapped: Mapped, schedule: records.Schedule, entry: records.RenderedEntry, key: str) -> str | Stop:
    """The email of who stands in, or why the override stays behind. In place of somebody whom PagerDuty does not show a
    person may name another."""
    user = entry.user
    if user is not None and user.id in mapped.emails:
        return mapped.emails[user.id]
    if user is not None and user.id in mapped.nobodies:
        why = "its stand-in is nobody by decision, and an override of Harness names a person: those hours would page"
        return mapped.stop_behind("users", user.id, why)
    if user is not None and ("users", user.id) in mapped.lost:
        return mapped.stop_behind("users", user.id, "the stand-in has neither account nor invitation")
    start, end = (f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for moment in (entry.start, entry.end))
    who = f"{_name_stand_in(mapped, entry)} ({user.id})" if user else "somebody without a name"
    answer = mapped.ask("override_stand_in", "overrides", key, schedule.name, start=start, end=end, who=who)
    email = (answer.value or "").strip().lower() if answer and answer.choice == "map" else ""
    if answer is None or not email:
        return read_stop(answer, "no list of PagerDuty shows its stand-in")
    why = describe_unusable("map", email, {"people": mapped.state.people})
    if not why:
        return email
    mapped.questions.reopen(answer, why)
    return Stop(f"its stand-in was decided to be {email}, who is not in the Harness project", True)


def _want_override(
    mapped: Mapped,
    schedule: records.Schedule,
    entry: records.RenderedEntry,
    who: tuple[str, str, str],
    pieces: list[tuple[int, rota.Span]],
) -> None:
    """What is left of it, piece by piece; further pieces have keys of their own, and stand for no object of the source.

    who: key, name and email.
    """
    (key, name, email), identifier = who, mapped.schedules[schedule.id]
    for number, span in pieces:
        own = name_piece(key, number)
        start, end = (rota.to_datetime(edge) for edge in span)
        override = Override(identifier=f"pd_{own}", person=email, start=start, end=end)
        people = (("users", entry.user.id),) if entry.user and entry.user.id in mapped.emails else ()
        needs, sources = (("schedules", schedule.id), *people), (key,) if number == pieces[0][0] else ()
        wish = Desired("overrides", own, f"{identifier}/pd_{own}", name, override, sources, needs)
        mapped.want(wish, exact("start", "end", "user"))


def _count_shifts(mapped: Mapped, schedule: ScheduleV3) -> None:
    """Overrides and custom shifts of a shift-based schedule are in its rotations, or stay behind with it."""
    dated = [(one.id, one.end_time, one.overriding_member) for one in schedule.overrides]
    dated += [(one.id, one.end_time, one.assignments[0].member) for one in schedule.custom_shifts if one.assignments]
    reach = mapped.fidelity[schedule.id].dated
    for key, end, member in dated:
        if end <= mapped.account.since:
            continue
        user = mapped.account.users.get(member.user_id or "")
        name = f"{user.name if user else member.user_id or 'nobody'} in {schedule.name}"
        if schedule.id in mapped.schedules:
            mapped.outcomes.append(_describe_dated(key, name, end, reach))
        else:
            stop = mapped.stop_behind("schedules", schedule.id, NOT_CARRIED)
            mapped.lose("overrides", key, name, stop.reason, stop.waits, stop.decided)


def _describe_dated(key: str, name: str, end: datetime, reach: int | None) -> Outcome:
    """reach: the instant up to which its schedule is written with dates, where more dates must follow."""
    if reach is None or rota.to_instant(end) <= reach:
        return Outcome("overrides", key, name, "exact", DATED, tuple(exact("start", "end")))
    day = f"{rota.to_datetime(reach):%Y-%m-%d}"
    words = f"its schedule is written with dates until {day}: what of it comes later is written by a later run"
    return Outcome("overrides", key, name, "changed", words, (FieldOutcome("end", "changed", words),))
