"""Processes that hold a workspace or answer in it, for the tests. Apart from them: each process imports its module, and these should start at once."""

import os
import time

from kill_loads import PATIENCE

from pdmigrate.errors import WorkspaceHeldError
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.hold import TOKENS, hold


def hold_for_long(place, folder, ready):
    with hold(place, "acme", folder, "load", read_clock()):
        ready.set()
        time.sleep(PATIENCE)


def try_hold(place, folder, tokens, said, release):
    os.environ[TOKENS] = tokens
    try:
        with hold(place, "acme", folder, "load", read_clock()):
            said.put("held")
            release.wait(PATIENCE)
    except WorkspaceHeldError as error:
        said.put(str(error))


def lend(folder, token, ready, over):
    with hold(folder / "journal.sqlite", "acme", folder, "run load", read_clock(), token):
        ready.set()
        over.wait(PATIENCE)


def lend_as(pid, *rest):
    os.getpid = lambda: pid
    lend(*rest)


def decide_many(folder, names):
    """Answers about these people, one after the other, beside whoever else answers."""
    from pdmigrate import decide, open_job  # those who hold should not wait for it

    with open_job(folder) as job:
        for name in names:
            decide(job, "user_not_found", name, "leave_out", by=name)
