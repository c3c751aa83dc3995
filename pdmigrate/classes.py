"""What can be decided and what can be waived, by the names that decisions.yaml gives them."""

COLLISION = ("rename", "merge", "adopt", "leave_out")
MAIL = ("invite", "map", "leave_out")

CLASSES: dict[str, tuple[str, ...]] = {
    "acknowledgement_timeout": ("accept", "leave_out"),
    "bad_address": ("map", "leave_out"),
    "cannot_be_said": ("leave_out",),
    "changed_in_both": ("keep_harness", "take_source"),
    "dangling_reference": ("empty_place", "leave_out"),
    "duplicate_policy": COLLISION,
    "duplicate_schedule": COLLISION,
    "duplicate_service": COLLISION,
    "escalation_loops": ("fewer", "none", "leave_out"),
    "externally_managed": ("rename", "leave_out"),
    "group_name_collision": COLLISION,
    "no_way_to_page": ("rule_by_hand", "leave_out"),
    "nobody_user": ("invite", "empty_place", "map", "leave_out"),
    "phone_country": ("leave_out", "ask_harness"),
    "policy_without_team": ("no_owner", "owner", "leave_out"),
    "recreated_in_source": ("take_over", "rename", "leave_out"),
    "removed_in_target": ("create_again", "leave_removed"),
    "rendering_differs": ("leave_out", "load_anyway"),
    "round_robin": ("everyone", "first_only", "leave_out"),
    "same_name_in_source": ("rename", "keep_both", "leave_out"),
    "service_urgency": ("page", "no_page", "leave_out"),
    "shared_mailbox": MAIL,
    "time_zone_mismatch": ("confirm", "other", "leave_out"),
    "too_many_dated": ("leave_out", "write_dates"),
    "unknown_time_zone": ("other", "leave_out"),
    "user_found_twice": ("same_person", "leave_out"),
    "user_not_found": MAIL,
}
"""The classes of conflicts, each with the options that a question of the class can have."""

GUARD_NAMES = (
    "less_coverage",
    "nobody_paged",
    "nobody_reachable",
    "old_snapshot",
    "other_account",
    "runs_out",
    "source_hidden",
    "source_incomplete",
    "source_unread",
    "target_moved",
    "too_many_changes",
    "unresolved_conflict",
)
"""The guards that can be waived."""
