"""Who can be paged and would not hear of it, or later than today: account accepted, enabled, unlocked, and a channel.

Pure. By design: somebody is reachable whose first step leads to at least one channel that Harness serves and PagerDuty
did not block. Without a rule Harness tells by email, Slack and push at once, by SMS and voice after 60 s (its
documentation). Where contact details cannot be read, or were not carried over, nothing is claimed: people are asked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from pdmigrate.harness.records import Channel, Contact, NotificationRule
from pdmigrate.mapping.contacts import NOTICES, TYPES
from pdmigrate.mapping.mapped import Mapped
from pdmigrate.mapping.numbers import is_served, read_number, read_phone, write_phone
from pdmigrate.oncall.rota import Span, to_datetime
from pdmigrate.pagerduty.records import ContactMethod, User
from pdmigrate.parity.places import About, PagingPlace, Rotas, list_dead, list_places

BY_DEFAULT = {"email": 0, "phone": 1, "sms": 1}
"""Minutes after which Harness tells somebody who has no notification rule."""
Keys = Collection[tuple[str, str]]
"""Channels, each by type and address."""
Told = dict[tuple[str, str], list[int]]
"""Channel to the minutes after the page at which somebody is told, in order."""
UNREAD = "Harness has no API to read contact details from: ask the person"
NOT_CARRIED = "contact details are not carried over by the rule contact_details, and Harness shows none: ask the person"


@dataclass(frozen=True)
class Unreachable:
    """Somebody who can be paged, and what stands between.

    email: a person's; the PagerDuty id of somebody who is nobody in Harness; or the name of a target that pages nobody.
    next_turn: the next moment at which it matters, for a target of a level now; None: no turn in the window.
    schedules: the names of schedules, and "whenever the policy 'Main' reaches level 1". about: the objects behind them.
    """

    email: str
    why: str
    next_turn: datetime | None
    schedules: tuple[str, ...]
    about: frozenset[About] = frozenset()


@dataclass(frozen=True)
class Reach:
    """unreachable: would not hear a page. late: later than today, or not by all that tells them today. unproven: an account, and no word on a channel."""

    unreachable: tuple[Unreachable, ...] = ()
    late: tuple[Unreachable, ...] = ()
    unproven: tuple[Unreachable, ...] = ()


@dataclass(frozen=True)
class Doubt:
    """What is wrong with the way to a person: one sentence, in one of three grades ("": nothing)."""

    unreachable: str = ""
    late: str = ""
    unproven: str = ""


def find_reach(mapped: Mapped, rotas: Iterable[Rotas], window: Span) -> Reach:
    """Everybody who can be paged and is not known to hear it at once, the most urgent first."""
    places: dict[str, list[PagingPlace]] = defaultdict(list)
    for place in list_places(mapped, rotas, window):
        places[place.person].append(place)
    users = group_users(mapped)
    doubts = {person: judge_person(mapped, person, users.get(person, [])) for person in places}
    dead = [_describe(dead.name, dead.why, [dead.place]) for dead in list_dead(mapped, window)]
    named = {
        grade: [_describe(p, why, places[p]) for p, doubt in doubts.items() if (why := getattr(doubt, grade))]
        for grade in ("unreachable", "late", "unproven")
    }
    named["unreachable"] += dead
    return Reach(**{grade: tuple(sorted(rows, key=_urgency)) for grade, rows in named.items()})


def _urgency(row: Unreachable) -> tuple[bool, datetime | None, str, str]:
    return row.next_turn is None, row.next_turn, row.email, row.why


def _describe(person: str, why: str, places: list[PagingPlace]) -> Unreachable:
    """Each object once, in the order in which it matters; a level of a policy once, although both sides have it."""
    first: dict[About, PagingPlace] = {}
    for place in sorted(places, key=lambda p: (p.moment is None, p.moment)):
        first.setdefault(place.about, place)
    soonest = min((p.moment for p in places if p.moment is not None), default=None)
    said = tuple(dict.fromkeys(place.said for place in first.values()))
    return Unreachable(person, why, None if soonest is None else to_datetime(soonest), said, frozenset(first))


def group_users(mapped: Mapped) -> dict[str, list[User]]:
    """The PagerDuty users behind each Harness email; two may be the same person."""
    users: dict[str, list[User]] = defaultdict(list)
    for id, email in mapped.emails.items():
        users[email].append(mapped.account.users[id])
    return users


def judge_person(mapped: Mapped, email: str, users: list[User]) -> Doubt:
    """The account first; whoever has none yet is also told what the first step will lack then, or how late it will be."""
    account, channel = judge_account(mapped, email), judge_channel(mapped, email, users)
    then = channel.unreachable or channel.late
    if account and then and mapped.state.people.get(email):
        return Doubt(f"{account}; and then {then}")
    return Doubt(account) if account else channel


def judge_account(mapped: Mapped, email: str) -> str:
    person = mapped.state.people.get(email)
    if person is None:
        return "no account and no invitation"
    if not person.accepted:
        return "invited, not accepted yet"
    return "the account is disabled" if person.disabled else "the account is locked" if person.locked else ""


def judge_channel(mapped: Mapped, email: str, users: list[User]) -> Doubt:
    """Where the first step leads, and when, compared with PagerDuty."""
    if not mapped.state.oncall:
        return Doubt(unproven=UNREAD)
    details, rule = mapped.state.contacts.get(email), mapped.state.rules.get(email)
    methods = details.methods if details else ()
    if not methods and not mapped.rules.contact_details:
        return Doubt(unproven=NOT_CARRIED)
    if not methods:
        return Doubt(f"no contact method in Harness{_describe_source(users)}")
    own = [(is_blocked(m), channel) for user in users for m in user.contact_methods if (channel := read_method(m))]
    blocked = {channel for shut, channel in own if shut} - {channel for shut, channel in own if not shut}
    known = {_key(method) for method in methods}
    channels = [Channel(type=m.type, address=m.address) for m in methods]
    minutes, why = find_first_minute(rule, channels, known, blocked)
    if why:
        return Doubt(why)
    late = describe_delay(users, minutes)
    if late or not mapped.rules.contact_details:
        return Doubt(late=late)
    told = list_told(rule, channels, known)
    return Doubt(
        late=describe_missing(users, told)
        or _describe_shut(blocked & told.keys())
        or _describe_default(users, rule, told)
    )


def _describe_default(users: list[User], rule: NotificationRule | None, told: Told) -> str:
    """Whoever has rules in PagerDuty and none in Harness, where Harness's own defaults tell him otherwise than today."""
    today = _list_today(users)
    if rule is not None or not today or today == {channel: sorted(minutes) for channel, minutes in told.items()}:
        return ""
    return "has no notification rule in Harness, which tells by its own defaults"


