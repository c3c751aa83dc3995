"""Where a migration stands after verify, team by team: what the stakeholder report and the teams' pages are made from."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from pdmigrate.handover.items import Item
from pdmigrate.handover.ticks import list_todo
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall.words import format_local, format_number
from pdmigrate.pagerduty.records import EscalationPolicy
from pdmigrate.pages.people import People, know_people
from pdmigrate.pages.trend import describe_growth
from pdmigrate.parity.people import Unreachable
from pdmigrate.parity.schedules import ScheduleParity
from pdmigrate.parity.verdicts import ServiceParity, count_verdicts
from pdmigrate.plan.answers import Approval, Decisions, SignOff
from pdmigrate.steps.job import Job
from pdmigrate.steps.trend import digest_scope, read_trend
from pdmigrate.steps.verify import Verified
from pdmigrate.workspace.trend import Measured

NO_TEAM = "no-team"
"""The id under which objects stand that no team owns: they need a go, too."""


@dataclass(frozen=True)
class TeamReadiness:
    """What belongs to one team. troubles: the sentences that speak against going over now.

    doubted: people with an account who are told later than today, or of whose channels nothing is known.
    """

    id: str
    name: str
    leads: tuple[str, ...]
    people: tuple[str, ...]
    schedules: tuple[ScheduleParity, ...]
    services: tuple[ServiceParity, ...]
    unreachable: tuple[Unreachable, ...]
    items: tuple[Item, ...]
    troubles: tuple[str, ...]
    doubted: tuple[Unreachable, ...]


@dataclass(frozen=True)
class Readiness:
    """All of it at one time. good_for: how old a snapshot may be. plan_digest: of the plan that was loaded last; approval: who let it pass, if a person did.

    growth: whether it grows, in a sentence; "" where there is nothing to compare with.
    """

    name: str
    verified: Verified
    items: tuple[Item, ...]
    decisions: Decisions
    plan_digest: str
    approval: Approval | None
    now: datetime
    good_for: timedelta
    growth: str = ""

    @property
    def draft(self) -> Draft:
        return self.verified.draft

    @cached_property
    def home(self) -> str:
        """The time zone of sentences."""
        return self.draft.home_zone

    @property
    def good_until(self) -> datetime:
        """Until when the data are good for decisions."""
        return self.draft.account.taken + self.good_for

    def tell_when(self, at: str) -> str:
        """A moment of decisions.yaml or of PagerDuty by the local clock; as it stands there, where it is none."""
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return at
        return format_local(moment if moment.tzinfo else moment.replace(tzinfo=UTC), self.home)

    def sign_off(self, team: str) -> SignOff | None:
        """What was said of a team, where it stands: a no-go until it is taken back, a go as `lapsed` says."""
        return None if self.lapsed(team) else self._find_said(team)

    def lapsed(self, team: str) -> str:
        """Why a go does not stand: it is for its plan only, and against what is open it needs a reason. "" where it does."""
        said = self._find_said(team)
        if said is None or said.choice == "no_go":
            return ""
        if not said.plan or not self.plan_digest.startswith(said.plan):
            return "go, for another plan"
        open_still = next((one.troubles for one in self.teams if one.id == team), ())
        return "go, without a reason" if open_still and not said.why.strip() else ""

    def _find_said(self, team: str) -> SignOff | None:
        return next((said for said in self.decisions.sign_offs if said.team == team), None)

    @cached_property
    def teams(self) -> tuple[TeamReadiness, ...]:
        """Every team that has something in scope, and one for what belongs to nobody."""
        owned = [self._make_team(id) for id in sorted(self._team_names, key=lambda id: self._team_names[id].casefold())]
        return tuple(team for team in owned if team.schedules or team.services or team.people)

    @cached_property
    def hours(self) -> list[tuple[str, float, float]]:
        """(person, hours on call before, after) over the window, for everybody who is on call on either side."""
        seconds: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for s in self._read:
            for side, rota in zip(seconds, (s.before, s.after), strict=True):
                for start, end, people in rota.entries:
                    side.update(dict.fromkeys(people, end - start))
        before, after = seconds
        return [(person, before[person] / 3600, after[person] / 3600) for person in sorted({*before, *after})]

    @cached_property
    def paged(self) -> tuple[frozenset[str], frozenset[str]]:
        """Who stands anywhere on a way that a page can take, before and after."""
        before = {person for s in self._read for _, _, who in s.before.entries for person in who}
        after = {person for s in self._read for _, _, who in s.after.entries for person in who}
        emails = self.draft.mapped.emails
        asked = {
            emails.get(t.id, t.id)
            for p in self._policies
            for r in p.escalation_rules
            for t in r.targets
            if t.type == "user"
        }
        there = [p for id, p in self.draft.state.policies.items() if id in set(self.draft.mapped.policies.values())]
        answering = {t.id for p in there for level in p.levels for t in level.targets if t.type == "user"}
        return frozenset(before | asked), frozenset(after | answering)

    def name_of(self, person: str) -> str:
        """A person's name behind the email, or the PagerDuty id, that stands for him."""
        return self.people.name_of(person)

    def owners_of(self, kind: str, id: str) -> tuple[str, ...]:
        """The teams of an object, or the one for what belongs to nobody."""
        account = self.draft.account
        record = account.all_schedules[id] if kind == "schedules" else account.services[id]
        return tuple(team.id for team in record.teams if team.id in account.teams) or (NO_TEAM,)

    @property
    def _read(self) -> tuple[ScheduleParity, ...]:
        """The schedules of which both sides are known."""
        return tuple(s for s in self.verified.schedules if not s.unverified)

    @cached_property
    def _owned(self) -> dict[str, tuple[list[ScheduleParity], list[ServiceParity], set[str]]]:
        """By team what it owns: schedules, services, and the ids of policies."""
        owned: dict[str, tuple[list[ScheduleParity], list[ServiceParity], set[str]]]
        owned = defaultdict(lambda: ([], [], set()))
        for schedule in self.verified.schedules:
            for id in self.owners_of("schedules", schedule.id):
                owned[id][0].append(schedule)
        for service in self.verified.service_parity:
            for id in self.owners_of("services", service.id):
                owned[id][1].append(service)
        for policy in self._policies:
            for id in {team.id for team in policy.teams} or {NO_TEAM}:
                owned[id][2].add(policy.id)
        return owned

    @cached_property
    def items_by_object(self) -> dict[tuple[str, str], list[Item]]:
        """By kind and PagerDuty id of the object that they belong to, in their order."""
        items: dict[tuple[str, str], list[Item]] = {}
        for item in self.items:
            items.setdefault(item.about, []).append(item)
        return items

    @cached_property
    def _policies(self) -> list[EscalationPolicy]:
        return [p for id, p in self.draft.account.policies.items() if id in self.draft.reasons["escalation_policies"]]

    @cached_property
    def people(self) -> People:
        """Their names and looks."""
        return know_people(self.draft)

    @cached_property
    def _team_names(self) -> dict[str, str]:
        teams = self.draft.account.teams
        return {id: teams[id].name for id in self.draft.reasons["teams"]} | {NO_TEAM: "No team"}

    def _make_team(self, id: str) -> TeamReadiness:
        schedules, services, owned = self._owned[id]
        team, known = self.draft.account.teams.get(id), self.draft.account.users
        members = [m for m in self.draft.account.members_of(team) if m.user.id in known] if team else []
        leads = tuple(known[m.user.id].name for m in members if m.role == "manager")
        users = [m.user.id for m in members]
        emails = {self.draft.mapped.emails.get(user, user) for user in users}
        on_call = {person for s in schedules for _, _, who in s.before.entries for person in who}
        about = (
            {("schedules", s.id) for s in schedules}
            | {("services", s.id) for s in services}
            | {("users", u) for u in users}
        )
        # the policies that the team owns, and those that its services page by
        policies = owned | {p.id for s in services if (p := self.draft.account.services[s.id].escalation_policy)}
        places = about | {("escalation_policies", policy) for policy in policies}
        everybody = emails | on_call
        unreachable, doubted = (
            tuple(u for u in rows if u.email in everybody or u.about & places)
            for rows in (self.verified.unreachable, self.verified.doubted)
        )
        mine = {item.key for one in about for item in self.items_by_object.get(one, ())}
        items = tuple(item for item in self.items if item.key in mine)
        questions = sum((c.kind, c.id) in about for c in self.draft.open.values())
        troubles = _find_troubles(schedules, services, len(unreachable), questions)
        people = tuple(sorted(everybody, key=self.name_of))
        name = self._team_names[id]
        both = tuple(schedules), tuple(services)
        return TeamReadiness(id, name, leads, people, *both, unreachable, items, troubles, doubted)


