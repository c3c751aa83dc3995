"""The page of a parallel run: a night's alerts in both systems, whom each paged, and what came to one side only."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from pdmigrate.oncall.rota import to_datetime
from pdmigrate.oncall.words import format_local, format_number, format_seconds
from pdmigrate.pages.paged import draw_paged, find_parting, name_all
from pdmigrate.pages.people import People, know_people
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.verdict import DEAD, NOT_COMPARED, ONE_SIDE, OTHERWISE, SILENT, list_paged
from pdmigrate.pages.words import format_time, warn_if
from pdmigrate.parity.parallel import Night, Pair
from pdmigrate.steps.parallel import ParallelRun

MOST_DRAWN = 6
NOTHING = "Nothing is in both systems, so nothing is compared."
WHY_WORDS = {
    "quiet": "the feed is in quiet mode, so Harness paged nobody: computed, not seen",
    "ambiguous": "nothing tells which alert is which incident",
    "unread": "PagerDuty's log or Harness's timeline was not read, or has events that nobody here can read",
    "hand": "a person chose who was told",
    "policy": "PagerDuty went by another policy than the service has",
    "schedule": "a schedule was another then than PagerDuty has now, and Harness holds what is now",
    "urgency": "the urgency would be another now",
    "dated": "Harness holds dates that say nothing of days that are over",
    "misread": "PagerDuty did not do what its policy of today says: perhaps it was another then",
    "scope": "the service does not move",
    "early": "somebody answered before either side had notified anybody",
    "fresh": "it is minutes old, and the feed may still bring it",
}
WAY_WORDS = {
    "key": "by the deduplication key",
    "link": "by the link back to PagerDuty",
    "service, title and time": "by service, title and nearness in time, no key being there",
}
FEED_WORDS = {"unproved": ("nothing to bring", "warn"), "dead": ("nothing came", "bad"), "silent": ("silent", "bad")}


def make_page(found: ParallelRun) -> Page:
    night, counts, computed = found.night, found.night.count(), found.night.count_computed()
    feed, undecided = night.feed, len(night.unexplained)
    state, tone = FEED_WORDS.get(
        feed.state, (f"{feed.came:,} of {feed.expected:,}", warn_if(feed.came < feed.expected))
    )
    otherwise = counts["otherwise"] + computed["otherwise"]
    alone, left = _of(night, "only_harness"), night.count_left()
    differ = [pair for pair in night.pairs if pair.differs]
    figures = (
        Figure(
            "Seen: the same people, at the same minute", f"{counts['same']:,}", "good" if counts["same"] else "plain"
        ),
        Figure("Computed: the same people, at the same minute", f"{computed['same']:,}", "plain", "#not-comparable"),
        Figure("Otherwise", f"{otherwise:,}", _tone(differ) if feed.came else "plain", "#otherwise"),
        Figure("Only in PagerDuty", f"{counts['only_pagerduty']:,}", _tone(_of(night, "only_pagerduty")), "#one-side"),
        Figure(
            "Only in Harness",
            f"{counts['only_harness']:,}",
            _tone(alone) if alone or feed.came else "plain",
            "#one-side",
        ),
        Figure("Not compared", f"{left:,}", warn_if(left) if left else "plain", "#not-comparable"),
        Figure("Without a decision", f"{undecided:,}", "bad" if undecided else "good"),
        Figure("Brought by the feed", state, tone, "#feed"),
    )
    facts = (
        ("Time", f"{format_time(found.since)} to {format_time(found.until)}"),
        ("Alerts read", f"{len(found.alerts):,}"),
        ("Configuration as of", format_time(found.draft.account.taken)),
    )
    return Page("parallel", "Parallel run", describe_run(found), _find_status(night), figures, facts=facts)


def _find_status(night: Night) -> str:
    """What the night comes to, the worst first; "" where it is simply done."""
    if night.feed.state in ("dead", "silent"):
        return DEAD if night.feed.state == "dead" else SILENT
    if night.unexplained:
        return OTHERWISE if any(pair.differs for pair in night.unexplained) else ONE_SIDE
    counts, computed = night.count(), night.count_computed()
    return "" if sum(computed.values()) + counts["same"] + counts["silent"] + counts["otherwise"] else NOT_COMPARED


def _of(night: Night, grade: str) -> list[Pair]:
    return [pair for pair in night.pairs if pair.grade == grade]


def _tone(pairs: Iterable[Pair]) -> str:
    undecided = [pair.unexplained for pair in pairs]
    return "bad" if any(undecided) else warn_if(undecided)


def describe_span(found: ParallelRun) -> str:
    """From when until when, by the account's clock."""
    start, end = (format_local(at, found.zone).removesuffix(f" ({found.zone})") for at in (found.since, found.until))
    return f"{start} to {end} ({found.zone})"