def _describe_shut(channels: set[tuple[str, str]]) -> str:
    """What Harness tells somebody by, and that person has switched off in PagerDuty."""
    said = ", ".join(f"by {type} to {address}" for type, address in sorted(channels))
    return f"is told {said}, which is blocked or switched off in PagerDuty" if said else ""


def list_told(rule: NotificationRule | None, methods: list[Channel], known: Keys) -> Told:
    """By channel the minutes after the page at which Harness tells somebody, in order."""
    told: dict[tuple[str, str], list[int]] = defaultdict(list)
    for channel in methods if rule is None else ():
        told[_key(channel)].append(BY_DEFAULT[channel.type])
    minute = 0
    for step in rule.steps if rule else ():
        minute += step.wait_minutes
        for channel in step.methods:
            if _key(channel) in known:
                told[_key(channel)].append(minute)
    return told


def _list_today(users: list[User]) -> Told:
    """By channel that Harness could serve the minutes at which PagerDuty tells somebody, in order."""
    today: dict[tuple[str, str], set[int]] = defaultdict(set)
    for minute, method in _list_ways(users):
        channel = read_method(method)
        if channel and (channel[0] == "email" or _is_served(channel[1])):
            today[channel].add(minute)
    return {channel: sorted(minutes) for channel, minutes in today.items()}


def describe_missing(users: list[User], told: Told) -> str:
    """What PagerDuty does to tell somebody, Harness could do, and does not, or does later; "" where nothing is missing."""
    missing = [
        (minute, channel)
        for channel, minutes in _list_today(users).items()
        for minute, there in zip_longest(minutes, told.get(channel, ())[: len(minutes)])
        if there is None or there > minute
    ]
    said = "; ".join(f"by {type} to {address} at minute {minute}" for minute, (type, address) in sorted(missing))
    return f"is not told as today: PagerDuty tells {said}" if said else ""


