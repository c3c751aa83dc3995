"""PagerDuty users to people in Harness, by email; who is not found is a question."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pdmigrate.errors import ALIKE, SettingsError, find_nearest
from pdmigrate.harness.records import Membership
from pdmigrate.mapping.left_behind import describe_left
from pdmigrate.mapping.mapped import FieldOutcome, Mapped, judge_field, stop_by
from pdmigrate.mapping.roles import WATCHERS, Roles, read_roles
from pdmigrate.mapping.scope import list_standing
from pdmigrate.pagerduty.records import User
from pdmigrate.plan.actions import Desired
from pdmigrate.plan.answers import Settled
from pdmigrate.plan.values import describe_unusable

EMAIL = re.compile(r"[^\s@,;<>()\[\]\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
"""What Harness takes for an address; one that it does not take spoils the invitation of a hundred others."""

SHARED_BOXES = {
    *(
        "admin",
        "alert",
        "alerts",
        "all",
        "devops",
        "engineering",
        "group",
        "help",
        "helpdesk",
        "hello",
        "info",
        "infra",
    ),
    *("it", "monitoring", "noc", "oncall", "on-call", "ops", "operations", "platform", "root", "security", "service"),
    *("services", "shared", "soc", "sre", "staff", "support", "sysadmin", "team", "webmaster"),
}
NOBODY_BOXES = {"dummy", "fake", "nobody", "none", "no-one", "noone", "noreply", "no-reply", "pagerduty", "placeholder"}
SHARED_WORDS = re.compile(r"\b(shared|mailbox|distribution list|team account|service account|bot)\b", re.IGNORECASE)
NOBODY_WORDS = re.compile(r"\b(nobody|no[- ]one|placeholder|dummy|unassigned|do not page|black ?hole)\b", re.IGNORECASE)

KIND_WORDS = {
    "person": "",
    "shared": " It looks like a mailbox that several people read: nobody can accept an invitation for all of them.",
    "nobody": " It looks like a stand-in for nobody: whoever pages it pages no one.",
}

BAD_ADDRESS = " Harness takes no such address, and it would spoil the invitations of others."
ABOUT = {"person": "user_not_found", "shared": "shared_mailbox", "nobody": "nobody_user"}
BY_CONTRACT = "; a level that finds nobody on call may pass to the next one at once"
BY_HAND = (
    "; the file of the schedule says (nobody), and Harness documents no empty place: who makes it by hand must see "
    "whether it takes one, and otherwise leave the schedule and come back to this question"
)
"""No rotation is ever made shorter, whatever the target can say."""


def map_people(mapped: Mapped) -> None:
    """Decide for every user in scope who he is in Harness. Fills `mapped.emails`; invitations follow in `want_people`."""
    duties, roles = count_duties(mapped), read_roles(mapped.account)
    users = list(mapped.in_scope("users"))
    guessed = {user.id: guess_email(mapped, user) for user in users}
    twice = Counter(guessed.values())
    for user in users:
        email = guessed[user.id]
        if twice[email] > 1 and not _allow_twice(mapped, user, email):
            continue
        if email in mapped.state.people:
            mapped.emails[user.id] = email
        else:
            _place_stranger(mapped, user, _ask_stranger(mapped, user, email, duties[user.id], roles), twice)


def want_people(mapped: Mapped) -> None:
    """The people as they should be, once the groups that they will join are known: each once, whoever they are here."""
    users: dict[str, list[User]] = {}
    for user in mapped.in_scope("users"):
        if user.id in mapped.emails:
            users.setdefault(mapped.emails[user.id], []).append(user)
    for email, same in users.items():
        _want_person(mapped, email, same)


def _want_person(mapped: Mapped, email: str, users: list[User]) -> None:
    teams = [team for user in users for team in teams_of(mapped, user.id) if team in mapped.groups]
    groups, roles = tuple(sorted({mapped.groups[team] for team in teams})), tuple(sorted(mapped.rules.invite_roles))
    member = Membership(email=email, groups=groups, roles=roles) if roles else Membership(email=email, groups=groups)
    needs, ids = tuple(("teams", team) for team in dict.fromkeys(teams)), tuple(user.id for user in users)
    own = {user.id: _field_outcomes(mapped, user, email) for user in users}
    mapped.want(Desired("users", ids[0], email, users[0].name, member, ids, needs), [], own=own)


def teams_of(mapped: Mapped, user_id: str) -> list[str]:
    """The teams in scope that a user is a member of."""
    return [team_id for team_id in mapped.account.teams_by_member.get(user_id, ()) if team_id in mapped.scope["teams"]]


def count_duties(mapped: Mapped) -> Counter[str]:
    """In how many schedules, overrides and policy levels each user stands, now or later."""
    schedules, now = mapped.account.all_schedules.values(), mapped.account.since
    places = [user.id for schedule in schedules for user in list_standing(schedule, now)]
    rules = [rule for policy in mapped.account.policies.values() for rule in policy.escalation_rules]
    return Counter([*places, *(target.id for rule in rules for target in rule.targets)])


def _place_stranger(mapped: Mapped, user: User, answer: Settled | None, guessed: Counter[str]) -> None:
    if answer is None:
        mapped.undecided.add(user.id)
        mapped.lose("users", user.id, user.name, "nobody has decided yet whether to invite or map this person", True)
    elif answer.choice == "invite":
        mapped.emails[user.id] = guess_email(mapped, user)
    elif answer.choice == "empty_place":
        mapped.nobodies.add(user.id)
        reason = f"nobody by decision ({answer.by}): its places stay empty"
        mapped.lose("users", user.id, user.name, reason, decided=answer.conflict.key)
    elif answer.choice == "map":
        _map_by_hand(mapped, user, answer, guessed)
    else:
        reason = f"left out by decision ({answer.by}): {answer.why}".rstrip(": ")
        mapped.lose("users", user.id, user.name, reason, decided=answer.conflict.key)


def _map_by_hand(mapped: Mapped, user: User, answer: Settled, guessed: Counter[str]) -> None:
    """The answer names somebody else in Harness, who must be there, and may be another user's, whichever comes first."""
    value = (answer.value or "").strip().lower()
    why = describe_unusable("map", value, {"people": mapped.state.people})
    if why:
        mapped.questions.reopen(answer, why)
        mapped.undecided.add(user.id)
        mapped.lose("users", user.id, user.name, f"decided to be {value}, who is not in the Harness project", True)
    elif not (guessed[value] or value in mapped.emails.values()) or _allow_twice(mapped, user, value):
        mapped.emails[user.id] = value


