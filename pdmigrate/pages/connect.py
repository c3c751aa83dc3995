"""The page of step 1."""

from operator import itemgetter

from pdmigrate.pagerduty.access import Readable
from pdmigrate.pagerduty.needs import FORBIDDEN, explain_refusal
from pdmigrate.pages.show import Columns, Figure, Page, Section, Tag, make_table
from pdmigrate.pages.words import KIND_NAMES, format_requests
from pdmigrate.steps.connect import Access


def make_page(access: Access) -> Page:
    number, by_api = len(access.capabilities), sum(way == "by API" for way in access.capabilities.values())
    lead = f"Both accounts answer: PagerDuty {describe_account(access.subdomain)} and Harness {access.target}."
    figures = (
        Figure("Kinds by API", f"{by_api} of {number}", "good" if by_api == 8 else "warn"),
        Figure("Requests to PagerDuty", format_requests(access.source_requests, access.source_retries)),
    )
    return Page("connect", "Connect", lead, figures=figures)


def describe_account(subdomain: str) -> str:
    """The account's name, or that nothing says it."""
    return subdomain or "(no link in its answers tells its name: write it as source.subdomain)"


def section_checks(access: Access) -> Section:
    """What was asked of each side, and the answer."""
    door = f" (where our contract would be it answers: {access.door})" if access.door else ""
    own = "The key is good, and opens this account" if access.readable else "The snapshot is of this account"
    checks: list[tuple[str, str, str | list[str]]] = [
        ("PagerDuty", own, describe_account(access.subdomain)),
        ("PagerDuty", "What the account can do", list(access.abilities) or _describe_silence(access)),
        ("Harness", "The key is good, org and project are there", access.target),
        (
            "Harness",
            "On-call objects can be written by API",
            "yes" if access.oncall else f"no: to do by hand{door}",
        ),
    ]
    checks += ((side, "How requests leave", way) for side, way in access.ways.items())
    columns = {"Side": itemgetter(0), "Check": itemgetter(1), "Answer": itemgetter(2)}
    return Section("Checks", table=make_table(checks, columns))


def _describe_silence(access: Access) -> str:
    """Why no abilities are there to show."""
    if access.abilities_unread:
        return f"not told: {explain_refusal(access.abilities_unread, 'abilities', FORBIDDEN)}"
    return "none is named" if access.readable else "a snapshot: nothing was asked"


def section_readable(access: Access) -> Section:
    """What the key may read in PagerDuty, kind by kind."""
    columns: Columns[Readable] = {
        "Kind": lambda r: KIND_NAMES.get(r.kind, "Shift-based schedules"),
        "The key": _judge_reading,
        "Objects": lambda r: r.number,
    }
    if any(r.why or r.meaning for r in access.readable):
        columns = {**columns, "PagerDuty's words": lambda r: r.why, "What that means": lambda r: r.meaning}
    table = make_table(access.readable, columns, "A snapshot: nothing was asked.")
    text = {
        True: "The list of schedules renders who is on call: a hundred schedules a request.",
        False: "The list of schedules does not render who is on call here: preview asks for every schedule by itself.",
        None: "",
    }
    return Section("What the key may read", text[access.final_on_lists], table)


def section_capabilities(access: Access) -> Section:
    """How the target takes each kind."""
    text = (
        "Harness publishes an API for users, user groups and services. For schedules, overrides, escalation policies, contact "
        "details and notification rules there is none; where a target speaks the contract in docs/oncall-contract.md, which is "
        "ours and not Harness's, they are written through it. Otherwise they become a list of things to do by hand."
    )
    ways = {**{KIND_NAMES[kind]: way for kind, way in access.capabilities.items()}, **access.beyond}
    table = make_table(ways, {"Kind": lambda name: name, "How": lambda name: Tag(ways[name], _tone(ways[name]))})
    return Section("What the target can take", text, table)


def _judge_reading(found: Readable) -> Tag:
    if found.absent:
        return Tag("the account has none", "warn")
    return Tag("may be read", "good") if found.allowed else Tag("may not be read", "bad")


PARTS = {"checks": section_checks, "readable": section_readable, "capabilities": section_capabilities}


def _tone(way: str) -> str:
    return "good" if way.startswith("by API") else "bad" if way.startswith("not at all") else "warn"
