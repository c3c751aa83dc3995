"""pdmigrate moves a company's on-call set-up from PagerDuty to Harness AI SRE without anybody missing a page.

Six steps, each a function and a notebook: connect, preview, invite, conflicts, load, verify.

    job = open_job("acme")
    finish(job, connect(job))
    finish(job, preview(job))
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from pdmigrate.errors import PdmigrateError
    from pdmigrate.pages import mask
    from pdmigrate.runs.finish import finish
    from pdmigrate.runs.looking import look
    from pdmigrate.runs.opening import open_job
    from pdmigrate.steps.conflicts import approve, choose, conflicts, decide, take_back, waive
    from pdmigrate.steps.connect import connect
    from pdmigrate.steps.history import history
    from pdmigrate.steps.invite import invite
    from pdmigrate.steps.job import Job
    from pdmigrate.steps.load import load
    from pdmigrate.steps.parallel import parallel
    from pdmigrate.steps.preview import preview
    from pdmigrate.steps.prove import prove
    from pdmigrate.steps.replay import replay
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
    "mask",
    "open_job",
    "parallel",
    "preview",
    "prove",
    "replay",
    "take_back",
    "undo",
    "verify",
    "waive",
]

_HOMES = {
    "Job": "steps.job",
    "PdmigrateError": "errors",
    "approve": "steps.conflicts",
    "choose": "steps.conflicts",
    "decide": "steps.conflicts",
    "finish": "runs.finish",
    "look": "runs.looking",
    "mask": "pages",
    "open_job": "runs.opening",
    "take_back": "steps.conflicts",
    "waive": "steps.conflicts",
}
"""Where a name comes from; a step that is not here, from the module of its own name."""


def __getattr__(name: str) -> typing.Any:
    """A public name, imported when it is first asked for: the command line's --help needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"pdmigrate.{_HOMES.get(name, f'steps.{name}')}"), name)
