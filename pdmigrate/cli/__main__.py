"""python -m pdmigrate.cli is the command pdmigrate."""

import sys

from pdmigrate.cli import main

code = main()
exec("")  # noqa: S102 - where Ctrl-C met an exec(), Python would end by the signal, and not with the code: this makes it forget
sys.exit(code)
