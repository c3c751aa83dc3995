"""What becomes of every field that PagerDuty is known to send: one table a kind, and one for each of its parts.

Known are the properties of PagerDuty's OpenAPI file (2026-08-14) and those of recorded answers. What a row has beyond its
table is not known: it is noted by name while the row is read, and its value is not kept, which may be anything.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Words = str | Callable[[Any], str]
"""A reason, or what makes one of the field's value. An empty one is said where the kind is mapped, in its own words."""


@dataclass(frozen=True)
class FieldTable:
    """The fields of one kind or part; names stand apart by blanks.

    A new field of PagerDuty goes into exactly one of carried, compared, server, lost and listed; carried and compared ones
    are read in records.py too.

    carried: goes to Harness, or decides what goes there. compared: read, and used as a check. server: made by PagerDuty.
    lost: stays behind and changes how somebody is paged. listed: stays behind and pages nobody. Both with the reason.
    parts: the tables of what lies inside. own: parts that are objects of their own, with outcomes of their own.
    known: the values that this version understands. usual: values that say nothing. switch: the field inside that says
    whether it is on. whole: the kinds whose fields it may have as well, since a reference may come as the whole object.
    older: fields that say less well what a newer one says, which is looked at where it is there.
    pages: a field or value here that nobody knows may decide who is paged, and so is a question.
    """

    carried: str = ""
    compared: str = ""
    server: str = ""
    lost: dict[str, Words] = field(default_factory=dict)
    listed: dict[str, Words] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    own: str = ""
    known: dict[str, str] = field(default_factory=dict)
    usual: dict[str, str] = field(default_factory=dict)
    switch: dict[str, str] = field(default_factory=dict)
    whole: str = ""
    older: dict[str, str] = field(default_factory=dict)
    pages: bool = False

    @cached_property
    def names(self) -> frozenset[str]:
        """All fields that the table knows."""
        words = f"{self.carried} {self.compared} {self.server}".split()
        return frozenset(words) | self.lost.keys() | self.listed.keys()

    @cached_property
    def plain(self) -> frozenset[str]:
        """The fields that need no look."""
        others = frozenset().union(*(TABLES[kind].names for kind in self.whole.split())) - self.names
        seen = self.lost.keys() | self.listed.keys() | self.parts.keys() | self.known.keys()
        return (self.names - seen) | others | frozenset(self.own.split())

    def speaks(self, name: str, value: Any) -> bool:
        """Whether the value says something."""
        if name in self.switch and isinstance(value, dict):
            return _says(value.get(self.switch[name]))
        return _says(value) and (name not in self.usual or str(value) not in self.usual[name].split())


def _says(value: Any) -> bool:
    """Null, false, an empty text or list says nothing; so does what has nothing else in it."""
    if isinstance(value, dict):
        return any(_says(inner) for inner in value.values())
    return value is not None and value is not False and value not in ("", [], ())