def describe_run(found: ParallelRun) -> str:
    """What a stakeholder takes away, in a few sentences; what was seen and what is computed are told apart."""
    night, counts, computed = found.night, found.night.count(), found.night.count_computed()
    incidents = sum(pair.incident is not None for pair in night.pairs)
    head = f"{describe_span(found)}: PagerDuty had {format_number(incidents, 'incident')}"
    if night.feed.state in ("dead", "unproved"):
        return f"{head}. {found.describe_feed()}"
    both = sum(bool(pair.way) for pair in night.pairs)
    seen = _list_grades(
        counts,
        ("paged the same people at the same minute", "paged nobody on either side", "paged otherwise"),
        [pair for pair in night.pairs if pair.grade == "otherwise"],
    )
    would = _list_grades(
        computed,
        (
            "would have paged the same people at the same minute",
            "would have paged nobody",
            "would have paged otherwise",
        ),
        [pair for pair in night.pairs if pair.computed == "otherwise"],
    )
    quiet, tests = night.count_quiet(), sum(pair.is_test for pair in _of(night, "only_harness"))
    ours = f", {format_number(tests, 'test page')} of ours among them" if tests else ""
    parts = [
        f"{head}, {both:,} of them in both systems" + (f"; {'; '.join(seen)}" if seen else ""),
        f"The feed is in quiet mode, so Harness paged nobody for {quiet:,} of them" if quiet else "",
        f"By what Harness holds, {'; '.join(would)} (computed, not seen)" if would else "",
        _describe_left(night),
        f"{counts['only_pagerduty']:,} came to PagerDuty only" if counts["only_pagerduty"] else "",
        f"{counts['only_harness']:,} came to Harness only{ours}" if counts["only_harness"] else "",
        found.describe_feed().removesuffix(".") if night.feed.state == "silent" else "",
    ]
    return ". ".join(part for part in parts if part) + "."


def _describe_left(night: Night) -> str:
    """How many cannot be compared for another reason than quiet mode, and why."""
    whys = {why: number for why, number in night.count_whys().items() if why != "quiet"}
    head = f"{format_number(sum(whys.values()), 'alert')} cannot be compared"
    if len(whys) < 2:
        return f"{head}, since {WHY_WORDS[next(iter(whys))]}" if whys else ""
    return f"{head}: {'; '.join(f'{number:,}, since {WHY_WORDS[why]}' for why, number in whys.items())}"


def _list_grades(counts: dict[str, int], words: tuple[str, str, str], otherwise: list[Pair]) -> list[str]:
    undecided = sum(pair.unexplained for pair in otherwise)
    decided = f"{undecided:,} of them without a decision" if undecided else "by decision"
    said = (*words[:2], f"{words[2]}, {decided}")
    pairs = zip(said, ("same", "silent", "otherwise"), strict=True)
    return [f"{counts[grade]:,} {words}" for words, grade in pairs if counts[grade]]


