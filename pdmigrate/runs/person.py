"""Whether a person sits before the notebook: then nothing that waits for an answer is an error."""

import os
import sys
from typing import Any


def find_shell() -> Any:
    """IPython's shell, where there is one."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def is_interactive() -> bool:
    """Whether a person sits before the notebook: papermill, nbconvert and nbval allow no input, JupyterLab does."""
    if os.environ.get("PDMIGRATE_HEADLESS"):
        return False
    kernel = getattr(find_shell(), "kernel", None)
    return bool(kernel and kernel.get_parent("shell").get("content", {}).get("allow_stdin"))
