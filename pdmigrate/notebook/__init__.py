"""ipywidgets: show a question, write the answer to the workspace; nothing else. Headless, the same call shows a table.

Showing a question never answers it: every menu starts at "undecided", and only a click on a button writes.
"""

from pdmigrate.notebook.access import check_accounts
from pdmigrate.notebook.handover import tick_handover
from pdmigrate.notebook.history import browse_history
from pdmigrate.notebook.loading import load_plan
from pdmigrate.notebook.parity import browse_parity
from pdmigrate.notebook.parts import is_interactive
from pdmigrate.notebook.plan import approve_plan
from pdmigrate.notebook.questions import answer_conflicts, choose_people
from pdmigrate.notebook.rules import choose_rules
from pdmigrate.notebook.scope import choose_services
from pdmigrate.notebook.teams import sign_off_teams
from pdmigrate.notebook.undo import undo_load

__all__ = [
    "answer_conflicts",
    "approve_plan",
    "browse_history",
    "browse_parity",
    "check_accounts",
    "choose_people",
    "choose_rules",
    "choose_services",
    "is_interactive",
    "load_plan",
    "sign_off_teams",
    "tick_handover",
    "undo_load",
]
