"""How people are reached: contact methods to contact details, high-urgency notification rules to steps with waits."""

from collections import defaultdict
from collections.abc import Iterable

from pdmigrate.harness import records as harness
from pdmigrate.mapping.left_behind import describe_left, stop_unknown
from pdmigrate.mapping.mapped import FieldOutcome, Grade, Mapped, Outcome, Stop, exact, judge_field
from pdmigrate.mapping.numbers import (
    RIGHT,
    describe_extension,
    is_known,
    is_possible,
    is_served,
    name_country,
    read_phone,
    write_phone,
)
from pdmigrate.pagerduty.records import ContactMethod, NotificationRule, User
from pdmigrate.plan.actions import Desired, Held

LABELS = {"work": "Work", "office": "Work", "home": "Home"}
PUSH = "push_notification_contact_method"
SLACK = "slack_contact_method"
LINKED = {
    PUSH: ("the mobile app registers itself: the person installs Harness's", "the person sets up the mobile app"),
    SLACK: ("Slack is linked by the person himself, in Harness", "the person links Slack"),
}
"""Channels that people set up themselves: what is said of the contact method, and of a rule that uses it."""
ASSIGNMENT = "assignment_notification_rule"
NOTICES = {
    "oncall_handoff_notification_rule": "it tells of a turn that begins or ends, and pages nobody: Harness documents none",
    "status_update_notification_rule": "it tells of status updates, and pages nobody: Harness documents none",
}
"""Rules that are no part of a page."""
TYPES: dict[str, harness.ChannelType] = {
    "email_contact_method": "email",
    "phone_contact_method": "phone",
    "sms_contact_method": "sms",
}
OF_NUMBERS = {"phone_country": "country", "unknown_number": "number"}
"""What is asked about a number, and what of it."""
OPEN = " (open question)"


def map_contacts(mapped: Mapped) -> None:
    """Want the contact details and the notification rule of everybody who is carried over."""
    first: dict[str, User] = {}
    for user in mapped.in_scope("users"):
        email = mapped.emails.get(user.id)
        if email is None:
            _lose_all(mapped, user, mapped.stop_behind("users", user.id, f"{user.name} is not carried over"))
            continue
        if first.setdefault(email, user) is not user:
            _lose_all(mapped, user, _stop_same(mapped, user, first[email]))
            continue
        before = len(mapped.outcomes)
        reached = _map_methods(mapped, user, email)
        _map_rules(mapped, user, email, reached)
        _ask_lost(mapped, user, mapped.outcomes[before:])


def _stop_same(mapped: Mapped, user: User, other: User) -> Stop:
    """Two of PagerDuty are one person, by the answer about either of them."""
    keys = (f"user_found_twice:{one.id}" for one in (user, other))
    decided = next((key for key in keys if key in mapped.questions.answered), "")
    return Stop(f"{other.name} is the same person in Harness, and his are carried over", not decided, decided)


def _lose_all(mapped: Mapped, user: User, stop: Stop) -> None:
    for kind, things in (("contact_methods", user.contact_methods), ("notification_rules", user.notification_rules)):
        for thing in things:
            name = f"{user.name}: {thing.summary or thing.id}"
            mapped.lose(kind, thing.id, name, stop.reason, stop.waits, stop.decided)


def _map_methods(mapped: Mapped, user: User, email: str) -> dict[str, harness.Contact]:
    """PagerDuty id of each method that moves to the channel that it becomes."""
    channels = {}
    for method in user.contact_methods:
        channel, grade, reason = _judge_method(mapped, user, method)
        if channel:
            channels[method.id] = channel
        elif grade:
            _book(mapped, "contact_methods", method, user, grade, reason)
    if channels:
        methods = sorted(set(channels.values()), key=lambda one: (one.address, one.label, one.type))
        details, name = harness.ContactDetails(email=email, methods=tuple(methods)), f"Contact details of {user.name}"
        sources, needs = tuple(channels), (("users", user.id),)
        desired = Desired("contact_methods", user.id, email, name, details, sources, needs)
        moved = [method for method in user.contact_methods if method.id in channels]
        mapped.want(desired, exact("type"), own={one.id: _method_fates(one, channels[one.id]) for one in moved})
    return channels


