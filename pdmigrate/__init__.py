"""pdmigrate moves a company's on-call set-up from PagerDuty to Harness AI SRE without anybody missing a page.

Six steps, each a function and a notebook: connect, preview, invite, conflicts, load, verify.

    job = open_job("acme")
    finish(job, connect(job))
    finish(job, preview(job))
"""

from pdmigrate.conflicts import approve, choose, conflicts, decide, take_back, waive
from pdmigrate.connect import connect
from pdmigrate.errors import PdmigrateError
from pdmigrate.finish import finish
from pdmigrate.history import history
from pdmigrate.invite import invite
from pdmigrate.job import Job, open_job
from pdmigrate.load import load
from pdmigrate.pages import look
from pdmigrate.preview import preview
from pdmigrate.undo import undo
from pdmigrate.verify import verify

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