def _ask_stranger(mapped: Mapped, user: User, email: str, duties: int, roles: Roles) -> Settled | None:
    kind, good, watches = name_class(user), is_address(email), roles.watches(user)
    about = ABOUT[kind] if good else "bad_address"
    needed = duties > 0 or any(not roles.observes(user.id, team) for team in teams_of(mapped, user.id))
    invitable = kind == "person" and good and not watches
    empty = about == "nobody_user" and needed
    other = "empty_place" if empty else "map" if about == "shared_mailbox" and duties else "leave_out"
    role = f" The PagerDuty role is {user.role}: {WATCHERS[user.role or '']}, who only looks on." if watches else ""
    words = {
        "email": email,
        "said": (KIND_WORDS[kind] if good else BAD_ADDRESS) + role,
        "duties": f"stands in {duties} place{'s' * (duties > 1)} on call" if duties else "is on call nowhere",
        "empty": BY_CONTRACT if mapped.state.oncall else BY_HAND,
        "recommended": "invite" if needed and invitable else other,
        "changes_paging": empty or (needed and not good) or (duties > 0 and not invitable),
        "note": f"PagerDuty role {roles.describe(user)}",
    }
    return mapped.ask(about, "users", user.id, user.name, **words)


def _allow_twice(mapped: Mapped, user: User, email: str) -> bool:
    answer = mapped.ask("user_found_twice", "users", user.id, user.name, email=email)
    if answer is None:
        mapped.undecided.add(user.id)
    if answer is not None and answer.choice != "leave_out":
        return True
    said = "left out by decision" if answer else "nobody has decided yet"
    return not mapped.stop("users", user, [stop_by(answer, f"two PagerDuty users would be this person; {said}")])


def _field_outcomes(mapped: Mapped, user: User, email: str) -> list[FieldOutcome]:
    there = mapped.state.people.get(email)
    other = there is not None and there.name and there.name != user.name
    return [
        judge_field("name", f"is {there.name!r} in Harness" if there and other else ""),
        judge_field("email", f"paged as {email} by decision" if read_email(user) != email else ""),
        *describe_left(user),
    ]


# --- whom a user would be by the rules alone, and what kind of a user that is ---


def pair_emails(rows: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """PagerDuty's email to Harness's, both in lower case. rows: (place, PagerDuty's, Harness's) of the file of people.

    Raises SettingsError that names the place of a row that cannot be used.
    """
    known: dict[str, str] = {}
    for place, *emails in rows:
        source, target = (email.strip().lower() for email in emails)
        if not source and not target:
            continue
        for email in (source, target):
            if email.count("@") != 1 or " " in email:
                raise SettingsError(f"{place}: {email!r} is no email.")
        if known.setdefault(source, target) != target:
            raise SettingsError(f"{place}: {source} stands there twice, as {known[source]} and as {target}.")
    return known


def find_unused(mapped: Mapped) -> Iterator[str]:
    """Sentences about lines of the file of people that do nothing, since nobody in PagerDuty has that address."""
    known = {read_email(user) for user in mapped.account.users.values()}
    for email in sorted(mapped.people_map.keys() - known):
        near = find_nearest(email, known, ALIKE)
        yield f"rules.people_file: nobody in PagerDuty has the address {email}{near}: that line does nothing."


def read_email(user: User) -> str:
    return user.email.strip().lower()


def guess_email(mapped: Mapped, user: User) -> str:
    """The address in Harness: by the file of people, else as it is where Harness knows it, else by the renamed domain."""
    email = read_email(user)
    if email in mapped.people_map:
        return mapped.people_map[email]
    name, _, domain = email.rpartition("@")
    renamed = {old.lower(): new.lower() for old, new in mapped.rules.renamed_domains.items()}
    moved = f"{name}@{renamed[domain]}" if domain in renamed else email
    return email if email in mapped.state.people and moved not in mapped.state.people else moved


def is_address(email: str) -> bool:
    return EMAIL.fullmatch(email) is not None


def name_class(user: User) -> str:
    """`shared` for a mailbox that several read, `nobody` for a user that fills an empty place, else `person`."""
    box = read_email(user).partition("@")[0]
    words = set(re.split(r"[._+-]", box))
    if box in NOBODY_BOXES or words & {"nobody", "placeholder", "dummy"} or NOBODY_WORDS.search(user.name):
        return "nobody"
    if box in SHARED_BOXES or words & {"ops", "oncall", "team", "noc", "alerts"} or SHARED_WORDS.search(user.name):
        return "shared"
    return "person"
