"""ipywidgets: show a question, write the answer to the workspace; nothing else. Headless, the same call shows a table.

Showing a question never answers it: every menu starts at "undecided", and only a click on a button writes.
"""

from pdmigrate.widgets.access import check_accounts
from pdmigrate.widgets.handover import tick_handover
from pdmigrate.widgets.history import browse_history
from pdmigrate.widgets.loading import load_plan
from pdmigrate.widgets.parity import browse_parity
from pdmigrate.widgets.parts import is_interactive
from pdmigrate.widgets.plan import approve_plan
from pdmigrate.widgets.questions import answer_conflicts, choose_people
from pdmigrate.widgets.rules import choose_rules
from pdmigrate.widgets.scope import choose_services
from pdmigrate.widgets.teams import sign_off_teams
from pdmigrate.widgets.undo import undo_load

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
