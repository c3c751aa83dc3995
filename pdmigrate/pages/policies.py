"""The section of the page verify about policies: who is on call at each level, by whose word."""

from pdmigrate.pages.report import Section, Tag, make_table
from pdmigrate.pages.words import format_hours, format_instant
from pdmigrate.parity.policies import LevelParity, PolicyParity, count_policies, describe_begins, describe_people
from pdmigrate.steps.verify import Verified

TONES = {"differ": "bad", "unverified": "warn", "agree": "good"}
FOLDED = 40


def section_policies(verified: Verified) -> Section:
    """Every level of every policy, those that differ first, each with its first difference.

    Before them, without a level, policies that page for no service and whose levels begin at other minutes.
    """
    levels = [(policy, level) for policy in verified.policies for level in policy.levels]
    levels.sort(key=lambda one: (-one[1].differ, -one[1].unverified, one[0].name.casefold(), one[1].number))
    otherwise = [one for one in verified.policies if one.begins and one.begins.before != one.begins.after]
    rows: list[tuple[PolicyParity, LevelParity | None]] = [*((policy, None) for policy in otherwise), *levels]
    table = make_table(
        rows,
        {
            "Policy": lambda one: one[0].name,
            "Level": lambda one: one[1].number if one[1] else "all",
            "Agree": lambda one: one[1] and format_hours(one[1].agree),
            "Differ": lambda one: one[1] and format_hours(one[1].differ),
            "Unverified": lambda one: one[1] and format_hours(one[1].unverified),
            "Result": lambda one: _tag(one[1].grade if one[1] else "differ"),
            "First difference": lambda one: _describe_first(one[1]) if one[1] else [_describe_begins(one[0])],
            "Why unverified": lambda one: list(one[1].notes) if one[1] else [],
        },
        "No escalation policy is in scope.",
    )
    return Section("Who is on call at each level", _describe_text(verified), table, open_up_to=FOLDED)


def _tag(grade: str) -> Tag:
    return Tag(grade, TONES[grade])


def _describe_begins(policy: PolicyParity) -> str:
    if policy.begins is None:
        return ""
    return describe_begins(policy.begins) + ("" if policy.begins.unexplained else ", by decision")


def _describe_text(verified: Verified) -> str:
    counts = count_policies(verified.policies)
    told = ", ".join(f"{number} {grade}" for grade, number in counts.items())
    return (
        f"Of {len(verified.policies)} policies: {told}. PagerDuty's own word on every level (its /oncalls) beside what we "
        "read out of its schedules and targets, and the same people beside those whom the level pages in Harness. It looks "
        "at most 90 days ahead and leaves out policies of no service: what it does not say is unverified. When the levels of a "
        "policy begin shows in the pages of its services; of one that pages for none it is compared here. PagerDuty is asked now; "
        f"the rest was read at {verified.draft.account.taken:%Y-%m-%d %H:%M} UTC: if PagerDuty was changed since, run "
        "preview again."
    )


def _describe_first(level: LevelParity) -> list[str]:
    """Each kind of difference once, with the first moment and the people on both sides."""
    kinds = (("PagerDuty says", "we read", level.differences), ("in PagerDuty", "in Harness", level.target_differences))
    return [_describe(left, right, *min(found, key=lambda one: one[:2])) for left, right, found in kinds if found]


def _describe(left: str, right: str, start: int, end: int, before: frozenset[str], after: frozenset[str]) -> str:
    span = f"{format_instant(start, 'UTC')} to {format_instant(end, 'UTC')} UTC"
    return f"{span}: {left} {describe_people(before)}; {right} {describe_people(after)}"