def find_first_minute(
    rule: NotificationRule | None, methods: list[Channel], known: Keys, blocked: Keys
) -> tuple[int, str]:
    """(minutes until the first step tells somebody, "") or (0, why it tells nobody)."""
    if rule is not None and not rule.steps:
        return 0, "the notification rule in Harness has no step"
    first = rule.steps[0].methods if rule else methods
    reasons = {channel: _judge_address(channel, known, blocked) for channel in first}
    good = [channel for channel, reason in reasons.items() if not reason]
    if good:
        return (rule.steps[0].wait_minutes if rule else min(BY_DEFAULT[channel.type] for channel in good)), ""
    said = "; ".join(dict.fromkeys(reasons.values())) or "it has no channel"
    if rule is None:
        return 0, f"no contact method in Harness can be used: {said}"
    return 0, f"the first step of the notification rule leads nowhere: {said}"


def _judge_address(channel: Channel, known: Keys, blocked: Keys) -> str:
    if _key(channel) not in known:
        return f"the {channel.type} address {channel.address} is not among the contact methods"
    if _key(channel) in blocked:
        return f"the {channel.type} address {channel.address} is blocked or switched off in PagerDuty"
    if channel.type != "email" and not _is_served(channel.address):
        return f"Harness does not serve the country of {channel.address}"
    return ""


def _key(channel: Channel | Contact) -> tuple[str, str]:
    return channel.type, channel.address.strip().lower()


def _is_served(address: str) -> bool:
    number = read_number(address)
    return number is not None and is_served(number)


# --- PagerDuty's side ---


def is_blocked(method: ContactMethod) -> bool:
    return method.blacklisted or not method.enabled


def read_method(method: ContactMethod) -> tuple[str, str] | None:
    """Type and address as Harness would have them; None for what it has no such thing for."""
    if method.type not in TYPES or method.address is None:
        return None
    if TYPES[method.type] == "email":
        return "email", method.address.strip().lower()
    number = read_phone(method)
    return (TYPES[method.type], write_phone(number)) if number else None


def _describe_source(users: list[User]) -> str:
    """What PagerDuty has of somebody of whom nothing arrived."""
    methods = [method for user in users for method in user.contact_methods]
    if not methods:
        return ", and none in PagerDuty" if users else ""
    if all(map(is_blocked, methods)):
        return f": PagerDuty has {len(methods)}, blocked or switched off there"
    open_ones = sorted({_name_type(m.type) for m in methods if not is_blocked(m)})
    return f": PagerDuty has {', '.join(open_ones)} only" if not any(m.type in TYPES for m in methods) else ""


def _name_type(type: str) -> str:
    return type.removesuffix("_contact_method").removesuffix("_notification").replace("_", " ")


def describe_delay(users: list[User], minutes: int) -> str:
    """How much later than today somebody is told; "" where it is not later. minutes: of Harness's first notification."""
    today = list_notifications(users)
    first = min((minute for minute, _ in today), default=minutes)
    if minutes <= first:
        return ""
    late = minutes - first
    apart = sorted({_name_type(type) for minute, type in today if minute < minutes and type not in TYPES})
    rest = f", unless {' and '.join(apart)} is set up in Harness too, which no API shows" if apart else ""
    return f"is told {late} minute{'s' * (late != 1)} later than today{rest}"


def list_notifications(users: list[User]) -> list[tuple[int, str]]:
    """(minute after the page, type) of everything by which PagerDuty tells a person of a page of high urgency."""
    return [(minute, method.type) for minute, method in _list_ways(users)]


def _list_ways(users: list[User]) -> list[tuple[int, ContactMethod]]:
    methods = {method.id: method for user in users for method in user.contact_methods}
    rules = [r for user in users for r in user.notification_rules if r.urgency != "low" and r.contact_method]
    rules = [rule for rule in rules if rule.type not in NOTICES]
    return [
        (rule.start_delay_in_minutes, method)
        for rule in rules
        if rule.start_delay_in_minutes is not None
        and rule.contact_method is not None
        and (method := methods.get(rule.contact_method.id))
        and not is_blocked(method)
    ]
