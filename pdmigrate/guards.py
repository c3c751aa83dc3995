"""The reasons to refuse a plan: one function and one sentence each. Pure; fail closed."""

from datetime import datetime, timedelta

OLDEST_SNAPSHOT = timedelta(hours=24)


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


def check_target(planned: str, found: str) -> str | None:
    """A plan is for one account, org and project."""
    return None if planned == found else f"The plan is for {planned}, the settings name {found}: run conflicts again."


def check_survey(survey: str | None) -> str | None:
    """A survey is a file: what is planned against it is loaded elsewhere."""
    if not survey:
        return None
    return f"The target is the survey {survey}, a file: take target.survey out of migration.yaml where the keys are, and load there."