def read_readiness(job: Job, verified: Verified) -> Readiness:
    """Put together what verify found, what people ticked, decided and approved."""
    decisions, plan = job.decisions(), job.workspace.find_state("plan") or {}
    digest = plan.get("digest", verified.draft.plan.digest)
    items = list_todo(job.workspace, verified.draft)
    approval = decisions.approves(digest)
    good_for, now = timedelta(hours=job.settings.rules.guards.snapshot_hours), job.clock()
    services = {"services": dict(count_verdicts(verified.service_parity))}
    tonight = Measured("verify", now.isoformat(), scope=digest_scope(verified.draft), figures=services)
    growth = describe_growth(read_trend(job.workspace, job.settings, now, job.read_subdomain()), tonight)
    return Readiness(job.settings.name, verified, items, decisions, digest, approval, now, good_for, growth)


def find_untested(readiness: Readiness) -> list[Item]:
    """People on call of whom nobody has seen a test page arrive."""
    return [item for item in readiness.items if item.what == "test page" and not item.tick]


def _find_troubles(
    schedules: Iterable[ScheduleParity], services: Iterable[ServiceParity], unreachable: int, questions: int
) -> tuple[str, ...]:
    """What no decision explains comes first, what was decided last."""
    differ = [not s.unexplained for s in schedules if s.differ]
    nobody, otherwise = (
        [not s.unexplained for s in services if s.verdict == verdict] for verdict in ("nobody", "otherwise")
    )
    told = (
        (questions, "open question", ""),
        (nobody.count(False), "service pages nobody in Harness", "services page nobody in Harness"),
        (otherwise.count(False), "service pages otherwise", "services page otherwise"),
        (differ.count(False), "schedule differs", "schedules differ"),
        (unreachable, "person cannot be reached", "people cannot be reached"),
        (sum(s.unverified for s in services), "service not compared", "services not compared"),
        (sum(s.unverified > 0 for s in schedules), "schedule not compared", "schedules not compared"),
        (nobody.count(True), "service pages nobody by decision", "services page nobody by decision"),
        (otherwise.count(True), "service pages otherwise by decision", "services page otherwise by decision"),
        (differ.count(True), "schedule differs by decision", "schedules differ by decision"),
    )
    return tuple(format_number(number, one, many) for number, one, many in told if number)