def show_value(value: Any) -> str:
    """A word as it is; anything else, a number or a sentence, might be somebody's data or a secret."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z_-]{1,60}\d?", value)
    return value.removesuffix("_reference") if plain else "(something else)"


# --- the sentences that need the value ---


def _describe_pause(value: Any) -> str:
    wait = _describe_minutes(value, "timeout", "recommended_timeout") or "as long as PagerDuty advises"
    return f"alerts that look transient wait {wait} in PagerDuty, and page at once in Harness"


def _describe_grouping(value: Any) -> str:
    parts = value if isinstance(value, dict) else {"type": value}
    within = _describe_minutes(parts.get("config"), "time_window", "timeout")
    how = f"{show_value(parts.get('type'))}{within and f', within {within}'}"
    return f"PagerDuty groups alerts ({how}) into one incident that pages once; in Harness each pages"


def _describe_minutes(value: Any, *names: str) -> str:
    """The first of these seconds that says something, in minutes; "" where none does."""
    found = [value.get(name) for name in names] if isinstance(value, dict) else []
    return next((f"{each / 60:g} min" for each in found if isinstance(each, int | float) and each), "")


CALENDAR = "calendar feeds of PagerDuty end with it: subscribe to Harness's where it has one"
MAILS = "PagerDuty makes incidents of some mails only; Harness's webhook pages for every mail that arrives"

# --- the tables ---

LINKS = "id type summary self html_url"
KINDS = "users teams schedules schedules_v3 escalation_policies services"

TABLES: dict[str, FieldTable] = {
    "users": FieldTable(
        carried="name email contact_methods notification_rules teams",
        server=f"{LINKS} avatar_url invitation_sent created_via_sso billed coordinated_incidents",
        listed={
            "role": lambda role: f"PagerDuty role {show_value(role)}: roles in Harness are given by people",
            "job_title": "Harness has no place for it",
            "time_zone": "Harness keeps no time zone for a person",
            "description": "Harness has no place for what a person says of himself",
            "color": "Harness chooses its colours",
            "http_cal_url": CALENDAR,
            "web_cal_url": CALENDAR,
            "oncall_handoff_notification_rules": "Harness documents no notice before a turn begins or ends",
        },
        parts={"teams": "references"},
        own="contact_methods notification_rules",
    ),
    "contact_methods": FieldTable(
        carried="type address country_code label",
        compared="blacklisted enabled",
        server="id summary self html_url created_at device_type",
        lost={"send_short_email": "PagerDuty sends a short mail, made for pagers; Harness sends its whole mail"},
        listed={
            "send_html_email": "Harness decides how its mails look",
            "sounds": "the person chooses the sounds in Harness's app",
        },
    ),
    "notification_rules": FieldTable(
        carried="start_delay_in_minutes contact_method",
        compared="type urgency",
        server="id summary self html_url created_at",
        parts={"contact_method": "contact_references"},
        known={
            "type": "assignment_notification_rule oncall_handoff_notification_rule status_update_notification_rule",
            "urgency": "high low",
        },
        pages=True,
    ),
    "contact_references": FieldTable(
        carried="id type", server="summary self html_url", whole="contact_methods", pages=True
    ),
    "teams": FieldTable(
        carried="name description members",
        server=f"{LINKS} unread",
        lost={
            "parent": "",
            "default_role": "it is private in PagerDuty: a group in Harness is seen by everybody in the project",
        },
        parts={"members": "members"},
        usual={"default_role": "manager observer responder"},
    ),
    "members": FieldTable(carried="user", listed={"role": ""}, parts={"user": "references"}),
    "references": FieldTable(carried="id", compared="type summary deleted_at", server="self html_url", whole=KINDS),
    "people": FieldTable(
        carried="id", compared="type summary deleted_at", server="self html_url", whole="users", pages=True
    ),
    # --- layer-based schedules ---
    "schedules": FieldTable(
        carried="name description time_zone schedule_layers overrides_subschedule teams",
        compared="final_schedule escalation_policies type",
        server="id summary self html_url users next_oncall_for_user",
        listed=dict.fromkeys(
            ("http_cal_url", "web_cal_url", "personal_http_cal_url", "personal_web_cal_url"), CALENDAR
        ),
        parts={
            "schedule_layers": "layers",
            "overrides_subschedule": "subschedules",
            "final_schedule": "subschedules",
            "teams": "references",
            "escalation_policies": "references",
        },
    ),
    "layers": FieldTable(
        carried="id name start end users restrictions rotation_virtual_start rotation_turn_length_seconds",
        server="rendered_schedule_entries rendered_coverage_percentage",
        parts={"users": "layer_users", "restrictions": "restrictions"},
        pages=True,
    ),
    "layer_users": FieldTable(carried="user", parts={"user": "people"}, pages=True),
    "restrictions": FieldTable(
        carried="type start_time_of_day duration_seconds start_day_of_week",
        known={"type": "daily_restriction weekly_restriction"},
        pages=True,
    ),
    "subschedules": FieldTable(
        carried="rendered_schedule_entries",
        server="name rendered_coverage_percentage",
        parts={"rendered_schedule_entries": "entries"},
        pages=True,
    ),
    "entries": FieldTable(
        carried="start end user", server="id type summary self html_url", parts={"user": "people"}, pages=True
    ),
    # --- shift-based schedules ---
    "schedules_v3": FieldTable(
        carried="name description time_zone rotations custom_shifts overrides teams",
        compared="final_schedule escalation_policies type summary",
        server="id self html_url users",
        listed=dict.fromkeys(("http_cal_url", "web_cal_url"), CALENDAR),
        parts={
            "rotations": "rotations",
            "custom_shifts": "custom_shifts",
            "overrides": "overrides",
            "final_schedule": "final_schedules",
            "teams": "references",
            "escalation_policies": "references",
        },
    ),
    "rotations": FieldTable(
        carried="events",
        compared="id type",
        server="self html_url",
        parts={"events": "events"},
        known={"type": "schedule_rotation"},
        pages=True,
    ),
    "events": FieldTable(
        carried="name start_time end_time effective_since effective_until recurrence assignment_strategy",
        compared="id type",
        server="self html_url",
        parts={"start_time": "zoned_times", "end_time": "zoned_times", "assignment_strategy": "assignment_strategies"},
        known={"type": "schedule_event"},
        pages=True,
    ),
    "zoned_times": FieldTable(carried="date_time time_zone", pages=True),
    "assignment_strategies": FieldTable(
        carried="type shifts_per_member members",
        parts={"members": "shift_members"},
        known={"type": "rotating_member_assignment_strategy every_member_assignment_strategy"},
        pages=True,
    ),
    "shift_members": FieldTable(carried="type user_id", known={"type": "user_member empty_member"}, pages=True),
    "custom_shifts": FieldTable(
        carried="start_time end_time assignments",
        compared="id type",
        server="self html_url",
        parts={"assignments": "assignments"},
        known={"type": "custom_shift"},
        pages=True,
    ),
    "assignments": FieldTable(
        carried="member",
        compared="id type",
        parts={"member": "shift_members"},
        known={"type": "shift_assignment"},
        pages=True,
    ),
    "overrides": FieldTable(
        carried="rotation_id custom_shift_id start_time end_time overridden_member overriding_member",
        compared="id type",
        server="self html_url",
        parts={"overridden_member": "shift_members", "overriding_member": "shift_members"},
        known={"type": "override_shift"},
        pages=True,
    ),
    "final_schedules": FieldTable(
        compared="computed_shift_assignments",
        server="type rendered_coverage_percentage",
        parts={"computed_shift_assignments": "computed_assignments"},
        pages=True,
    ),
    "computed_assignments": FieldTable(
        compared="start_time end_time member source type",
        parts={"member": "shift_members", "source": "shift_sources"},
        known={"type": "computed_shift_assignment"},
        pages=True,
    ),
    "shift_sources": FieldTable(
        compared="type rotation_id shift_id override_id",
        known={"type": "schedule_rotation custom_shift schedule_rotation_override custom_shift_override"},
        pages=True,
    ),
    # --- escalation policies ---
    "escalation_policies": FieldTable(
        carried="name description num_loops escalation_rules teams",
        server=f"{LINKS} services",
        listed={"on_call_handoff_notifications": "Harness tells nobody by policy that his turn begins or ends"},
        parts={"escalation_rules": "levels", "teams": "references"},
        usual={"on_call_handoff_notifications": "if_has_services"},
    ),
    "levels": FieldTable(
        carried="escalation_delay_in_minutes targets escalation_rule_assignment_strategy",
        compared="id",
        parts={"targets": "targets", "escalation_rule_assignment_strategy": "level_strategies"},
        pages=True,
    ),
    "level_strategies": FieldTable(carried="type", known={"type": "assign_to_everyone round_robin"}, pages=True),
    "targets": FieldTable(
        carried="id type",
        compared="summary deleted_at",
        server="self html_url",
        whole="users schedules schedules_v3",
        pages=True,
    ),
    # --- services ---
    "services": FieldTable(
        carried="name description status escalation_policy teams integrations incident_urgency_rule support_hours",
        compared="acknowledgement_timeout auto_resolve_timeout",
        server=f"{LINKS} created_at updated_at last_incident_timestamp",
        lost={
            "alert_grouping_parameters": _describe_grouping,
            "alert_grouping": _describe_grouping,
            "auto_pause_notifications_parameters": _describe_pause,
            "response_play": "PagerDuty may run its response play on every incident, and so page more people",
            "scheduled_actions": "incidents that are still open when support hours begin become urgent, and page then",
        },
        listed={
            "alert_grouping_timeout": "it belongs to the grouping of alerts",
            "alert_creation": "it makes incidents without alerts; in Harness every event is an alert",
            "addons": "add-ons are pages of PagerDuty's own",
        },
        parts={
            "teams": "references",
            "escalation_policy": "references",
            "integrations": "integrations",
            "incident_urgency_rule": "urgency_rules",
            "support_hours": "support_hours",
        },
        known={"status": "active warning critical maintenance disabled"},
        usual={"alert_creation": "create_alerts_and_incidents"},
        older={"alert_grouping": "alert_grouping_parameters", "alert_grouping_timeout": "alert_grouping_parameters"},
        switch={"alert_grouping_parameters": "type", "auto_pause_notifications_parameters": "enabled"},
        pages=True,
    ),
    "urgency_rules": FieldTable(
        carried="type urgency during_support_hours outside_support_hours",
        parts={"during_support_hours": "urgency_rules", "outside_support_hours": "urgency_rules"},
        known={"type": "constant use_support_hours", "urgency": "high low severity_based"},
        pages=True,
    ),
    "support_hours": FieldTable(
        carried="type time_zone days_of_week start_time end_time", known={"type": "fixed_time_per_day"}, pages=True
    ),
    "integrations": FieldTable(
        carried="id type summary",
        server="self html_url name service created_at vendor",
        lost={
            "email_filter_mode": MAILS,
            "email_incident_creation": "PagerDuty makes one incident of several mails; in Harness each pages",
        },
        listed={
            "integration_email": "",
            "integration_key": "",
            "email_filters": "whether they count is said by email_filter_mode",
            "email_parsers": "whether they count is said by email_incident_creation",
            "email_parsing_fallback": "whether it counts is said by email_incident_creation",
        },
        usual={"email_filter_mode": "all-email", "email_incident_creation": "on_new_email"},
    ),
}