def _method_fates(method: ContactMethod, channel: harness.Contact) -> list[FieldOutcome]:
    label = (method.label or "").strip()
    same = label.lower() in ("", channel.label.lower())
    said = f"the label {label} becomes {channel.label}: Harness knows Work, Home and Other"
    return [
        judge_field("address", describe_cut(method)),
        judge_field("label", "" if same else said),
        *describe_left(method),
    ]


def describe_cut(method: ContactMethod) -> str:
    """What becomes of the extension of a telephone number; "" where there is none."""
    called = TYPES.get(method.type) in ("phone", "sms") and method.address
    return describe_extension(read_phone(method)) if called else ""


def _judge_method(
    mapped: Mapped, user: User, method: ContactMethod
) -> tuple[harness.Contact | None, Grade | None, str]:
    """(channel, None, "") for one that moves, (None, grade, reason) for one that does not."""
    if method.type in LINKED:
        return None, "handed_over", LINKED[method.type][0]
    if method.type not in TYPES:
        return None, "lost", f"Harness has no {method.type.removesuffix('_contact_method').replace('_', ' ')}"
    if method.address is None:
        return None, "lost", "PagerDuty gave a reference only, no address"
    if method.blacklisted or not method.enabled:
        return None, "lost", "blocked or switched off in PagerDuty"
    label = LABELS.get((method.label or "").strip().lower(), "Other")
    if TYPES[method.type] == "email":
        return harness.Contact(type="email", address=method.address.strip().lower(), label=label), None, ""
    return _judge_phone(mapped, user, method, label)


def _judge_phone(
    mapped: Mapped, user: User, method: ContactMethod, label: str
) -> tuple[harness.Contact | None, Grade | None, str]:
    number = read_phone(method)
    if number is None:
        return None, "lost", f"+{method.country_code} {method.address} is no phone number"
    written = write_phone(number)
    if not is_known(number):
        words = {
            "written": written,
            "dialled": f"{written}, extension {number.extension}," if number.extension else f"{written},",
            "recommended": RIGHT if is_possible(number) else "leave_out",
        }
        choice = _ask_about(mapped, user, method, "unknown_number", **words)
        if choice != RIGHT:
            return None, "lost", f"{written} is no phone number that is known{OPEN * (not choice)}"
    if is_served(number):
        return harness.Contact(type=TYPES[method.type], address=written, label=label), None, ""
    country = name_country(number)
    mapped.unserved.setdefault(country, []).append(user.name)
    choice = _ask_about(mapped, user, method, "phone_country", country=country)
    return None, "lost", f"Harness does not call {country}{OPEN * (not choice)}"


def _ask_about(mapped: Mapped, user: User, method: ContactMethod, about: str, **words: str) -> str:
    """The choice about one number; "" while the question is open, which holds the number back."""
    answer = mapped.ask(about, "contact_methods", method.id, user.name, **words)
    if answer is None:
        said = f"open question: its {OF_NUMBERS[about]}"
        mapped.held.append(Held("contact_methods", method.id, user.name, said, True, (method.id,)))
    return answer.choice if answer else ""


def _map_rules(mapped: Mapped, user: User, email: str, reached: dict[str, harness.Contact]) -> None:
    kept: dict[int, set[harness.Channel]] = defaultdict(set)
    moved = []
    for rule in user.notification_rules:
        grade, reason = _judge_rule(rule, reached)
        if grade or rule.contact_method is None or rule.start_delay_in_minutes is None:
            _book(mapped, "notification_rules", rule, user, grade or "lost", reason)
        elif stop := stop_unknown(mapped, "notification_rules", rule):
            name = f"{user.name}: {rule.summary or rule.id}"
            mapped.lose("notification_rules", rule.id, name, stop.reason, stop.waits, stop.decided)
        else:
            moved.append(rule)
            contact = reached[rule.contact_method.id]
            kept[rule.start_delay_in_minutes].add(harness.Channel(type=contact.type, address=contact.address))
    if moved:
        _want_rules(mapped, user, email, moved, harness.NotificationRule(email=email, steps=_make_steps(kept)))


def _want_rules(
    mapped: Mapped, user: User, email: str, moved: list[NotificationRule], wanted: harness.NotificationRule
) -> None:
    sources, needs = tuple(rule.id for rule in moved), (("users", user.id), ("contact_methods", user.id))
    name = f"Notification rule of {user.name}"
    minutes = find_first_minute(user, sources)
    late = minutes and not mapped.state.oncall  # our contract has a wait before every step
    wait = judge_field("start_delay_in_minutes", describe_first_wait(minutes) if late else "")
    desired = Desired("notification_rules", user.id, email, name, wanted, sources, needs)
    mapped.want(
        desired, [wait, *exact("contact_method", "urgency")], own={rule.id: describe_left(rule) for rule in moved}
    )


