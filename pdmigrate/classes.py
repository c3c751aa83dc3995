"""What can be decided and what can be waived, by the names that decisions.yaml gives them."""

COLLISION = ("rename", "merge", "adopt", "leave_out")
MAIL = ("invite", "map", "leave_out")

CLASSES: dict[str, tuple[str, ...]] = {
    "acknowledgement_timeout": ("accept", "leave_out"),
    "bad_address": ("map", "leave_out"),
    "cannot_be_said": ("leave_out",),
    "changed_in_both": ("keep_harness", "take_source"),
    "changed_in_harness": ("keep_harness", "take_source"),
    "dangling_reference": ("empty_place", "without", "leave_out"),
    "deleted_participant": ("empty_place", "leave_out"),
    "deleted_target": ("without", "leave_out"),
    "duplicate_policy": COLLISION,
    "duplicate_schedule": COLLISION,
    "duplicate_service": COLLISION,
    "empty_level": ("without", "leave_out"),
    "escalation_loops": ("fewer", "none", "leave_out"),
    "externally_managed": ("rename", "leave_out"),
    "group_name_collision": COLLISION,
    "lost_contact": ("leave_out",),
    "no_way_to_page": ("rule_by_hand", "leave_out"),
    "nobody_user": ("invite", "empty_place", "map", "leave_out"),
    "override_stand_in": ("map", "leave_out"),
    "phone_country": ("leave_out", "ask_harness"),
    "policy_without_target": ("leave_out",),
    "policy_without_team": ("no_owner", "owner", "leave_out"),
    "recreated_in_source": ("take_over", "rename", "leave_out"),
    "removed_in_target": ("create_again", "leave_removed"),
    "rendering_differs": ("leave_out", "load_anyway"),
    "round_robin": ("everyone", "first_only", "leave_out"),
    "same_name_in_source": ("rename", "keep_both", "leave_out"),
    "service_urgency": ("page", "no_page", "leave_out"),
    "service_without_policy": ("leave_out",),
    "shared_mailbox": MAIL,
    "silent_level": ("without", "leave_out"),
    "time_zone_mismatch": ("confirm", "other", "leave_out"),
    "unknown_target": ("without", "leave_out"),
    "unknown_field": ("ignore", "leave_out"),
    "too_many_dated": ("leave_out", "write_dates"),
    "unknown_time_zone": ("other", "leave_out"),
    "unlisted_member": ("without",),
    "unread_overrides": ("without", "leave_out"),
    "unusable_policy": ("leave_out",),
    "unusable_record": ("leave_out",),
    "user_found_twice": ("same_person", "leave_out"),
    "user_not_found": MAIL,
    "written_in_another_zone": ("leave_out", "as_written"),
}
"""The classes of conflicts, each with the options that a question of the class can have."""

ONE_STATE = frozenset({"changed_in_harness"})
"""Classes whose answers hold for the state that was asked about: they name its question, and none is for the whole class."""

ONE_STATE_CHOICES = frozenset({("rendering_differs", "load_anyway")})
"""The same of single choices: whoever lets a difference be has seen that one, and not whatever may come."""

GUARD_NAMES = (
    "less_coverage",
    "miscounted",
    "nobody_paged",
    "nobody_reachable",
    "old_snapshot",
    "oncall_gone",
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
