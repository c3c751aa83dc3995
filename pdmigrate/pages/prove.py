"""The page of the live proof: whom each test page was to reach, whom it reached by Harness's own word, and what nobody knows."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pdmigrate.oncall.live import ONE_OF, Due, Outcome, PageLog, SentPage
from pdmigrate.oncall.rota import to_datetime
from pdmigrate.oncall.words import DAYS, format_number
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pages.explained import tell_reason
from pdmigrate.pages.people import People, know_people
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.verdict import MOST_LINES, OTHERWISE, VERDICT_WORDS
from pdmigrate.pages.words import format_time
from pdmigrate.parity.usage import EVENING, MORNING
from pdmigrate.steps.prove import Grade, Proof, Proved, judge_page

OUTCOME_WORDS: dict[Outcome, str] = {
    "nobody": "seen: nobody was told",
    "others": "seen: not the right people",
    "late": "seen: the right people, later or otherwise",
    "silent": "seen: nobody, as it is to be",
    "same": "seen: the right people",
}
TONES = {"nobody": "bad", "others": "bad", "late": "warn", "silent": "warn", "same": "good"}
GRADE_TONES = {"ticked": "plain", "not seen": "warn", "refused": "bad", "not asked": "plain"}
ORDER = ("nobody", "others", "refused", "not seen", "late", "silent", "ticked", "same", "not asked")
"""The worst first, then what a person has to do."""
HOW = (
    "- Seen: Harness's own alert and its timeline show it, up to the moment at which somebody answered, or the test was over. "
    "What a later level would have done was not tried.\n"
    "- Not seen: the timeline does not say it, or says it in words that nobody here understands.\n"
    "- Ticked: a person's word, and nothing else.\n\n"
    "The three are never added together."
)
NO_SERVICE = "No service moves."


def make_page(found: Proved) -> Page:
    counts, outcomes = found.count(), found.count_outcomes()
    figures = [
        _figure("The right people", outcomes["same"], "same", "good"),
        _figure("The right people, later or otherwise", outcomes["late"], "late", "warn"),
        _figure("Not the right people", outcomes["others"], "others", "bad"),
        _figure("Nobody was told", outcomes["nobody"], "nobody", "bad"),
        _figure("Nobody, as it is to be", outcomes["silent"], "silent", "warn"),
        _figure("Ticked by a person", counts["ticked"], "ticked", "plain"),
        _figure("Not seen", counts["not seen"] + counts["refused"], "not seen", "warn"),
        _figure("Not asked for", counts["not asked"], "not asked", "plain"),
    ]
    facts = (
        ("As of", format_time(found.moment)),
        ("Configuration as of", format_time(found.draft.account.taken)),
        ("Sent now", format_number(found.sent, "test page")),
    )
    status = VERDICT_WORDS["nobody"] if outcomes["nobody"] else OTHERWISE if outcomes["others"] else ""
    return Page("live", "Live proof", describe_proved(found), status, tuple(figures), facts=facts)


def _figure(label: str, number: int, row: str, tone: str) -> Figure:
    """Zero of something bad is good; zero of anything else is plain."""
    none = "good" if tone == "bad" else "plain"
    return Figure(label, f"{number:,}", tone if number else none, f"#{_anchor(row)}" if number else "")


def _anchor(row: str) -> str:
    return f"live-{row.replace(' ', '-')}"


def describe_proved(found: Proved) -> str:
    """What a reader in a hurry takes away; the grades are told apart."""
    counts, outcomes, whole = found.count(), found.count_outcomes(), len(found.proofs)
    if not whole:
        return NO_SERVICE
    if counts["not asked"] == whole:
        return f"No test page was sent yet, for any of {format_number(whole, 'service')}."
    told = (
        (outcomes["same"], "reached the right people, as Harness's own timeline shows"),
        (outcomes["late"], "reached them later, or by another channel"),
        (outcomes["others"], "reached other people, or not all"),
        (outcomes["nobody"], "reached nobody"),
        (outcomes["silent"], "told nobody, as it is to be"),
        (counts["ticked"], "arrived by a person's word alone"),
        (counts["not seen"], "went unseen"),
        (counts["refused"], "did not leave, since the webhook refused"),
    )
    said = "; ".join(f"{number:,} {words}" for number, words in told if number)
    left = f" {format_number(counts['not asked'], 'service')} had none." if counts["not asked"] else ""
    return f"Of {format_number(whole - counts['not asked'], 'test page')}: {said}.{left}"


def list_rows(found: Proved) -> list[tuple[str, str, str]]:
    """(service, what is said, why), for the command line; the worst first."""
    return [(p.service.name, str(tag_proof(p)), p.judged.words) for p in _sort(found.proofs)]


def list_wakes(found: Proved) -> list[tuple[str, str, str]]:
    """(service, whom a test page would wake now, by which webhook or why none can be sent), for the command line."""
    teller = Teller(found)
    return [(p.service.name, "; ".join(teller.list_wakes(p, found)), p.held or p.way) for p in found.proofs]


def describe_sent(found: Proved) -> str:
    """What became of the word to send, where that was less than was asked for."""
    had = sum(p.page is not None for p in found.proofs) - found.sent
    held = [f"{p.service.name}: {p.held}" for p in found.proofs if p.held]
    said = [f"{format_number(had, 'service')} had a test page under this plan already: --again sends another"] * (
        had > 0
    )
    said += [f"{format_number(len(held), 'service')} cannot be sent one, the first is {held[0]}"] if held else []
    return "".join(f"{part}. " for part in said).strip()


def list_tones(found: Proved) -> list[str]:
    return [tag_proof(p).tone for p in _sort(found.proofs)]


def tag_proof(proof: Proof) -> Tag:
    """What is said of one service."""
    outcome = proof.judged.outcome
    if outcome:
        return Tag(OUTCOME_WORDS[outcome], TONES[outcome])
    page, grade = proof.page, proof.grade
    words = f"ticked by {page.ticked_by} on {_format(page.ticked_at)}" if page and grade == "ticked" else grade
    return Tag(words, GRADE_TONES[grade])


def _sort(proofs: Iterable[Proof]) -> list[Proof]:
    return sorted(proofs, key=lambda p: (ORDER.index(_row(p)), p.service.name.casefold()))


def _row(proof: Proof) -> Outcome | Grade:
    return proof.judged.outcome or proof.grade


def _format(instant: int) -> str:
    return format_time(to_datetime(instant))


class Teller:
    """Says who is told, by their names and by their own clocks."""

    def __init__(self, found: Proved):
        self.people: People = know_people(found.draft)
        users = found.draft.account.users
        self._zones = {email: users[id].time_zone or "" for id, email in found.draft.emails.items() if id in users}

    def list_dues(self, dues: Iterable[Due], moment: datetime | None = None) -> list[str]:
        """A line for each person and minute, in order. moment: of the page, where their own hour is to be said."""
        ordered = sorted(dues, key=lambda due: due.minute)
        told = [
            f"{due.minute} min: {self._name(due)}{self._tell_hour(due, moment)}{_by(due.channels)}" for due in ordered
        ]
        if len(told) > MOST_LINES:
            told[MOST_LINES:] = [f"and {len(told) - MOST_LINES} more, if nobody answers"]
        return told or ["nobody"]

    def list_expected(self, page: SentPage) -> list[str]:
        """Who was to be told for as long as it was watched, and how far down the policy that went."""
        if page.seen is None or page.seen.unread or not page.dues:
            return self.list_dues(page.dues)
        watched = page.seen.watched
        tried = [due for due in page.dues if not due.minute or 60 * due.minute < watched]
        later = len({due.level for due in page.dues} - {due.level for due in tried})
        told = self.list_dues(tried) if tried else ["nobody yet"]
        more = f"watched for {format_number(watched // 60, 'minute')}: {format_number(later, 'later step')} not tried"
        return [*told, more] if later else told

    def list_wakes(self, proof: Proof, found: Proved) -> list[str]:
        """Whom a page of the service would wake before it is ended, or why nobody."""
        if proof.expected is None:
            return ["not known"]
        if proof.expected.why:
            return [f"nobody: {tell_reason(proof.expected.why)}"]
        soon = [due for due in proof.expected.dues if due.minute <= found.wait]
        later = len(proof.expected.dues) - len(soon)
        told = self.list_dues(soon, found.moment) if soon else [f"nobody within {found.wait:g} minutes"]
        return [*told, f"later {format_number(later, 'notification')}, unless it is ended"] if later else told

    def list_notices(self, page: SentPage) -> list[str]:
        """Everybody who was told, or could not be, with the minute and the channels."""
        told: dict[tuple[int, str, bool], list[str]] = {}
        for notice in page.seen.notices if page.seen else ():
            minute = page.seen.minute_of(notice) if page.seen else 0
            told.setdefault((minute, notice.person, bool(notice.failed)), []).append(notice.channel)
        lines = [
            f"{minute} min: {self.people.name_of(person)}{', not delivered' * failed}{_by(dict.fromkeys(channels))}"
            for (minute, person, failed), channels in sorted(told.items())
        ]
        seen = page.seen is not None and not page.seen.unread
        return lines or ["nobody" if seen and page.seen and page.seen.understood else "not known"]

    def tell_answer(self, page: SentPage) -> str:
        seen = page.seen
        if seen is None or not seen.acknowledged:
            return "no" if seen and seen.understood else "not known"
        who = self.people.name_of(seen.by) if seen.by else "somebody"
        return f"{who}, {_format(seen.acknowledged)}"

    def _name(self, due: Due) -> str:
        names = map(self.people.name_of, due.person.removeprefix(ONE_OF).split(", "))
        return (ONE_OF if due.person.startswith(ONE_OF) else "") + ", ".join(names)

    def _tell_hour(self, due: Due, moment: datetime | None) -> str:
        zone = read_zone(self._zones.get(due.person, "")).iana
        if moment is None or zone is None:
            return ""
        local = moment.astimezone(ZoneInfo(zone))
        night = ", at night" if local.hour >= EVENING or local.hour < MORNING else ""
        return f" ({DAYS[local.weekday()]} {local:%H:%M} in {zone}{night})"


def _by(channels: Iterable[str]) -> str:
    said = ", ".join(one for one in channels if one)
    return f" by {said}" if said else ""


def section_services(found: Proved) -> Section:
    """A row for each service, the worst first: who was to be told, who was, who answered, what differs."""
    teller = Teller(found)

    def tell(say: Callable[[SentPage], Any]) -> Callable[[Proof], Any]:
        return lambda p: say(p.page) if p.page else ""

    columns: Columns[Proof] = {
        "Service": lambda p: p.service.name,
        "Test page": tag_proof,
        "What differs, or is not known": _tell_words,
        "Was to be told": tell(teller.list_expected),
        "Was told, by Harness": tell(teller.list_notices),
        "Answered": tell(teller.tell_answer),
        "Sent": tell(_tell_sent),
    }
    table = make_table(_sort(found.proofs), columns, NO_SERVICE, anchor=lambda p: _anchor(_row(p)))
    return Section("Service by service", HOW, table, anchor="services", open_up_to=60)


def _tell_words(proof: Proof) -> list[str]:
    """What differs, one after the other; and what a person says."""
    said = proof.page.ticked_words if proof.page else ""
    words = [
        *filter(None, proof.judged.words.split("; ")),
        *([f"{proof.page.ticked_by}: “{said}”"] if proof.page and said else []),
    ]
    return words or ([proof.held] if proof.held else [])


def _tell_sent(page: SentPage) -> list[str]:
    alert = page.seen.alert if page.seen else ""
    over = "" if page.ended or page.state == "refused" else "not ended by us"
    said = (f"{_format(page.intended)}, asked for by {page.by}", f"{page.way} webhook", alert, over)
    return [part for part in said if part]


def section_wakes(found: Proved) -> Section:
    """Whom a test page would wake at this moment; by which webhook, or why none can be sent."""
    teller = Teller(found)
    columns: Columns[Proof] = {
        "Service": lambda p: p.service.name,
        "Would be told now": lambda p: teller.list_wakes(p, found),
        "By": lambda p: p.way,
        "Can be sent": lambda p: Tag("no", "warn") if p.held else Tag("yes", "plain"),
        "Why not": lambda p: p.held,
    }
    text = (
        f"If one were sent on {format_time(found.moment)}, each with the hour of their own clock. A page is ended as soon as somebody "
        f"answers, or after {found.wait:g} minutes: later levels are then not woken. The hour is your choice.\n\n"
        "The general webhook goes the way of a monitoring tool's alert: by the service's alert rule. A paging webhook pages whatever that "
        "rule says, so that it proves the policy and the people, and not the rule."
    )
    return Section("Whom it would wake now", text, make_table(found.proofs, columns, NO_SERVICE), open_up_to=40)


def section_strange(found: Proved) -> Section:
    """Events of the timelines that nobody here understands, word for word."""
    rows = [(p.service.name, said) for p in found.proofs if p.page and p.page.seen for said in p.page.seen.strange]
    columns: Columns[tuple[str, str]] = {"Service": lambda row: row[0], "Event": lambda row: row[1]}
    text = (
        "How Harness words the events of a page is not documented. These were taken for nothing: read them, and tick what they "
        "prove. Send them to us, without names, so that they are understood."
    )
    read = sum(p.page is not None and p.page.seen is not None and not p.page.seen.unread for p in found.proofs)
    understood = f"Every event about the {format_number(read, 'test page')} that could be read was understood."
    table = make_table(rows, columns, understood if read else "No test page was read back.")
    return Section("Events that are not understood", text if rows else "", table, open_up_to=12)


def section_last(log: PageLog) -> Section:
    """All services that had a test page, as it stands in the workspace: nobody is asked for it, and nobody is named."""
    latest = {page.service: page for page in log.pages}
    columns: Columns[SentPage] = {
        "Service": lambda page: page.name,
        "Test page": _tag_page,
        "Sent": lambda page: _format(page.intended),
        "Asked for by": lambda page: page.by,
    }
    text = "A page of each service that really was sent, and what Harness shows of it." if latest else ""
    empty = "No test page was sent yet. In a terminal: pdmigrate prove DIR says whom each would wake."
    return Section("Live proof", text, make_table(latest.values(), columns, empty))


def _tag_page(page: SentPage) -> Tag:
    outcome = judge_page(page).outcome
    if outcome:
        return Tag(OUTCOME_WORDS[outcome], TONES[outcome])
    if page.state == "refused":
        return Tag("refused", GRADE_TONES["refused"])
    if page.ticked_by:
        return Tag(f"ticked by {page.ticked_by} on {_format(page.ticked_at)}", GRADE_TONES["ticked"])
    return Tag("not seen", GRADE_TONES["not seen"])


PARTS: dict[str, Callable[[Proved], Section]] = {
    "services": section_services,
    "wakes": section_wakes,
    "strange": section_strange,
}
