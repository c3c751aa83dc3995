"""What can be decided and what can be waived, by the names that decisions.yaml gives them."""

COLLISION = ("rename", "merge", "adopt", "leave_out")
MAIL = ("invite", "map", "leave_out")

CLASSES: dict[str, tuple[str, ...]] = {
    "acknowledgement_timeout": ("accept", "leave_out"),
    "bad_address": ("map", "leave_out"),
    "changed_in_both": ("keep_harness", "take_source"),
    "changed_in_harness": ("keep_harness", "take_source"),
    "dangling_reference": ("empty_place", "leave_out"),
    "duplicate_policy": COLLISION,
    "duplicate_schedule": COLLISION,
    "duplicate_service": COLLISION,
    "escalation_loops": ("fewer", "none", "leave_out"),
    "externally_managed": ("rename", "leave_out"),
    "group_name_collision": COLLISION,
    "no_way_to_page": ("rule_by_hand", "leave_out"),
    "nobody_user": ("invite", "empty_place", "map", "leave_out"),
    "override_stand_in": ("map", "leave_out"),
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
    "unknown_time_zone": ("other", "leave_out"),
    "user_found_twice": ("same_person", "leave_out"),
    "user_not_found": MAIL,
}
"""The classes of conflicts, each with the options that a question of the class can have."""

ONE_STATE = frozenset({"changed_in_harness"})
"""Classes whose answers hold for the state that was asked about: they name its question, and none is for the whole class."""

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
