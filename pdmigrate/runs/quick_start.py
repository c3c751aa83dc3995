"""Imported before papermill, which then starts in a third of the time.

nbformat brings jsonschema along, and that a grammar of IRIs, compiled anew in each process for over a second. It is for the
format "iri" of a schema, which no notebook's schema has; jsonschema does without where the grammar is not installed.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # documented: an import of it then fails
