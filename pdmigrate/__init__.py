"""pdmigrate moves a company's on-call set-up from PagerDuty to Harness AI SRE without anybody missing a page.

Six steps, each a function and a notebook: connect, preview, invite, conflicts, load, verify.

    job = open_job("acme")
    finish(job, connect(job))
    finish(job, preview(job))
"""

from pdmigrate.errors import PdmigrateError
from pdmigrate.pages import look
from pdmigrate.runs.finish import finish
from pdmigrate.steps.conflicts import approve, choose, conflicts, decide, take_back, waive
from pdmigrate.steps.connect import connect
from pdmigrate.steps.history import history
from pdmigrate.steps.invite import invite
from pdmigrate.steps.job import Job, open_job
from pdmigrate.steps.load import load
from pdmigrate.steps.preview import preview
from pdmigrate.steps.undo import undo
from pdmigrate.steps.verify import verify

__version__ = "0.1.0"

__all__ = [
    "Job",
    "PdmigrateError",
    "approve",
    "choose",
    "conflicts",
    "connect",
    "decide",
    "finish",
    "history",
    "invite",
    "load",
    "look",
    "open_job",
    "preview",
    "take_back",
    "undo",
    "verify",
    "waive",
]
