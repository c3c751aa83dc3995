"""Whether the counts add up: what the scope takes in, read from the source, against what the mapping has said about it.

What is out of scope follows from the scope and the rules alone, never from what the mapping left unsaid: whatever is in
scope and has no outcome was forgotten, and whatever has two is counted twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from pdmigrate.mapping.mapped import Outcome
from pdmigrate.mapping.overrides import count_overrides, key_overrides, read_known
from pdmigrate.mapping.scope import Reasons, list_records
from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.records import Schedule, User
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.plan.actions import LedgerEntry

CONTACTS = ("contact_methods", "notification_rules")
SourceKey = tuple[str, str]
"""Kind and id of an object of PagerDuty; overrides have the keys that `key_overrides` gives them."""


def count_out_of_scope(account: Account, reasons: Reasons, contact_details: bool) -> dict[str, int]:
    """Objects that stay behind because nobody chose them, or, contact details, because the rules leave them out."""
    records = list_records(account)
    out = {kind: sum(id not in reasons[kind] for id in there) for kind, there in records.items()}
    left = [user for id, user in account.users.items() if not contact_details or id not in reasons["users"]]
    out |= {kind: sum(len(getattr(user, kind)) for user in left) for kind in CONTACTS}
    behind = [one for id, one in account.all_schedules.items() if id not in reasons["schedules"]]
    return out | {"overrides": sum(count_overrides(one, account.since) for one in behind)}


def find_miscounted(
    account: Account,
    reasons: Reasons,
    contact_details: bool,
    ledger: dict[SourceKey, LedgerEntry],
    outcomes: Iterable[Outcome],
) -> tuple[str, ...]:
    """A sentence for each object in scope of which the mapping says nothing, or says it more than once.

    contact_details: whether the rules carry them over. Empty where every object in scope has exactly one outcome.
    """
    due = list(_list_due(account, reasons, contact_details, ledger))
    wanted = Counter(place for place, _ in due)
    said = Counter((outcome.kind, outcome.id) for outcome in outcomes)
    names = dict(due)
    wrong = [(place, said[place], number) for place, number in wanted.items() if said[place] != number]
    return tuple(_describe(place, names[place], found) for place, found, _ in wrong)


def _describe(place: SourceKey, name: str, found: int) -> str:
    kind, id = place
    said = "nothing says what becomes of it" if not found else f"what becomes of it is said {found} times"
    return (
        f"{kind.replace('_', ' ')} {name} ({id}): it is in scope, and {said}; this is an error of pdmigrate: report it"
    )


def _list_due(
    account: Account, reasons: Reasons, contact_details: bool, ledger: dict[SourceKey, LedgerEntry]
) -> Iterator[tuple[SourceKey, str]]:
    """Every object in scope, with its name."""
    for kind, there in list_records(account).items():
        for id, record in there.items():
            if id not in reasons[kind]:
                continue
            yield (kind, id), record.name
            if isinstance(record, User) and contact_details:
                for part in CONTACTS:
                    yield from (((part, thing.id), f"of {record.name}") for thing in getattr(record, part))
            if isinstance(record, Schedule | ScheduleV3):
                yield from (((("overrides", key), f"in {record.name}")) for key in _list_dated(account, record, ledger))


def _list_dated(
    account: Account, schedule: Schedule | ScheduleV3, ledger: dict[SourceKey, LedgerEntry]
) -> Iterator[str]:
    """The keys of overrides and custom shifts that are not over."""
    if isinstance(schedule, ScheduleV3):
        yield from (one.id for one in schedule.overrides if one.end_time > account.since)
        yield from (one.id for one in schedule.custom_shifts if one.end_time > account.since)
        return
    keys = key_overrides(schedule, read_known(ledger), account.since)
    yield from (key for key, one in zip(keys, schedule.overrides, strict=True) if one.end > account.since)
