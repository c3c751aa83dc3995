"""python -m pdmigrate.cli is the command pdmigrate."""

import sys

from pdmigrate.cli import main

sys.exit(main())