def find_first_minute(user: User, sources: Iterable[str]) -> int:
    """When the person is first told, the app and Slack included, which he sets up himself. sources: ids of rules that move."""
    told = [rule for rule in user.notification_rules if rule.id in sources or _is_linked(rule)]
    return min(rule.start_delay_in_minutes for rule in told if rule.start_delay_in_minutes is not None)


def _is_linked(rule: NotificationRule) -> bool:
    if rule.start_delay_in_minutes is None or rule.contact_method is None or rule.urgency == "low":
        return False
    return rule.type == ASSIGNMENT and rule.contact_method.type in LINKED


def describe_first_wait(minutes: int) -> str:
    """What becomes of a wait before the first step, for whoever types the rule in."""
    return (
        f"PagerDuty waits {minutes} min before the first notification; Harness documents waits between steps only: "
        f"where its form takes none before the first, it comes {minutes} min earlier."
    )


def _judge_rule(rule: NotificationRule, reached: dict[str, harness.Contact]) -> tuple[Grade | None, str]:
    """(None, "") for a rule that moves, else (grade, reason)."""
    if rule.type in NOTICES:
        return "lost", NOTICES[rule.type]
    if rule.start_delay_in_minutes is None or rule.contact_method is None:
        return "lost", "PagerDuty gave a reference only, no delay"
    if rule.urgency == "low":
        return "lost", "for low urgency, which Harness does not know"
    if rule.contact_method.id in reached:
        return None, ""
    if _is_linked(rule):
        return "handed_over", LINKED[rule.contact_method.type][1]
    return "lost", "its contact method is not carried over"


def _make_steps(kept: dict[int, set[harness.Channel]]) -> tuple[harness.Step, ...]:
    """PagerDuty's delays count from the assignment, Harness's waits from the step before: the differences are exact."""
    steps, last = [], 0
    for delay in sorted(kept):
        methods = sorted(kept[delay], key=lambda channel: (channel.type, channel.address))
        steps.append(harness.Step(methods=tuple(methods), wait_minutes=delay - last))
        last = delay
    return tuple(steps)


def _ask_lost(mapped: Mapped, user: User, outcomes: Iterable[Outcome]) -> None:
    """Ask once about what pages the person today and is lost. outcomes: what becomes of his contact methods and rules.

    What is blocked or switched off in PagerDuty pages nobody today; what is asked about a number has a question of its own.
    """
    lost = {outcome.id: outcome.reason for outcome in outcomes if outcome.grade == "lost"}
    bare = (r for r in user.notification_rules if r.start_delay_in_minutes is None or r.contact_method is None)
    unread = [rule for rule in bare if rule.id in lost]
    high = [rule for rule in user.notification_rules if rule.urgency != "low"]
    used = {rule.contact_method.id for rule in high if rule.contact_method is not None}
    silent = [
        method
        for method in user.contact_methods
        if method.id in lost and (method.id in used or unread) and method.enabled and not method.blacklisted
    ]
    asked = mapped.questions.open.keys() | mapped.questions.answered.keys()
    own = {m.id for m in silent if any(f"{about}:{m.id}" in asked for about in OF_NUMBERS)}
    said = [f"{m.summary or m.id}: {lost[m.id]}" for m in silent if m.id not in own]
    said += [f"{len(unread)} notification rules came without their delay or contact method"] if unread else []
    if said and mapped.ask("lost_contact", "contact_methods", user.id, user.name, said="; ".join(said)) is None:
        ids = (*(one.id for one in silent), *(one.id for one in unread))
        mapped.held.append(Held("contact_methods", user.id, user.name, "open question: lost contacts", True, ids))


def _book(
    mapped: Mapped, kind: str, thing: ContactMethod | NotificationRule, user: User, grade: Grade, reason: str
) -> None:
    name = f"{user.name}: {thing.summary or thing.id}"
    mapped.outcomes.append(
        Outcome(kind, thing.id, name, grade, reason, (FieldOutcome("contact_method", grade, reason),))
    )
