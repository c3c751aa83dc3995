"""For a command that a test starts: Python imports this first where the folder is on its path."""

import kernels_over_files  # noqa: F401
