"""The page of the replay: how many pages of the last months would reach the same people at the same minute, and which not."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pages.explained import tell_reason
from pdmigrate.pages.paged import draw_paged, find_parting, name_all
from pdmigrate.pages.people import People, know_people
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.verdict import NOT_COMPARED, OTHERWISE, list_paged
from pdmigrate.pages.words import format_time, warn_if
from pdmigrate.parity.replay import Replay
from pdmigrate.parity.usage import EVENING, MORNING, PersonUse, ServiceUse
from pdmigrate.steps.replay import Replays

MOST_TOLD = 10
NO_PAGES = "PagerDuty knows of no incident in this time."
WHY_WORDS = {
    "scope": "the service does not move",
    "urgency": "the urgency would be another today",
    "policy": "the policy was another",
    "schedule": "a schedule was another that day",
    "hand": "a person chose who was told",
    "dated": "Harness holds dates that say nothing of days that are over",
    "unread": "one side was not read",
    "misread": "PagerDuty did not do what we read out of it",
}


def make_page(found: Replays) -> Page:
    counts, unexplained = found.replayed.count(), len(found.replayed.unexplained)
    figures = (
        Figure("The same people, at the same minute", f"{counts['same']:,}", "good" if counts["same"] else "plain"),
        Figure(
            "Otherwise, by decision",
            f"{counts['otherwise'] - unexplained:,}",
            warn_if(counts["otherwise"] - unexplained),
            "#otherwise",
        ),
        Figure("Otherwise, without a decision", f"{unexplained:,}", "bad" if unexplained else "good", "#otherwise"),
        Figure("Not comparable", f"{counts['not_comparable']:,}", "plain", "#not-comparable"),
        Figure("Nobody, then and now", f"{counts['silent']:,}"),
        Figure(
            "PagerDuty itself not understood",
            f"{len(found.replayed.misread):,}",
            warn_if(found.replayed.misread),
            "#reading",
        ),
    )
    happened = found.happened
    facts = (
        ("Window", f"{format_time(happened.since)} to {format_time(happened.until)}"),
        ("Log entries", f"{happened.entries:,}"),
        ("Requests", f"{found.requests:,}; {format_number(found.kept, 'week was', 'weeks were')} on disk already"),
        ("Configuration as of", format_time(found.draft.account.taken)),
    )
    compared = sum(counts.values()) - counts["not_comparable"]
    status = OTHERWISE if unexplained else NOT_COMPARED if not compared else ""
    return Page("replay", "Replay of what happened", describe_replay(found), status, figures, facts=facts)


def describe_replay(found: Replays) -> str:
    """What a stakeholder takes away, in a sentence or two; the grades are told apart."""
    counts, days = found.replayed.count(), (found.happened.until - found.happened.since).days
    whole = sum(counts.values())
    if not whole:
        return f"PagerDuty knows of no incident of the last {days} days: there is nothing to replay."
    unexplained = len(found.replayed.unexplained)
    said = [
        f"Of {format_number(whole, 'page')} of the last {days} days, {counts['same']:,} would have reached the same people at the same minute",
        f"{counts['otherwise'] - unexplained:,} would go otherwise, by decision"
        if counts["otherwise"] > unexplained
        else "",
        f"{unexplained:,} would go otherwise, and nobody has decided it" if unexplained else "",
        f"{counts['silent']:,} woke nobody and would wake nobody" if counts["silent"] else "",
        f"{counts['not_comparable']:,} cannot be compared, since that day was not as today"
        if counts["not_comparable"]
        else "",
    ]
    return "; ".join(part for part in said if part) + "."


def list_counts(found: Replays) -> list[tuple[str, str]]:
    """Each grade, and each reason why pages cannot be compared, with its number: for the command line."""
    told = found.summarise()
    reasons = [(f"  {WHY_WORDS[why]}", f"{number:,}") for why, number in told["not_comparable"].items()]
    return [*_list_grades(told), *reasons]


def _list_grades(told: dict[str, Any]) -> list[tuple[str, str]]:
    pages, unexplained = told["pages"], told["unexplained"]
    rows = (
        ("the same people at the same minute", pages.get("same", 0)),
        ("nobody, then and now", pages.get("silent", 0)),
        ("otherwise, by decision", pages.get("otherwise", 0) - unexplained),
        ("otherwise, without a decision", unexplained),
        ("not comparable", pages.get("not_comparable", 0)),
    )
    return [(name, f"{number:,}") for name, number in rows]


def section_last(told: dict[str, Any] | None) -> Section:
    """What the last replay found, by the numbers that it left in the workspace."""
    if told is None:
        text = "Nothing was replayed yet. In a terminal: pdmigrate replay DIR --days 90."
        return Section("Replay of what happened", text)
    columns: Columns[tuple[str, str]] = {"Would go": lambda row: row[0], "Pages": lambda row: row[1]}
    text = f"{told['since'][:10]} to {told['until'][:10]}: every page of PagerDuty, put through what Harness held then."
    return Section("Replay of what happened", text, make_table(_list_grades(told), columns))


def section_services(found: Replays) -> Section:
    """Per service, those that would page otherwise first."""
    names = {id: one.name for id, one in found.draft.account.services.items()}
    return _section_groups(found, "Service by service", "Service", lambda page: [names.get(page.service, page.service)])


def section_teams(found: Replays) -> Section:
    """The same per team; a service of two teams counts for both."""
    account = found.draft.account

    def list_teams(page: Replay) -> list[str]:
        service = account.services.get(page.service)
        teams = [
            account.teams[t.id].name if t.id in account.teams else t.id for t in (service.teams if service else ())
        ]
        return teams or ["no team"]

    return _section_groups(found, "Team by team", "Team", list_teams)


def _section_groups(found: Replays, title: str, heading: str, groups_of: Callable[[Replay], list[str]]) -> Section:
    groups: dict[str, list[Replay]] = defaultdict(list)
    for page in found.replayed.pages:
        for name in groups_of(page):
            groups[name].append(page)
    rows = [(name, found.replayed.count(pages), sum(p.unexplained for p in pages)) for name, pages in groups.items()]
    rows.sort(key=lambda row: (-row[2], -row[1]["otherwise"], -sum(row[1].values()), row[0].casefold()))
    columns: Columns[tuple[str, dict[str, int], int]] = {
        heading: lambda row: row[0],
        "Pages": lambda row: sum(row[1].values()),
        "The same people": lambda row: row[1]["same"],
        "Otherwise, by decision": lambda row: row[1]["otherwise"] - row[2],
        "Otherwise, without a decision": lambda row: Tag(str(row[2]), "bad") if row[2] else Tag("0", "good"),
        "Nobody, then and now": lambda row: row[1]["silent"],
        "Not comparable": lambda row: row[1]["not_comparable"],
    }
    text = "Each page stands in one column; what cannot be compared is neither good nor bad."
    return Section(title, text, make_table(rows, columns, NO_PAGES), open_up_to=40)


def section_telling(found: Replays) -> Section:
    """The most telling pages that would go otherwise, drawn: then and now."""
    pages, people = found.replayed.choose_telling(MOST_TOLD), know_people(found.draft)
    if not pages:
        return Section("The most telling pages", "No page would go otherwise." if found.replayed.pages else NO_PAGES)
    text = (
        f"{format_number(len(pages), 'page')} of {len(found.replayed.otherwise):,} that would go otherwise: those that nobody has decided "
        "first, of each service one before a second, and none that went as "
        "another one. A bar begins when somebody is told, and ends when the next level is. What came after "
        "somebody answered is not drawn: it is not known."
    )
    return Section("The most telling pages", text, drawing="".join(_draw(found, page, people) for page in pages))


def _draw(found: Replays, page: Replay, people: People) -> str:
    parted = find_parting(page.then, page.now) or 0
    told, would = (name_all(dict(side).get(parted), people) for side in (page.then, page.now))
    zone = found.draft.home_zone
    when = format_local(page.incident.created_at, zone).removesuffix(f" ({zone})")
    after = f"after {format_number(parted, 'minute')}" if parted else "at once"
    title = f"{_name(found, page)}, {when}, {after}: {told} then, {would} now"
    return draw_paged(title, page.instant, (("PagerDuty, then", page.then), ("Harness, now", page.now)), people, zone)


def _name(found: Replays, page: Replay) -> str:
    """An incident by its number and its service."""
    service = found.draft.account.services.get(page.service)
    return f"#{page.incident.number or page.incident.id} {service.name if service else page.service}"


def section_otherwise(found: Replays) -> Section:
    """Every page that would go otherwise: who, which minute, which decision."""
    people, zone = know_people(found.draft), found.draft.home_zone
    columns: Columns[Replay] = {
        "Incident": lambda p: _name(found, p),
        f"When ({zone})": lambda p: format_local(p.incident.created_at, zone).removesuffix(f" ({zone})"),
        "What": lambda p: p.incident.title,
        "Told by PagerDuty": lambda p: list_paged(p.then, people),
        "Would be told by Harness": lambda p: list_paged(p.now, people),
        "Compared up to": lambda p: format_number(p.last, "minute"),
        "Decision": lambda p: tell_reason(people.tell(p.explanation)) or Tag("none", "bad"),
    }
    rows = sorted(found.replayed.otherwise, key=lambda p: (not p.unexplained, bool(p.now), p.instant))
    empty = "Every page that can be compared would reach the same people at the same minute."
    return Section("Would go otherwise", table=make_table(rows, columns, empty), anchor="otherwise", open_up_to=40)


def section_reading(found: Replays) -> Section:
    """Where PagerDuty did not do what we read out of it: a finding about us, or about the account."""
    text = (
        "Before anything is compared with Harness, our reading of PagerDuty is: the policy, with PagerDuty's own rendering "
        "of that day, beside the incident's log. A page that stands here is understood by nobody yet: ask the team what was done "
        "that day, or tell us."
    )
    return _section_pages(
        found,
        "Our reading of PagerDuty",
        text,
        found.replayed.misread,
        "PagerDuty did what we read out of it, in every page that can tell.",
        "reading",
    )


def section_not_comparable(found: Replays) -> Section:
    """Pages of days that were not as today, and why; grouped, then one by one."""
    reasons = found.replayed.count_reasons()
    lines = [f"- {format_number(number, 'page')}: {WHY_WORDS[why]}" for why, number in reasons.items()]
    pages = [page for page in found.replayed.pages if page.grade == "not_comparable"]
    text = "What is here today would not have told the same people even in PagerDuty.\n\n" + "\n".join(lines)
    return _section_pages(
        found, "Not comparable", text if pages else "", pages, "Every page can be compared.", "not-comparable"
    )


def _section_pages(found: Replays, title: str, text: str, pages: Iterable[Replay], empty: str, anchor: str) -> Section:
    people, zone = know_people(found.draft), found.draft.home_zone
    columns: Columns[Replay] = {
        "Incident": lambda p: _name(found, p),
        f"When ({zone})": lambda p: format_local(p.incident.created_at, zone).removesuffix(f" ({zone})"),
        "Told by PagerDuty": lambda p: list_paged(p.then, people),
        "Why": lambda p: people.tell(p.reason) or WHY_WORDS["misread"],
    }
    return Section(title, text, make_table(pages, columns, empty), anchor=anchor, open_up_to=12)


def section_noise(found: Replays) -> Section:
    """Services by how often they page: to order the waves, and to clean up first."""
    days = (found.happened.until - found.happened.since).days
    columns: Columns[ServiceUse] = {
        "Service": lambda s: s.name,
        "Pages": lambda s: s.pages,
        "At night": lambda s: s.nights,
        "Nobody answered": lambda s: Tag(str(s.unanswered), "warn") if s.unanswered else "0",
        "Low urgency": lambda s: s.low,
        "Last": lambda s: format_time(s.last) if s.last else Tag(f"silent for {days} days", "warn"),
    }
    services = found.usage.services
    silent = sum(s.silent for s in services)
    unanswered = sum(s.unanswered for s in services)
    text = (
        f"{format_number(silent, 'service has', 'services have')} been silent for {days} days: perhaps nothing sends to them any more, "
        f"and they need not move first. {format_number(unanswered, 'page was', 'pages were')} acknowledged or resolved by nobody. "
        "The loudest services are those to clean up before they move, or to move last."
    )
    return Section("Noise and use", text, make_table(services, columns, "No service is in scope."), open_up_to=40)


def section_nights(found: Replays) -> Section:
    """Who was woken in how many nights."""
    columns: Columns[PersonUse] = {
        "Person": lambda p: p.name,
        "Nights woken": lambda p: p.nights,
        "Pages": lambda p: p.pages,
        "Notifications, by channel": lambda p: [f"{number:,} {channel}" for channel, number in p.channels.items()],
    }
    text = (
        f"A night is from {EVENING}:00 to {MORNING}:00 by the person's own clock; two pages in one night are one night."
    )
    return Section(
        "Nights", text, make_table(found.usage.people, columns, "Nobody was told of anything."), open_up_to=40
    )


def section_read(found: Replays) -> Section:
    """What of the history was not read, and what that means."""
    happened = found.happened
    lines = [f"- {why}" for why in happened.unread.values()]
    lines += [
        f"- {format_number(n, 'row')} of {kind.replace('_', ' ')} cannot be read"
        for kind, n in happened.unusable.items()
    ]
    return Section("What was read", "\n".join(lines) or "Everything that was asked for was read.")


PARTS: dict[str, Callable[[Replays], Section]] = {
    "telling": section_telling,
    "services": section_services,
    "teams": section_teams,
    "otherwise": section_otherwise,
    "reading": section_reading,
    "not_comparable": section_not_comparable,
    "noise": section_noise,
    "nights": section_nights,
    "read": section_read,
}
