"""Who is on call in PagerDuty over the next days, drawn before anything is carried over."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from pdmigrate.mapping.draft import Draft
from pdmigrate.mapping.proof import AnySchedule, read_shown, render_source
from pdmigrate.oncall import rota
from pdmigrate.oncall.words import format_number
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pages.people import ZOOM, know_people
from pdmigrate.pages.show import Section
from pdmigrate.pages.timeline import Lane, draw_timeline
from pdmigrate.pages.words import tell_apart

DAYS_DRAWN = 14
MOST_DRAWN = 12


def section_on_call(draft: Draft) -> Section:
    """Who is on call over the next two weeks, by PagerDuty's own rendering, or computed where it gave none."""
    account = draft.account
    end = min(account.since + timedelta(days=DAYS_DRAWN), account.until)
    span = rota.to_instant(account.since), rota.to_instant(end)
    scoped = (s for id, s in account.all_schedules.items() if id in draft.reasons["schedules"])
    whole = sorted(scoped, key=lambda s: s.name.casefold())
    names, people, lanes, marked = tell_apart(whole), know_people(draft), [], Counter[str]()
    for s in whole[:MOST_DRAWN]:
        shown = read_shown(s)
        computed = shown if shown is not None else _compute(draft, s, span)
        word = "" if shown is not None else "computed" if computed is not None else "cannot be computed"
        marked[word] += 1
        label = f"{names[s.id]}, {word}" if word else names[s.id]
        lanes.append(Lane(label, people.make_bars((computed or rota.Rota()).clip(*span))))
    if not lanes:
        return Section("Who is on call", "No schedule is in scope.")
    title = f"Who is on call in PagerDuty, the next {DAYS_DRAWN} days"
    drawing = draw_timeline(lanes, account.since, end, draft.home_zone, title, now=account.taken)
    return Section("Who is on call", _describe_lanes(marked, len(whole) - len(lanes)), drawing=drawing)


def _compute(draft: Draft, schedule: AnySchedule, span: rota.Span) -> rota.Rota | None:
    """Who is on call by the layers; None where the time zone or a rule cannot be read."""
    zone = draft.mapped.zones.get(schedule.id) or read_zone(schedule.time_zone).iana
    try:
        return render_source(draft.account, schedule, ZoneInfo(zone), span) if zone else None
    except ValueError:
        return None


def _describe_lanes(marked: Mapping[str, int], more: int) -> str:
    """marked: how many lanes PagerDuty has not rendered, by what became of them."""
    words = [ZOOM]
    if marked["computed"]:
        words.append(
            f"PagerDuty gave no rendering of {format_number(marked['computed'], 'schedule')}: computed from the layers, and "
            "marked so."
        )
    if marked["cannot be computed"]:
        told = format_number(marked["cannot be computed"], "schedule")
        words.append(
            f"Nobody knows who is on call in {told}: PagerDuty gave no rendering, and the rules cannot be read."
        )
    if more:
        words.append(f"{format_number(more, 'more schedule is', 'more schedules are')} in the table above.")
    return " ".join(words)
