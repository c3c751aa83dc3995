"""A corner of the company, carried over, for tests of policies level by level."""

from small_company import cut_down
from source_http import QUICK

from pdmigrate import conflicts, load, open_job, preview
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json

FEW = ("PSERV01", "PSERV02")
"""Platform, and Platform follow-the-sun."""


def carry_over(folder, services):
    """A corner of the company, carried over; every test starts from a copy."""
    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock()), services))
    with open_job(folder) as job:
        preview(job)
        conflicts(job)
        load(job, "all")
    return folder


def open_quickly(folder):
    with open_job(folder) as opened:
        opened.source.transport.patience = QUICK
        yield opened


def grades(verified):
    return {policy.id: policy.grade for policy in verified.policies}


def level_of(verified, policy_id, number):
    [seen] = [policy for policy in verified.policies if policy.id == policy_id]
    return seen.levels[number - 1]