def list_counts(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Each grade with its number, of the numbers that a run leaves; what is computed stands apart."""
    alerts, computed = told["alerts"], told["computed"]
    rows = (
        ("seen: the same people at the same minute", alerts.get("same", 0)),
        ("seen: nobody on either side", alerts.get("silent", 0)),
        ("seen: otherwise", alerts.get("otherwise", 0)),
        ("only in PagerDuty", alerts.get("only_pagerduty", 0)),
        ("only in Harness", alerts.get("only_harness", 0)),
        ("not comparable by what was seen", alerts.get("not_comparable", 0)),
        ("  computed: the same people at the same minute", computed.get("same", 0)),
        ("  computed: nobody on either side", computed.get("silent", 0)),
        ("  computed: otherwise", computed.get("otherwise", 0)),
        ("without a decision", told["unexplained"]),
    )
    return [(name, f"{number:,}") for name, number in rows]


def section_last(told: dict[str, Any] | None) -> Section:
    """What the last parallel run found, by the numbers that it left in the workspace."""
    if told is None:
        return Section("Parallel run", "No night was compared yet. In a terminal: pdmigrate parallel DIR.")
    columns: Columns[tuple[str, str]] = {"Alerts": lambda row: row[0], "Number": lambda row: row[1]}
    since, until = (format_time(datetime.fromisoformat(told[name])) for name in ("since", "until"))
    feed = told["feed"]
    text = f"{since} to {until}: the feed is {feed['state']}, {feed['came']:,} of {feed['expected']:,} incidents came by it."
    return Section("Parallel run", text, make_table(list_counts(told), columns))


# --- the sections ---


def section_feed(found: ParallelRun) -> Section:
    """Whether the feed brings what it should, how late, and by what both sides were matched."""
    night, feed = found.night, found.night.feed
    behind = format_seconds(abs(feed.offset))
    whose = "behind" if feed.offset > 0 else "ahead of"
    clocks = f"Harness has them {behind} {whose} PagerDuty, in the middle: clock and feed together. It is taken away before minutes are compared."
    lines = [f"- {format_number(n, 'incident')} matched {WAY_WORDS[way]}" for way, n in night.count_ways().items()]
    quiet = night.count_quiet()
    said = (
        "Quiet mode: Harness takes the alert and pages nobody. Whom it would have paged is computed from its rules, policies "
        "and schedules as they are now, and is called computed; only what a timeline shows is called seen."
    )
    parts = [found.describe_feed(), clocks if feed.came else "", said if quiet else "", "\n".join(lines)]
    return Section("The feed", "\n\n".join(part for part in parts if part), anchor="feed")


def section_telling(found: ParallelRun) -> Section:
    """Those that both sides have and that page otherwise, drawn: without a decision first."""
    pairs, people = [p for p in found.night.pairs if p.differs and (p.then or p.now)], know_people(found.draft)
    ranked = sorted(pairs, key=lambda p: (not p.unexplained, p.at))
    first: dict[str, Pair] = {}
    for pair in ranked:
        first.setdefault(pair.service, pair)
    shown = [*first.values(), *(pair for pair in ranked if first[pair.service] is not pair)][:MOST_DRAWN]
    if not shown:
        return Section(
            "Both sides, where they differ", _say_empty(found, "No alert that both sides have pages otherwise.")
        )
    text = (
        f"{len(shown):,} of {len(pairs):,}: those that nobody has decided first, one a service. A bar begins when somebody is told, and ends when the next "
        "level is. What came after somebody answered is not drawn."
    )
    drawing = "".join(_draw(found, pair, people) for pair in shown)
    return Section("Both sides, where they differ", text, drawing=drawing)


def _draw(found: ParallelRun, pair: Pair, people: People) -> str:
    parted = find_parting(pair.then, pair.now)
    sides = (("PagerDuty, seen", pair.then), (f"Harness, {'seen' if pair.seen else 'computed'}", pair.now))
    told, would = (name_all(dict(side).get(parted or 0), people) for _, side in sides)
    title = f"{_name(found, pair)}, {_when(found, pair)}"
    if parted is not None:
        when = f"after {format_number(parted, 'minute')}" if parted else "at once"
        title += f", {when}: {told} by PagerDuty, {would} by Harness"
    return draw_paged(title, pair.at, sides, people, found.zone)


def _name(found: ParallelRun, pair: Pair) -> str:
    service = found.draft.account.services.get(pair.service)
    number = f"#{pair.incident.number or pair.incident.id}" if pair.incident else pair.alert.id if pair.alert else ""
    return f"{number} {service.name}" if service else number


def _when(found: ParallelRun, pair: Pair) -> str:
    return format_local(to_datetime(pair.at), found.zone).removesuffix(f" ({found.zone})")


def section_services(found: ParallelRun) -> Section:
    """Per service, those with a difference first."""
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in found.night.pairs:
        groups[pair.service].append(pair)
    night, names = found.night, {id: one.name for id, one in found.draft.account.services.items()}
    rows = [
        (
            names.get(id, id or "no service known"),
            night.count(some),
            night.count_computed(some),
            sum(p.unexplained for p in some),
        )
        for id, some in groups.items()
    ]
    rows.sort(key=lambda row: (-row[3], -sum(row[1].values()), row[0].casefold()))
    columns: Columns[tuple[str, dict[str, int], dict[str, int], int]] = {
        "Service": lambda row: row[0],
        "Alerts": lambda row: sum(row[1].values()),
        "Seen: the same": lambda row: row[1]["same"] + row[1]["silent"],
        "Seen: otherwise": lambda row: row[1]["otherwise"],
        "Only in PagerDuty": lambda row: row[1]["only_pagerduty"],
        "Only in Harness": lambda row: row[1]["only_harness"],
        "Not comparable": lambda row: row[1]["not_comparable"],
        "of these computed: the same": lambda row: row[2]["same"] + row[2]["silent"],
        "computed: otherwise": lambda row: row[2]["otherwise"],
        "Without a decision": lambda row: Tag(str(row[3]), "bad" if row[3] else "good"),
    }
    text = "Each alert stands in one column of seen, only, and not comparable. The same may be nobody, on both sides."
    return Section("Service by service", text, make_table(rows, columns, "Nothing happened."), open_up_to=40)


def section_otherwise(found: ParallelRun) -> Section:
    """What both sides have and page otherwise: who, which minute, which decision."""
    people = know_people(found.draft)
    pairs = sorted((p for p in found.night.pairs if p.differs), key=lambda p: (not p.unexplained, p.at))
    more: Columns[Pair] = {
        "What differs, PagerDuty / Harness": lambda p: people.tell(p.reason),
        "Compared up to": lambda p: format_number(p.last, "minute"),
        "Decision": lambda p: people.tell(p.explanation) or Tag("none", "bad"),
    }
    empty = _say_empty(found, "Nothing that both sides have pages otherwise.")
    return _section(found, "Paged otherwise", pairs, more, empty, "otherwise")


def _say_empty(found: ParallelRun, words: str) -> str:
    """An empty list says nothing where nothing is compared."""
    return words if found.night.feed.came else NOTHING


def section_one_side(found: ParallelRun) -> Section:
    """What came to one side only."""
    people = know_people(found.draft)
    pairs = [pair for pair in found.night.pairs if pair.grade in ("only_pagerduty", "only_harness")]
    more: Columns[Pair] = {
        "Side": lambda p: Tag("only in PagerDuty" if p.incident else "only in Harness", _tone([p])),
        "Why": lambda p: people.tell(p.reason),
    }
    return _section(
        found, "On one side only", pairs, more, _say_empty(found, "Everything came to both sides."), "one-side"
    )


def section_not_comparable(found: ParallelRun) -> Section:
    """What cannot be compared by what was seen, and what is computed in its place."""
    reasons = found.night.count_whys()
    lines = [f"- {format_number(number, 'alert')}: {WHY_WORDS[why]}" for why, number in reasons.items()]
    people = know_people(found.draft)
    pairs = [pair for pair in found.night.pairs if pair.grade == "not_comparable"]
    more: Columns[Pair] = {
        "Why": lambda p: people.tell(p.reason) or WHY_WORDS[p.why],
        "Computed": lambda p: Tag(
            p.computed or "not computed", {"otherwise": "bad" if p.unexplained else "warn"}.get(p.computed, "plain")
        ),
    }
    empty = _say_empty(found, "Everything can be compared by what was seen.")
    return _section(found, "Not comparable by what was seen", pairs, more, empty, "not-comparable", "\n".join(lines))


def section_all(found: ParallelRun) -> Section:
    """Everything, in order, and by what it was matched."""
    more: Columns[Pair] = {
        "Matched": lambda p: WAY_WORDS[p.way] if p.way else Tag("not matched", "warn"),
        "Grade": lambda p: p.grade.replace("_", " ") + (f", computed: {p.computed}" if p.computed else ""),
    }
    return _section(found, "Side by side", found.night.pairs, more, "Nothing happened on either side.", "all")


def _section(
    found: ParallelRun, title: str, pairs: Iterable[Pair], more: Columns[Pair], empty: str, anchor: str, text: str = ""
) -> Section:
    people = know_people(found.draft)
    what: Columns[Pair] = {"What": lambda p: p.incident.title if p.incident else p.alert.title if p.alert else ""}
    columns: Columns[Pair] = {
        "Alert": lambda p: _name(found, p),
        f"When ({found.zone})": lambda p: _when(found, p),
        **(what if found.titles else {}),
        "Told by PagerDuty": lambda p: _list_then(p, people),
        "Told by Harness": lambda p: _list_now(p, people),
        **more,
    }
    return Section(title, text, make_table(pairs, columns, empty), anchor=anchor, open_up_to=12)


def _list_then(pair: Pair, people: People) -> Any:
    if pair.incident is None:
        return "not there"
    return list_paged(pair.then, people) if pair.logged else "not known"


def _list_now(pair: Pair, people: People) -> Any:
    if pair.alert is None:
        return "not there"
    if not pair.seen and not pair.computed:
        return "not known"
    return [*list_paged(pair.now, people), *([] if pair.seen else ["(computed)"])]


def section_read(found: ParallelRun) -> Section:
    """What could not be read."""
    lines = [
        f"- {format_number(n, 'row')} of {kind.replace('_', ' ')} cannot be read"
        for kind, n in found.happened.unusable.items()
    ]
    if found.alerts.unusable:
        lines.append(f"- {format_number(found.alerts.unusable, 'alert')} of Harness cannot be read")
    return Section("What was read", "\n".join(lines) or "Everything that was asked for was read.")


PARTS: dict[str, Callable[[ParallelRun], Section]] = {
    "feed": section_feed,
    "telling": section_telling,
    "services": section_services,
    "otherwise": section_otherwise,
    "one_side": section_one_side,
    "not_comparable": section_not_comparable,
    "all": section_all,
    "read": section_read,
}
