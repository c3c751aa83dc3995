"""Whether a person sits before the notebook: then nothing that waits for an answer is an error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_nobody = ContextVar("_nobody", default=False)


def find_shell() -> Any:
    """IPython's shell, where there is one."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def is_interactive() -> bool:
    """Whether a person sits before the notebook: papermill, nbconvert and nbval allow no input, JupyterLab does."""
    if _nobody.get() or os.environ.get("PDMIGRATE_HEADLESS"):
        return False
    kernel = getattr(find_shell(), "kernel", None)
    return bool(kernel and kernel.get_parent("shell").get("content", {}).get("allow_stdin"))


@contextmanager
def nobody_there() -> Iterator[None]:
    """Until it ends, what is called sees no person: it shows what it shows headless."""
    before = _nobody.set(True)
    try:
        yield
    finally:
        _nobody.reset(before)
