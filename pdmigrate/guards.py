"""The reasons to refuse a plan: one function and one sentence each. Pure; fail closed."""

from datetime import datetime, timedelta

OLDEST_SNAPSHOT = timedelta(hours=24)
NEEDED = ("team_members", "schedules_v3")
"""The kinds without which an account is read, and no plan may be loaded. Without any other the reading itself fails."""


def check_account(source: str, others: list[str]) -> str | None:
    """A workspace that has carried over one account must not go on with another."""
    if not others:
        return None
    return (
        f"This workspace has carried over {', '.join(others)} and the source is {source} now: make another workspace."
    )


def check_age(taken: datetime, now: datetime) -> str | None:
    """What PagerDuty said yesterday may page the wrong person today."""
    if now - taken <= OLDEST_SNAPSHOT:
        return None
    hours = int((now - taken).total_seconds() // 3600)
    return f"The snapshot is {hours} hours old, {int(OLDEST_SNAPSHOT.total_seconds() // 3600)} is the limit: run preview again."


def check_complete(unread: dict[str, str]) -> str | None:
    """What the key may not read is not empty: a migration without it would page the wrong people, or nobody."""
    forbidden = {kind: why for kind, why in unread.items() if kind in NEEDED and why.startswith("forbidden")}
    if not forbidden:
        return None
    named = "; ".join(f"{kind.replace('_', ' ')}: {why}" for kind, why in forbidden.items())
    return f"The source was not read whole ({named}): use a key that may read them, then run preview again."


def check_hidden(hidden: list[str]) -> str | None:
    """PagerDuty leaves out of its lists, in silence, what the key may not read: a reference is the only sign of it."""
    if not hidden:
        return None
    shown = "; ".join(hidden[:5]) + (f"; and {len(hidden) - 5} more" if len(hidden) > 5 else "")
    return (
        f"No list of PagerDuty has shown some schedules that policies in scope name: {shown}. Use a key that may read them, "
        "or take them out of the policy, then run preview again."
    )


def check_target(planned: str, found: str) -> str | None:
    """A plan is for one account, org and project."""
    return None if planned == found else f"The plan is for {planned}, the settings name {found}: run conflicts again."


def check_survey(survey: str | None) -> str | None:
    """A survey is a file: what is planned against it is loaded elsewhere."""
    if not survey:
        return None
    return f"The target is the survey {survey}, a file: take target.survey out of migration.yaml where the keys are, and load there."
