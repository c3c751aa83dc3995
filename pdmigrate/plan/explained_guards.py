"""What every guard means, and what to do where it refuses a plan: it stands behind the guard's line, and in the docs."""

from pdmigrate.plan.explained import Explained

GUARDS: dict[str, Explained] = {
    "less_coverage": Explained(
        "Fewer hours would be covered",
        "A schedule that is in Harness already would cover fewer hours than now: in the hours that are lost nobody is on call.",
        "Look at the schedule in PagerDuty. If the team means it, waive for this plan.",
    ),
    "mailed_before": Explained(
        "A second mail to the same person",
        "Somebody who had an invitation by mail before, and is not in the Harness project, would get another one. No undo calls "
        "a mail back. Until an invitation is accepted that person cannot be paged.",
        "Tell the people that another mail comes, then waive for this plan. Where one should get none, map or leave out.",
    ),
    "miscounted": Explained(
        "The counts do not add up",
        "Every object in scope must have one outcome. Something has none, or two, so something could be missing that nobody "
        "would notice.",
        "This is a fault of pdmigrate: report it with the sentence. Do not waive it before somebody has looked at the objects "
        "that it names.",
    ),
    "nobody_paged": Explained(
        "A service would have nobody to page",
        "A service that pages would have no policy, or one in which nobody stands: an alert of it would wake nobody.",
        "Look at its policy, and at what is held back: an open question about a person may hold back a "
        "schedule, and the schedule its policy.",
    ),
    "nobody_reachable": Explained(
        "Somebody on call without account or invitation",
        "A schedule, an override or a policy would have somebody who has no account in the Harness project, and whom this plan "
        "does not invite. In those turns nobody could be reached.",
        "Answer the question about that person: invite or map. Then run conflicts again.",
    ),
    "old_snapshot": Explained(
        "What PagerDuty said is too old",
        "The snapshot is older than `rules.guards.snapshot_hours`, or of a time that has not come yet. Who was on call "
        "yesterday may be the wrong person today.",
        "Run preview again, then conflicts. If the clock of the machine is wrong, set it first.",
    ),
    "oncall_gone": Explained(
        "Harness does not take on-call objects any more",
        "Harness took schedules, policies or others by API before, and does not now. They would become work by hand, only "
        "because something else answers at that address.",
        "Look at the page connect: which address, and what answers there. Run again when it answers as before.",
    ),
    "other_account": Explained(
        "The workspace belongs to another account",
        "This workspace has carried over one PagerDuty account, and the source is another now. Its journal would take the one "
        "company's objects for the other's.",
        "Make a workspace for each account. Waive only where the same account was renamed.",
    ),
    "runs_out": Explained(
        "Dates that end before the next run",
        "Overrides or dated shifts are known only up to a day before the next run (`rules.guards.next_run_days`). After that "
        "day nobody would stand in, or be on call.",
        "Raise `horizon_days`, or run more often and lower `rules.guards.next_run_days`.",
    ),
    "source_hidden": Explained(
        "Something is named that no list shows",
        "Objects in scope name others that no list of PagerDuty has shown. PagerDuty leaves out in silence what a key may not "
        "read: whoever that is may be paged today.",
        "Use a key that may read it, or take it out of what names it, then run preview again.",
    ),
    "source_incomplete": Explained(
        "PagerDuty shows less than before",
        "Many objects, or all of a kind, that PagerDuty showed before are not in its lists now. More likely than that they are "
        "gone is that the key may not read them; people would be taken off call for nothing.",
        "Check the key and its team permissions, and run preview again. If so much was really deleted, waive for this plan.",
    ),
    "source_unread": Explained(
        "A part of PagerDuty was not read",
        "The key may not read the members of teams, or shift-based schedules. A plan without them would page the wrong people, "
        "or nobody.",
        "Use a key that may read them (docs: troubleshooting, keys), then run preview again.",
    ),
    "target_moved": Explained(
        "Harness has changed since the plan was made",
        "Somebody has changed in Harness what the approved plan would write. Only load sees it, just before its first write. "
        "Nothing is written over that change unseen.",
        "Run conflicts again: the change is in the new plan, as a question where it pages. If you waive it, what has "
        "changed in Harness is left as it is, and the rest is loaded.",
    ),
    "too_many_changes": Explained(
        "A large part would change at once",
        "The plan changes more of what was carried over before than `rules.guards.changed_objects` or `changed_percent` allow. "
        "That is rarely meant, and changes at once who is paged for many alerts.",
        "Look whether PagerDuty was changed so. If it was, waive for this plan.",
    ),
    "unresolved_conflict": Explained(
        "Questions are open",
        "What an open question is about would be left out of the plan, and whoever is paged by it in PagerDuty is not paged in "
        "Harness.",
        "Answer them in the notebook 4 or in decisions.yaml. To load the rest first, write `open_conflicts: skip` under `rules` "
        "in migration.yaml, or waive for this plan: what is held stays listed.",
    ),
}
"""By the name that a waiver gives."""
