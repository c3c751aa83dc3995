"""PagerDuty's own word on who is on call at each level of each policy, asked for where it is to be compared."""

from collections.abc import Iterable
from dataclasses import replace

from pdmigrate.pagerduty.account import Account
from pdmigrate.pagerduty.evidence import read_oncalls
from pdmigrate.steps.job import Job


def ask_levels(job: Job, account: Account, policy_ids: Iterable[str]) -> tuple[Account, int]:
    """The account with what PagerDuty says of these policies, and the requests it took; a snapshot has what it has."""
    if job.source is None:
        return account, 0
    said, requests = job.source.read_oncalls(account.since, account.until, policy_ids)
    job.oncall_requests += requests
    return replace(account, oncalls=read_oncalls(said)), requests
