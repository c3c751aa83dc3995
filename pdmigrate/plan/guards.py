"""The reasons to refuse a plan, one function and one sentence each, and who lets a plan pass. Pure; fail closed.

Each can be waived in decisions.yaml, for one plan, by a person, with a reason and a last day.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pdmigrate.errors import PlanMovedError, RefusedError, UsageError
from pdmigrate.harness.records import EscalationPolicy, Override, Schedule, Service, State
from pdmigrate.harness.rota import render_schedule
from pdmigrate.oncall import rota
from pdmigrate.oncall.words import format_number
from pdmigrate.plan.actions import Action, Fields, LedgerEntry, Plan, from_fields
from pdmigrate.plan.answers import LEAST, Approval, Conflict, Decisions
from pdmigrate.plan.kinds import CONTRACT_KINDS, KINDS
from pdmigrate.plan.rules import Guards

NEEDED = ("team_members", "schedules_v3")
"""The kinds without which an account is read, and no plan may be loaded. Without any other the reading itself fails."""
UNRESOLVED, TARGET_MOVED = "unresolved_conflict", "target_moved"

CLOCKS_DIFFER = timedelta(minutes=5)
"""So far apart the clocks of two machines may be."""
FEW = 5
"""Below so many changes of a kind no percentage refuses: one of two is half, and says nothing."""


@dataclass(frozen=True)
class Refusal:
    """Why a plan may not pass; `guard` is the name that a waiver gives. `waived_by`: who lets it pass all the same."""

    guard: str
    sentence: str
    waived_by: str = ""


@dataclass(frozen=True)
class Seen:
    """What the guards look at. ids: what the source has by kind; since, until: the window of its rendering.

    unread: what the key may not read, by kind. hidden: what no list has shown, in words. dated_until: how far the dated
    shifts of a schedule reach, by its key; one that ends in the source as well is not among them. miscounted: sentences
    about objects in scope of which nothing, or too much, is said. mailed: whom earlier loads have invited, by email."""

    plan: Plan
    state: State
    ledger: dict[tuple[str, str], LedgerEntry]
    ids: dict[str, set[str]]
    taken: datetime
    since: datetime
    until: datetime
    now: datetime
    limits: Guards
    source: str
    other_sources: list[str]
    open: dict[str, Conflict]
    skip_open: bool
    unread: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    dated_until: dict[str, datetime] = field(default_factory=dict)
    miscounted: tuple[str, ...] = ()
    mailed: set[str] = field(default_factory=set)


def find_refusals(seen: Seen) -> list[Refusal]:
    """All guards that refuse, none waived yet."""
    said = ((name, guard(seen)) for name, guard in GUARDS.items())
    return [Refusal(name, sentence) for name, sentence in said if sentence]


def apply_waivers(refusals: Iterable[Refusal], decisions: Decisions, digest: str, now: datetime) -> list[Refusal]:
    """The same, with the name of who has waived each for this plan; a waiver that does not hold is named, and why."""
    return [_apply_waiver(refusal, decisions, digest, now) for refusal in refusals]


def _apply_waiver(refusal: Refusal, decisions: Decisions, digest: str, now: datetime) -> Refusal:
    waiver = decisions.waives(refusal.guard, digest, now)
    if waiver:
        return replace(refusal, waived_by=waiver.by)
    idle = next((w for w in reversed(decisions.waivers) if w.guard == refusal.guard), None)
    if idle is None:
        return refusal
    late = digest.startswith(idle.plan)
    why = f"ran out on {idle.until}" if late else f"is for the plan {idle.plan[:12]}, and this is {digest[:12]}"
    return replace(refusal, sentence=f"{refusal.sentence} The waiver of {idle.by} {why}.")


def check_target(planned: str, found: str) -> str | None:
    """A plan is for one account, org and project; this one cannot be waived."""
    return None if planned == found else f"The plan is for {planned}, the settings name {found}: run conflicts again."


def check_age(taken: datetime, now: datetime, hours: int) -> str | None:
    """What PagerDuty said yesterday may page the wrong person today."""
    if taken - now > CLOCKS_DIFFER:
        return (
            f"The snapshot is of {taken:%Y-%m-%d %H:%M} UTC and it is {now:%Y-%m-%d %H:%M} UTC now: the clock was set back. Check "
            "the clock, then run preview again."
        )
    if now - taken <= timedelta(hours=hours):
        return None
    old = int((now - taken).total_seconds() // 3600)
    return f"The snapshot is {old} hours old, {hours} is the limit: run preview again."


def check_account(source: str, others: list[str]) -> str | None:
    """A workspace that has carried over one account must not go on with another."""
    if not others:
        return None
    return (
        f"This workspace has carried over {', '.join(filter(None, others)) or 'an account without a name'} and the source "
        f"is {source or 'an account without a name'} now: make another workspace."
    )


def check_mailed(plan: Plan, mailed: set[str], state: State) -> str | None:
    """No undo calls a mail back: whoever had an invitation and is not there gets a second one only where a person says so."""
    again = sorted({a.identifier for a in plan.pending if a.kind == "users"} & mailed - state.people.keys())
    if not again:
        return None
    named = ", ".join(again[:5])
    return f"{named} had an invitation by mail before and would get another ({len(again)} in all): tell them, then waive it."


def _changed(seen: Seen) -> str | None:
    """A first import creates as much as it likes; what was carried over before does not all change overnight."""
    changed = Counter(a.kind for a in seen.plan.actions if a.verb == "update" and a.writes)
    known = Counter(kind for kind, _ in seen.ledger)
    over = [f"{n} of {known[kind]} {kind}" for kind, n in changed.items() if _too_many(n, known[kind], seen.limits)]
    if not over:
        return None
    limits = f"{seen.limits.changed_objects} or {seen.limits.changed_percent} %"
    return f"The plan changes {', '.join(over)}, more than {limits} of a kind: look whether PagerDuty was changed so."


def check_complete(unread: dict[str, str]) -> str | None:
    """What the key may not read is not empty: a migration without it would page the wrong people, or nobody."""
    forbidden = {kind: why for kind, why in unread.items() if kind in NEEDED and why.startswith("forbidden")}
    if not forbidden:
        return None
    named = "; ".join(f"{kind.replace('_', ' ')}: {why}" for kind, why in forbidden.items())
    return f"The source was not read whole ({named}): use a key that may read them, then run preview again."


def check_hidden(hidden: list[str]) -> str | None:
    """PagerDuty leaves out of its lists, in silence, what the key may not read: a reference is the only sign of it."""
    if not hidden:
        return None
    shown = "; ".join(hidden[:5]) + (f"; and {len(hidden) - 5} more" if len(hidden) > 5 else "")
    return (
        f"No list of PagerDuty has shown what objects in scope name: {shown}. Use a key that may read it, or take it out of "
        "what names it, then run preview again."
    )


def check_survey(survey: str | None) -> str | None:
    """A survey is a file: what is planned against it is loaded elsewhere."""
    if not survey:
        return None
    return f"The target is the survey {survey}, a file: take target.survey out of migration.yaml where the keys are, and load there."


def _oncall_gone(seen: Seen) -> str | None:
    """What went by API before must not become work for people because something else answers at the door one night."""
    written = sorted(CONTRACT_KINDS & {kind for kind, _ in seen.ledger})
    if seen.state.oncall or not written:
        return None
    return (
        f"Harness took {', '.join(written)} by API before and does not speak the on-call contract now: see what answers on "
        "the page connect, then run again."
    )


def _too_many(changed: int, known: int, limits: Guards) -> bool:
    return changed > limits.changed_objects or (changed >= FEW and 100 * changed > limits.changed_percent * known)


def _source_incomplete(seen: Seen) -> str | None:
    """Lists that could not be read raise already; this is about lists that came back shorter than they can be."""
    lacking = {kind for kind, why in seen.unread.items() if why.startswith("absent")}  # not in the plan any more
    known = [(kind, key) for kind, key in seen.ledger if kind in seen.ids and kind not in lacking]
    gone = Counter(kind for kind, key in known if key not in seen.ids[kind])
    there = Counter(kind for kind, _ in known)
    over = [
        f"{n} of {there[kind]} {kind}"
        for kind, n in gone.items()
        if n == there[kind] > 1 or _too_many(n, there[kind], seen.limits)
    ]
    if not over:
        return None
    return (
        f"PagerDuty does not show {', '.join(over)} that it showed before: check what the key may read, and run again."
    )


def _nobody_reachable(seen: Seen) -> str | None:
    """Everybody who will be on call has an account or an invitation, or gets one in this plan."""
    known = set(seen.state.people) | {a.identifier for a in seen.plan.pending if a.kind == "users"}
    missing = sorted({email for a in _written(seen.plan) for email in _people_of(a)} - known)
    if not missing:
        return None
    return f"{', '.join(missing[:5])} would be on call with neither account nor invitation ({len(missing)} in all)."


def _people_of(action: Action) -> Iterator[str]:
    if action.kind == "schedules":
        yield from (email for one in action.read(Schedule).rotations for email in one.participants if email)
    if action.kind == "overrides":
        yield action.read(Override).person
    if action.kind == "escalation_policies":
        levels = action.read(EscalationPolicy).levels
        yield from (target.id for level in levels for target in level.targets if target.type == "user")


def _nobody_paged(seen: Seen) -> str | None:
    """A service that pages has a policy with somebody in it, if only while somebody stands in."""
    policies = seen.state.policies | {
        a.identifier: a.read(EscalationPolicy) for a in _written(seen.plan, "escalation_policies")
    }
    schedules = seen.state.schedules | {a.identifier: a.read(Schedule) for a in _written(seen.plan, "schedules")}
    manned = {id for id, schedule in schedules.items() if any(any(r.participants) for r in schedule.rotations)}
    manned |= {id for id, overrides in _list_overrides(seen).items() if any(o.end > seen.now for o in overrides)}
    services = [(a.name, a.read(Service)) for a in _written(seen.plan, "services")]
    routed = [(name, policies.get(one.escalation_policy or "")) for name, one in services if one.paging]
    empty = [name for name, policy in routed if not _pages_somebody(policy, manned)]
    if not empty:
        return None
    return f"{', '.join(empty[:5])} would have nobody to page ({format_number(len(empty), 'service')}): look at their policies."


def _pages_somebody(policy: EscalationPolicy | None, manned: set[str]) -> bool:
    targets = [target for level in (policy.levels if policy else ()) for target in level.targets]
    return any(target.type != "schedule" or target.id in manned for target in targets)


def _list_overrides(seen: Seen) -> dict[str, list[Override]]:
    """Those that each schedule will have, by its identifier."""
    found = dict(seen.state.overrides)
    for action in (a for a in seen.plan.pending if a.kind == "overrides"):
        found.pop(action.identifier, None)
        if action.after is not None:
            found[action.identifier] = action.read(Override)
    by_schedule: dict[str, list[Override]] = {}
    for place, override in found.items():
        by_schedule.setdefault(place.partition("/")[0], []).append(override)
    return by_schedule


def _covers_less(seen: Seen) -> str | None:
    """A schedule that is changed covers as much time as before, over the window of PagerDuty's rendering.

    Whoever will stand in counts on both sides: only what its rotations leave uncovered is lost.
    """
    span = (rota.to_instant(seen.since), rota.to_instant(seen.until))
    updates = [(a, a.before) for a in _written(seen.plan, "schedules") if a.before is not None]
    overrides = _list_overrides(seen) if updates else {}
    lost = {a.name: _covered(a, old, overrides, span) - _covered(a, a.wanted, overrides, span) for a, old in updates}
    said = [f"{name} {seconds / 3600:,.1f} h" for name, seconds in lost.items() if seconds > 0]
    return f"Fewer hours would be covered than now: {', '.join(said[:5])}." if said else None


def _covered(action: Action, fields: Fields, overrides: dict[str, list[Override]], span: rota.Span) -> int:
    stand_ins = overrides.get(action.identifier, ())
    schedule = from_fields(Schedule, action.identifier, fields).model_copy(update={"overrides": stand_ins})
    return rota.total((s, e) for s, e, _ in render_schedule(schedule, *span).entries)


def _runs_out(seen: Seen) -> str | None:
    """What is written out by date must last until the next run writes it further."""
    next_run = seen.now + timedelta(days=seen.limits.next_run_days)
    if seen.until < next_run:
        days = seen.limits.next_run_days
        return f"Overrides are known until {seen.until:%Y-%m-%d}, the next run is in {days} days: raise horizon_days."
    schedules = [a for a in seen.plan.actions if a.kind == "schedules" and a.key in seen.dated_until]
    out = [a.name for a in schedules if seen.now < seen.dated_until[a.key] < next_run]
    return (
        f"The dated shifts of {', '.join(out[:5])} run out before the next run on {next_run:%Y-%m-%d}." if out else None
    )


def _describe_miscounted(seen: Seen) -> str | None:
    """Every object in scope has exactly one outcome: what the plan forgets would be missed by nobody."""
    if not seen.miscounted:
        return None
    more = f"; and {len(seen.miscounted) - 5} more" if len(seen.miscounted) > 5 else ""
    return f"The counts do not add up: {'; '.join(seen.miscounted[:5])}{more}."


def _unresolved(seen: Seen) -> str | None:
    """Open questions stop a plan, unless `open_conflicts: skip` leaves out what they are about."""
    if not seen.open or seen.skip_open:
        return None
    return f"{format_number(len(seen.open), 'question is', 'questions are')} open: what {'it is' if len(seen.open) == 1 else 'they are'} about would be left out."


def _written(plan: Plan, kind: str = "") -> Iterator[Action]:
    """What will be there, of one kind or of all."""
    return (a for a in plan.pending if a.after is not None and (not kind or a.kind == kind))


GUARDS = {
    "other_account": lambda seen: check_account(seen.source, seen.other_sources),
    "old_snapshot": lambda seen: check_age(seen.taken, seen.now, seen.limits.snapshot_hours),
    "source_incomplete": _source_incomplete,
    "too_many_changes": _changed,
    "oncall_gone": _oncall_gone,
    "nobody_reachable": _nobody_reachable,
    "nobody_paged": _nobody_paged,
    "less_coverage": _covers_less,
    "runs_out": _runs_out,
    "source_unread": lambda seen: check_complete(seen.unread),
    "source_hidden": lambda seen: check_hidden(seen.hidden),
    "miscounted": _describe_miscounted,
    "mailed_before": lambda seen: check_mailed(seen.plan, seen.mailed, seen.state),
    UNRESOLVED: _unresolved,
}
"""By the name that a waiver gives."""
GUARD_NAMES = sorted((*GUARDS, TARGET_MOVED))
"""All that a waiver can name: what load alone can see, too."""


# --- who lets a plan pass ---


def read_approval(
    plan: Plan, approve: str, decisions: Decisions, rehearsal: bool = True, others: Iterable[str] = ()
) -> str:
    """Who let the plan pass, or "". approve: a digest or its beginning, `all`, or nothing: then decisions.yaml counts.

    others: digests of earlier plans. Raises PlanMovedError for the digest of another plan, UsageError for a beginning of
    several, RefusedError for `all` where this is no rehearsal.
    """
    if approve == "all":
        if not rehearsal:
            raise RefusedError(
                "--approve all is for the embedded pair and for rehearsals: give the digest of the plan that you looked at, "
                "or write `rehearsal: true` under `target` in migration.yaml."
            )
        return "--approve all"
    approval = Approval(plan=approve) if approve else decisions.approves(plan.digest)
    if approve and not Approval(plan=approve).is_about(plan.digest):
        short = f" ({LEAST} characters of it at least)" if plan.digest.startswith(approve) else ""
        raise PlanMovedError(
            f"The plan is {plan.digest[:12]} now, not {approve[:12]}: look at it again, then approve that digest{short}."
        )
    if approval and (twins := [other[:24] for other in others if other != plan.digest and approval.is_about(other)]):
        raise UsageError(
            f"{approval.plan} is the beginning of several plans ({', '.join(twins)}): give the whole digest."
        )
    if approve:
        return "--approve"
    return (approval.by or "decisions.yaml") if approval else ""


def is_small(action: Action, auto_approve: Sequence[str]) -> bool:
    """Whether `rules.auto_approve` has approved this kind of change in advance. A new group or schedule never is."""
    if KINDS[action.kind].small not in auto_approve:
        return False
    if action.kind == "teams":
        return action.verb == "update" and {name for name, _, _ in action.changes()} == {"users"}
    return True
