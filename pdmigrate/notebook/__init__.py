"""ipywidgets: show a question, write the answer to the workspace; nothing else. Headless, the same call shows a table.

Showing a question never answers it: every menu starts at "undecided", and only a click on a button writes.
"""

from pdmigrate.notebook.history import browse_history, undo_load
from pdmigrate.notebook.loading import load_plan
from pdmigrate.notebook.parallel import browse_parallel
from pdmigrate.notebook.parts import is_interactive
from pdmigrate.notebook.plan import approve_plan
from pdmigrate.notebook.prove import send_test_pages
from pdmigrate.notebook.questions import answer_conflicts, choose_people
from pdmigrate.notebook.replay import browse_replay
from pdmigrate.notebook.scope import check_accounts, choose_rules, choose_services
from pdmigrate.notebook.verify import browse_parity, sign_off_teams, tick_handover

__all__ = [
    "answer_conflicts",
    "approve_plan",
    "browse_history",
    "browse_parallel",
    "browse_parity",
    "browse_replay",
    "check_accounts",
    "choose_people",
    "choose_rules",
    "choose_services",
    "is_interactive",
    "load_plan",
    "send_test_pages",
    "sign_off_teams",
    "tick_handover",
    "undo_load",
]
