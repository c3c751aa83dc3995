"""What PagerDuty has, and what becomes of it, as data frames: a row a thing, one thing a cell, ids as columns.

Every frame has the whole account. `in_scope` says whether the object moves, `becomes` what becomes of it (exact, changed,
handed_over, lost, or waits for an answer; missing out of scope) and `why`. The form of the columns is told in steps/frames.py.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pdmigrate.mapping.mapped import GRADES, Outcome
from pdmigrate.mapping.overrides import count_overrides
from pdmigrate.mapping.people import count_duties
from pdmigrate.mapping.proof import NOT_CARRIED
from pdmigrate.oncall import rota
from pdmigrate.oncall.zones import read_zone
from pdmigrate.pagerduty.records import Reference
from pdmigrate.pagerduty.v3_records import ScheduleV3
from pdmigrate.steps.frames import (
    LENGTH,
    MOMENT,
    NUMBER,
    TEXT,
    YES_NO,
    Row,
    Shape,
    make_frame,
    read_length,
    read_moment,
)
from pdmigrate.steps.rota_frames import RotaFrames, list_parts

if TYPE_CHECKING:
    import pandas as pd

BECOMES: Shape = {"becomes": (*GRADES, "waits")}
FATE: Shape = {"why": TEXT, "in_scope": YES_NO}
OWNER: Shape = {"team_id": TEXT, "team": TEXT}
SCHEDULES: Shape = {
    "schedule_id": TEXT,
    "schedule": TEXT,
    **BECOMES,
    "form": ("layers", "shifts"),
    "time_zone": TEXT,
    "layers": NUMBER,
    "overrides": NUMBER,
    "holds": ("for_ever", "until", "within_horizon", "not_carried_over"),
    "holds_until": MOMENT,
    "rota_by": ("PagerDuty", "pdmigrate", "nobody"),
    "zone": TEXT,
    **OWNER,
    "harness_id": TEXT,
    **FATE,
    "in_scope_because": TEXT,
}
PEOPLE: Shape = {
    "person_id": TEXT,
    "person": TEXT,
    **BECOMES,
    "email": TEXT,
    "job_title": TEXT,
    "role": (
        *("owner", "admin", "user", "limited_user", "observer", "restricted_access"),
        *("read_only_user", "read_only_limited_user"),
    ),
    "time_zone": TEXT,
    "duties": NUMBER,
    "contact_methods": NUMBER,
    "notification_rules": NUMBER,
    "harness_email": TEXT,
    **FATE,
}
CONTACT_METHODS: Shape = {
    "contact_method_id": TEXT,
    "person_id": TEXT,
    "person": TEXT,
    "type": ("email", "phone", "sms", "push_notification", "whatsapp"),
    "label": TEXT,
    "country_code": NUMBER,
    "address": TEXT,
    **BECOMES,
    "blocked": YES_NO,
    "enabled": YES_NO,
    **FATE,
}
TEAMS: Shape = {
    "team_id": TEXT,
    "team": TEXT,
    **BECOMES,
    "parent_id": TEXT,
    "members": NUMBER,
    "harness_id": TEXT,
    **FATE,
}
MEMBERS: Shape = {
    "team_id": TEXT,
    "team": TEXT,
    "person_id": TEXT,
    "person": TEXT,
    "role": ("manager", "responder", "observer"),
}
POLICIES: Shape = {
    "policy_id": TEXT,
    "policy": TEXT,
    **BECOMES,
    **OWNER,
    "levels": NUMBER,
    "repeats": NUMBER,
    "services": NUMBER,
    "harness_id": TEXT,
    **FATE,
}
LEVELS: Shape = {
    "policy_id": TEXT,
    "policy": TEXT,
    "level": NUMBER,
    "target_type": ("schedule", "user"),
    "target_id": TEXT,
    "target": TEXT,
    "deleted": YES_NO,
    "delay": LENGTH,
    "round_robin": YES_NO,
}
SERVICES: Shape = {
    "service_id": TEXT,
    "service": TEXT,
    **BECOMES,
    **OWNER,
    "status": ("active", "warning", "critical", "maintenance", "disabled"),
    "policy_id": TEXT,
    "policy": TEXT,
    "urgency": ("high", "low", "severity_based", "use_support_hours"),
    "acknowledgement_timeout": LENGTH,
    "integrations": NUMBER,
    "last_incident": MOMENT,
    "harness_id": TEXT,
    **FATE,
}

OWN = ("contact_methods", "notification_rules")


class SourceFrames(RotaFrames):
    """The data frames of a result that has a draft. Each call makes a new one: change it as you like."""

    FRAMES: ClassVar[tuple[str, ...]] = (
        *("schedules", "layers", "people", "contact_methods", "teams", "members"),
        *("policies", "levels", "services", "rota"),
    )

    @property
    def schedules(self) -> "pd.DataFrame":
        """A row a schedule. team: the first of its teams. form: of layers, or shift-based. time_zone: as PagerDuty names it;
        zone: that of the IANA database. layers: how many (of a shift-based one: events); overrides: how many are not over.
        rota_by: whose word `rota` gives: PagerDuty's own, our reading, or nobody's. harness_id: what it is called there.
        holds, holds_until: how long what is written stays right."""
        account, mapped, rows = self.draft.account, self.draft.mapped, list[Row]()
        for id, s in account.all_schedules.items():
            fidelity = mapped.fidelity.get(id, NOT_CARRIED)
            rows.append(
                {
                    "schedule_id": id,
                    "schedule": s.name,
                    **self._owner(s.teams),
                    "form": "shifts" if isinstance(s, ScheduleV3) else "layers",
                    "time_zone": s.time_zone,
                    "zone": read_zone(s.time_zone).iana,
                    "layers": len(list(list_parts(s))),
                    "overrides": None if s.unread else count_overrides(s, account.since),
                    "rota_by": self._read_rota(s)[1],
                    "holds": fidelity.grade,
                    "holds_until": None if fidelity.until is None else rota.to_datetime(fidelity.until),
                    **self._fate("schedules", id),
                    "in_scope_because": self.draft.reasons["schedules"].get(id),
                }
            )
        return make_frame("Schedules", SCHEDULES, rows)

    @property
    def people(self) -> "pd.DataFrame":
        """A row a user. duties: in how many schedules, overrides and levels he stands. contact_methods, notification_rules:
        how many (missing: not read). harness_email: who is paged for him in Harness."""
        duties, emails = count_duties(self.draft.mapped), self.draft.mapped.emails
        rows = [
            {
                "person_id": id,
                "person": user.name,
                **{name: getattr(user, name) for name in ("email", "job_title", "role", "time_zone")},
                "duties": duties[id],
                **{name: None if name in user.unread else len(getattr(user, name)) for name in OWN},
                "harness_email": emails.get(id),
                **self._fate("users", id),
            }
            for id, user in self.draft.account.users.items()
        ]
        return make_frame("People", PEOPLE, rows)

    @property
    def contact_methods(self) -> "pd.DataFrame":
        """A row a way to reach somebody; personal data, see `mask`. address: missing where PagerDuty gave a reference only,
        and of the mobile app, which has a token.
        blocked: by PagerDuty, which does not use it."""
        rows = [
            {
                "contact_method_id": method.id,
                "person_id": user.id,
                "person": user.name,
                "type": method.type.removesuffix("_contact_method"),
                **{name: getattr(method, name) for name in ("label", "country_code", "enabled")},
                "address": None if method.type.startswith("push_") else method.address,
                "blocked": method.blacklisted,
                **self._fate("contact_methods", method.id),
            }
            for user in self.draft.account.users.values()
            for method in user.contact_methods
        ]
        return make_frame("Contact methods", CONTACT_METHODS, rows)

    @property
    def teams(self) -> "pd.DataFrame":
        """A row a team. members: how many (`members` has who). harness_id: of the user group that it becomes."""
        account = self.draft.account
        rows = [
            {
                "team_id": id,
                "team": team.name,
                "parent_id": team.parent.id if team.parent else None,
                "members": None if team.unread else len(account.members_of(team)),
                **self._fate("teams", id),
            }
            for id, team in account.teams.items()
        ]
        return make_frame("Teams", TEAMS, rows)

    @property
    def members(self) -> "pd.DataFrame":
        """A row a member of a team, with the role in that team."""
        account = self.draft.account
        rows = [
            {"team_id": team.id, "team": team.name, "role": member.role, **self._name(member.user)}
            for team in account.teams.values()
            for member in account.members_of(team)
        ]
        return make_frame("Members", MEMBERS, rows)

    @property
    def policies(self) -> "pd.DataFrame":
        """A row an escalation policy. team: the first of its teams. repeats: how often the levels are run again.
        services: how many use it."""
        account = self.draft.account
        used = Counter(s.escalation_policy.id for s in account.services.values() if s.escalation_policy)
        rows = [
            {
                "policy_id": id,
                "policy": policy.name,
                **self._owner(policy.teams),
                "levels": len(policy.escalation_rules),
                "repeats": policy.num_loops,
                "services": used[id],
                **self._fate("escalation_policies", id),
            }
            for id, policy in account.policies.items()
        ]
        return make_frame("Escalation policies", POLICIES, rows)

    @property
    def levels(self) -> "pd.DataFrame":
        """A row a target of a level; level 1 is paged first, and delay later the next one. A level without a target has one
        row without it; a target that is gone from PagerDuty is `deleted`. round_robin: only one of its targets is paged."""
        rows = [
            {
                "policy_id": policy.id,
                "policy": policy.name,
                "level": number,
                "target_type": target.type.removesuffix("_v3") if target else None,
                "target_id": target.id if target else None,
                "target": self._name_target(target) if target else None,
                "deleted": bool(target and target.deleted_at),
                "delay": read_length(rule.escalation_delay_in_minutes * 60),
                "round_robin": rule.round_robin,
            }
            for policy in self.draft.account.policies.values()
            for number, rule in enumerate(policy.escalation_rules, 1)
            for target in rule.targets or (None,)
        ]
        return make_frame("Levels", LEVELS, rows)

    @property
    def services(self) -> "pd.DataFrame":
        """A row a service. team: the first of its teams. acknowledgement_timeout: after which it pages again (missing: never).
        integrations: how many send to it (missing: not read)."""
        rows: list[Row] = []
        for id, service in self.draft.account.services.items():
            policy, rule = service.escalation_policy, service.incident_urgency_rule
            rows.append(
                {
                    "service_id": id,
                    "service": service.name,
                    **self._owner(service.teams),
                    "status": service.status,
                    "policy_id": policy.id if policy else None,
                    "policy": self._name_target(policy) if policy else None,
                    "urgency": (rule.urgency or rule.type) if rule else None,
                    "acknowledgement_timeout": read_length(service.acknowledgement_timeout),
                    "integrations": None if service.unread else len(service.integrations),
                    "last_incident": read_moment(service.last_incident_timestamp),
                    **self._fate("services", id),
                }
            )
        return make_frame("Services", SERVICES, rows)

    @cached_property
    def _outcomes(self) -> dict[tuple[str, str], Outcome]:
        return {(outcome.kind, outcome.id): outcome for outcome in self.draft.mapped.outcomes}

    def _fate(self, kind: str, id: str) -> Row:
        """What becomes of it, where it is in Harness, and whether it moves at all."""
        outcome = self._outcomes.get((kind, id))
        return {
            "harness_id": self.draft.identifier_of(kind, id) or None,
            "in_scope": id in self.draft.reasons[kind] if kind in self.draft.reasons else outcome is not None,
            "becomes": self._grade(outcome) if outcome else None,
            "why": (outcome.reason or None) if outcome else None,
        }

    def _grade(self, outcome: Outcome) -> str:
        waits = outcome.grade == "lost" and (outcome.kind, outcome.id) in self.draft.waiting
        return "waits" if waits else outcome.grade

    def _owner(self, teams: Iterable[Reference]) -> Row:
        """What stands under the columns of OWNER."""
        first = next(iter(teams), None)
        return {"team_id": first.id if first else None, "team": self._name_target(first) if first else None}

    def _name_target(self, target: Reference) -> str:
        account = self.draft.account
        for there in (account.users, account.all_schedules, account.policies, account.teams):
            if target.id in there:
                return str(there[target.id].name)
        return target.summary or target.id
