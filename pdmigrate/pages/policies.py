"""The section of the page verify about policies: who is on call at each level, by whose word."""

from typing import Any

from pdmigrate.pages.report import Section, Tag, make_table
from pdmigrate.pages.words import tell_hours, tell_instant
from pdmigrate.parity.policies import LevelParity, PolicyParity, count_policies, tell_begins, tell_people
from pdmigrate.steps.verify import Verified

TONES = {"differ": "bad", "unverified": "warn", "agree": "good"}
FOLDED = 40


def section_policies(verified: Verified) -> Section:
    """Every level of every policy, those that differ first, each with its first difference."""
    levels = [(policy, level) for policy in verified.policies for level in policy.levels]
    levels.sort(key=lambda one: (-one[1].differ, -one[1].unverified, one[0].name.casefold(), one[1].number))
    rows = [
        {
            "name": policy.name,
            "level": level.number,
            "agree": tell_hours(level.agree),
            "differ": tell_hours(level.differ),
            "unverified": tell_hours(level.unverified),
            "grade": Tag(level.grade, TONES[level.grade]),
            "first": _tell_first(level),
            "why": list(level.notes),
        }
        for policy, level in levels
    ]
    columns = {
        "name": "Policy",
        "level": "Level",
        "agree": "Agree",
        "differ": "Differ",
        "unverified": "Unverified",
        "grade": "Result",
        "first": "First difference",
        "why": "Why unverified",
    }
    rows = [*map(_tell_begins, filter(_begins_otherwise, verified.policies)), *rows]
    table = make_table(rows, columns, empty="No escalation policy is in scope.")
    return Section("Who is on call at each level", _tell_text(verified), table, folded=len(rows) > FOLDED)


def _begins_otherwise(policy: PolicyParity) -> bool:
    return policy.begins is not None and policy.begins.before != policy.begins.after


def _tell_begins(policy: PolicyParity) -> dict[str, Any]:
    """Of a policy that pages for no service: its levels begin at other minutes."""
    known = policy.begins and policy.begins.unexplained
    told = f"{tell_begins(policy.begins)}{'' if known else ', by decision'}" if policy.begins else ""
    return {"name": policy.name, "level": "all", "grade": Tag("differ", TONES["differ"]), "first": [told]}


def _tell_text(verified: Verified) -> str:
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


def _tell_first(level: LevelParity) -> list[str]:
    """Each kind of difference once, with the first moment and the people on both sides."""
    kinds = (("PagerDuty says", "we read", level.differences), ("in PagerDuty", "in Harness", level.target_differences))
    return [_tell(left, right, *min(found, key=lambda one: one[:2])) for left, right, found in kinds if found]


def _tell(left: str, right: str, start: int, end: int, before: frozenset[str], after: frozenset[str]) -> str:
    span = f"{tell_instant(start, 'UTC')} to {tell_instant(end, 'UTC')} UTC"
    return f"{span}: {left} {tell_people(before)}; {right} {tell_people(after)}"
