"""How our own work grows with each thing that can grow: `python benchmarks/growth.py [--only layers] [--write docs/performance.md]`.

One account after the other in which one thing is there once, twice and four times as often. It is mapped and planned, then
mapped and planned again as if all of it stood in Harness, and verified: every schedule second by second, every policy and
service. No side is asked, so that what is told is processor time of our own. Beside it the most memory that was in use at once,
above what was there before, as tracemalloc counts it in a run of its own.
"""

import argparse
import functools
import os
import re
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pdmigrate.harness import rota as harness_rota
from pdmigrate.harness.records import AlertRule, Person, State
from pdmigrate.mapping import Mapped, choose_scope, map_all
from pdmigrate.mapping.draft import Draft
from pdmigrate.oncall import rota
from pdmigrate.pagerduty.account import Account, Snapshot
from pdmigrate.parity.policies import compare_policies
from pdmigrate.parity.schedules import ScheduleParity, Schedules, compare_schedule, find_end
from pdmigrate.parity.services import compare_services
from pdmigrate.parity.verdicts import ServiceParity
from pdmigrate.plan.actions import Desired, LedgerEntry, make_plan
from pdmigrate.plan.answers import Decision, Decisions
from pdmigrate.plan.kinds import KINDS
from pdmigrate.plan.planning import plan_actions
from pdmigrate.plan.questions import Questions
from pdmigrate.plan.rules import Rules, Scope

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAYS = 28
WEEK = 604_800
TIMES = (1, 2, 4)
"""How often the thing that grows is there, of its first number."""
DATED = Decision(conflict="too_many_dated", object="all", choice="write_dates", by="bench")
Rows = dict[str, list]


def main() -> None:
    parser = argparse.ArgumentParser(description="How our own work grows.")
    parser.add_argument("--only", choices=THINGS, nargs="+", default=[*THINGS], help="these things alone")
    parser.add_argument("--write", type=Path, help="the page whose table is made anew")
    options = parser.parse_args()
    lines = ["| | how many | work, s | growth | memory, MB | growth |", "|---|---:|---:|---:|---:|---:|"]
    for thing in options.only:
        first, build = THINGS[thing]
        found = [_measure(build, first * times) for times in TIMES]
        for number, (seconds, memory), before in zip(TIMES, found, [None, *found], strict=False):
            grown = [
                f"× {now / then:.1f}" if before else ""
                for now, then in zip((seconds, memory), before or (1, 1), strict=True)
            ]
            lines.append(f"| {thing} | {first * number:,} | {seconds:.1f} | {grown[0]} | {memory:.0f} | {grown[1]} |")
            print(lines[-1], flush=True)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        made = "\n".join([BEGIN, "", *lines, "", END])
        options.write.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: made, page, flags=re.DOTALL), encoding="utf-8")


BEGIN, END = "<!-- growth: made by make bench -->", "<!-- growth: end -->"


def _measure(build: Callable[[int], tuple[Rows, int]], number: int) -> tuple[float, float]:
    """Processor seconds, and megabytes, each in a process of its own: nothing is known from before."""
    return _apart(functools.partial(_time, build, number)), _apart(functools.partial(_weigh, build, number))


def _apart(measured: Callable[[], float]) -> float:
    told, telling = os.pipe()
    if not (pid := os.fork()):
        os.write(telling, repr(measured()).encode())
        os._exit(0)
    os.close(telling)
    _, status = os.waitpid(pid, 0)
    said = os.read(told, 100)
    os.close(told)
    if status or not said:
        raise SystemExit(f"the process that measures has ended with {status}")
    return float(said)


def _time(build: Callable[[int], tuple[Rows, int]], number: int) -> float:
    given = build(number)
    began = time.process_time()
    migrate(*given)
    return time.process_time() - began


def _weigh(build: Callable[[int], tuple[Rows, int]], number: int) -> float:
    given = build(number)
    tracemalloc.start()
    migrate(*given)
    return tracemalloc.get_traced_memory()[1] / 2**20


def migrate(rows: Rows, days: int = DAYS) -> None:
    """All that `compute` does with this account. Stops where a second run would write, or a page would go otherwise."""
    draft, compared = compute(Snapshot("acme", NOW, NOW, NOW + timedelta(days=days), rows).account)
    assert draft.mapped.desired, "nothing is carried over"
    assert draft.plan.empty, "a second run would write"
    wrong = [one.name for one in compared if one.unexplained]
    assert not wrong, f"another one is paged: {wrong[:3]}"


def compute(
    account: Account, decisions: Iterable[Decision] = (DATED,)
) -> tuple[Draft, list[ScheduleParity | ServiceParity]]:
    """Everything that is computed in a first migration, its verification and a second run; nobody is asked.

    Returns the second run's draft, and what was compared.
    """
    there = State(
        people={user.email: Person(email=user.email, uuid=id) for id, user in account.users.items()}, oncall=True
    )
    wishes = _draft(account, there, {}, decisions).mapped.desired
    held = _stand(wishes, there)
    ledger = {(w.kind, w.key): LedgerEntry(w.kind, w.key, w.identifier, w.name, w.fields) for w in wishes}
    draft = _draft(account, held, ledger, decisions)
    compared = []
    for one in account.all_schedules.values():
        made = held.schedules.get(draft.identifier_of("schedules", one.id))
        span = rota.to_instant(account.since), find_end(draft, one)
        answer = harness_rota.render_schedule(made, *span) if made else rota.Rota()
        compared.append(compare_schedule(draft, one, answer))
    schedules = Schedules(compared)
    services = list(compare_services(draft, account.services.values(), schedules))
    compare_policies(draft, schedules, services)
    return draft, [*schedules, *services]


def _draft(account: Account, state: State, ledger: dict, decisions: Iterable[Decision]) -> Draft:
    questions, reasons = Questions(Decisions(decisions=(*decisions,)), "recommended"), choose_scope(account, Scope())
    scope = {kind: frozenset(ids) for kind, ids in reasons.items()}
    mapped = map_all(Mapped(account, state, ledger, questions, Rules(), scope))
    planned = plan_actions(mapped.desired, mapped.dropped, state, ledger, "preserve", questions, False, account.since)
    plan = make_plan(account.digest, "a/b/c", planned.actions, [*mapped.held, *planned.held])
    return Draft(account, state, reasons, mapped, plan, ledger)


def _stand(wishes: Iterable[Desired], state: State) -> State:
    """Harness with all that is wanted in it."""
    held: dict[str, dict] = {kind.target: {} for kind in KINDS.values() if kind.target != "people"}
    for wish in wishes:
        if wish.kind != "users":
            held[KINDS[wish.kind].target][wish.identifier] = wish.record
    stand_ins: dict[str, list] = {}
    for place, one in held.pop("overrides").items():
        stand_ins.setdefault(place.partition("/")[0], []).append(one)
    for place, some in stand_ins.items():
        held["schedules"][place] = held["schedules"][place].model_copy(update={"overrides": tuple(some)})
    held["alert_rules"] = {
        id: AlertRule(identifier=id, name=one.name, service=id, paging=True, escalation_policy=one.rule_policy)
        for id, one in held["services"].items()
    }
    return state.model_copy(update=held)


# --- what grows ---


def refer(kind: str, id: str) -> dict:
    return {"id": id, "type": f"{kind}_reference", "summary": id}


def make_people(number: int, methods: int = 1) -> list[dict]:
    return [
        {
            "id": f"PU{n}",
            "name": f"Person {n}",
            "email": f"person{n}@acme.example",
            "role": "user",
            "contact_methods": [_make_method(n, place) for place in range(methods)],
            "notification_rules": [],
        }
        for n in range(number)
    ]


def _make_method(person: int, place: int) -> dict:
    if place == 0:
        return {
            "id": f"PC{person}",
            "type": "email_contact_method",
            "label": "Work",
            "address": f"person{person}@acme.example",
        }
    number = {"country_code": 1, "address": f"2125{person:04}{place:02}"[:10]}
    return {"id": f"PC{person}-{place}", "type": "phone_contact_method", "label": f"Phone {place}", **number}


def make_layer(name: str, people: list[int], turn: int = WEEK, **more: object) -> dict:
    users = [{"user": refer("user", f"PU{n}")} for n in people]
    times = {"start": "2025-01-06T09:00:00Z", "rotation_virtual_start": "2025-01-06T09:00:00Z", "end": None}
    return {
        "id": name,
        "name": name,
        **times,
        "users": users,
        "rotation_turn_length_seconds": turn,
        "restrictions": [],
        **more,
    }


def make_schedule(*layers: dict, number: int = 0, **more: object) -> dict:
    rendered = {"rendered_schedule_entries": []}
    return {
        "id": f"PS{number}",
        "name": f"Schedule {number}",
        "time_zone": "Europe/London",
        "schedule_layers": layers,
        "overrides_subschedule": rendered,
        "teams": [],
        **more,
    }


def build_one(*layers: dict, people: int = 10, days: int = DAYS, **more: object) -> tuple[Rows, int]:
    """An account with one schedule, one policy that pages it, and one service."""
    return build(make_people(people), [make_schedule(*layers, **more)], days=days)


def build(
    users: list[dict], schedules: list[dict], policies: int = 1, services: int = 1, days: int = DAYS, v3: tuple = ()
) -> tuple[Rows, int]:
    targets = [refer("schedule", one["id"]) for one in (*schedules, *v3)]
    levels = [[targets[n % len(targets)] if targets else refer("user", "PU0")] for n in range(policies)]
    made = [
        {
            "id": f"PP{n}",
            "name": f"Policy {n}",
            "escalation_rules": [{"id": f"PR{n}", "escalation_delay_in_minutes": 15, "targets": targets}],
            "num_loops": 0,
            "teams": [],
        }
        for n, targets in enumerate(levels)
    ]
    served = [
        {
            "id": f"PSV{n}",
            "name": f"Service {n}",
            "status": "active",
            "escalation_policy": refer("escalation_policy", f"PP{n % policies}"),
            "incident_urgency_rule": {"type": "constant", "urgency": "high"},
            "teams": [],
            "integrations": [],
        }
        for n in range(services)
    ]
    rows = {"users": users, "teams": [], "schedules": schedules, "schedules_v3": list(v3)}
    return {**rows, "escalation_policies": made, "services": served}, days


def window(number: int, of: int) -> dict:
    """One of so many windows of a week, apart from one another."""
    start = number * WEEK // of
    clock = f"{start % 86_400 // 3600:02}:{start % 3600 // 60:02}:00"
    times = {"start_day_of_week": start // 86_400 + 1, "start_time_of_day": clock}
    return {"type": "weekly_restriction", **times, "duration_seconds": WEEK // of // 2 // 60 * 60}


def grow_layers(number: int) -> tuple[Rows, int]:
    return build_one(
        *(make_layer(f"Layer {n}", [n % 10, (n + 1) % 10], restrictions=[window(n, number)]) for n in range(number))
    )


def grow_ended(number: int) -> tuple[Rows, int]:
    """Each ended, all overlapping, above one that is on."""
    ended = (make_layer(f"Former {n}", [n % 10], end=f"2025-{n % 9 + 2:02}-01T09:00:00Z") for n in range(number))
    return build_one(*ended, make_layer("Now", [0, 1, 2]))


def grow_windows(number: int) -> tuple[Rows, int]:
    return build_one(make_layer("Windows", [0, 1, 2], restrictions=[window(n, number) for n in range(number)]))


def grow_places(number: int) -> tuple[Rows, int]:
    return build_one(make_layer("Places", [n % 500 for n in range(number)], turn=86_400), people=500)


def grow_turns(number: int) -> tuple[Rows, int]:
    """So many turns in the four weeks."""
    return build_one(make_layer("Turns", [0, 1, 2, 3], turn=DAYS * 86_400 // number))


def grow_overrides(number: int) -> tuple[Rows, int]:
    hours = timedelta(days=DAYS - 1) / number
    spans = ((NOW + hours * n, NOW + hours * n + hours / 2) for n in range(number))
    entries = [
        {"id": f"PO{n}", "start": f"{s.isoformat()}", "end": f"{e.isoformat()}", "user": refer("user", f"PU{n % 10}")}
        for n, (s, e) in enumerate((s.replace(microsecond=0), e.replace(microsecond=0)) for s, e in spans)
    ]
    rendered = {"rendered_schedule_entries": entries}
    return build_one(make_layer("Layer", [0, 1, 2]), overrides_subschedule=rendered)


def grow_dated(number: int) -> tuple[Rows, int]:
    """Shifts with a date of a schedule of the new kind, each a rotation of its own in Harness."""
    hours = timedelta(days=DAYS - 1) / number
    shifts = [
        {
            "id": f"PCS{n}",
            "type": "custom_shift",
            "start_time": (NOW + hours * n).replace(microsecond=0).isoformat(),
            "end_time": (NOW + hours * n + hours / 2).replace(microsecond=0).isoformat(),
            "assignments": [{"id": f"PA{n}", "member": {"type": "user_member", "user_id": f"PU{n % 10}"}}],
        }
        for n in range(number)
    ]
    parts = {"rotations": [], "custom_shifts": shifts, "overrides": [], "teams": [], "users": []}
    return build(
        make_people(10), [], v3=({"id": "PX0", "type": "schedule_v3", "name": "Shifts", "time_zone": "UTC", **parts},)
    )


def grow_events(number: int) -> tuple[Rows, int]:
    rotations = [
        {
            "id": f"PRT{n}",
            "events": [
                {
                    "id": f"PE{n}",
                    "name": f"Event {n}",
                    "start_time": {"date_time": "2025-03-03T09:00:00Z", "time_zone": "UTC"},
                    "end_time": {"date_time": "2025-03-03T17:00:00Z", "time_zone": "UTC"},
                    "effective_since": "2025-03-03T09:00:00Z",
                    "effective_until": None,
                    "recurrence": [f"RRULE:FREQ=WEEKLY;BYDAY={('MO', 'TU', 'WE', 'TH', 'FR')[n % 5]}"],
                    "assignment_strategy": {
                        "type": "rotating_member_assignment_strategy",
                        "shifts_per_member": 1,
                        "members": [{"type": "user_member", "user_id": f"PU{p % 10}"} for p in (n, n + 1)],
                    },
                }
            ],
        }
        for n in range(number)
    ]
    parts = {"rotations": rotations, "custom_shifts": [], "overrides": [], "teams": [], "users": []}
    return build(
        make_people(10), [], v3=({"id": "PX0", "type": "schedule_v3", "name": "Events", "time_zone": "UTC", **parts},)
    )


def grow_people(number: int) -> tuple[Rows, int]:
    return build(make_people(number, methods=3), [make_schedule(make_layer("Layer", [0, 1, 2]))])


def grow_schedules(number: int) -> tuple[Rows, int]:
    made = [make_schedule(make_layer("Layer", [n % 50, (n + 1) % 50]), number=n) for n in range(number)]
    return build(make_people(50), made, policies=number, services=number)


def grow_services(number: int) -> tuple[Rows, int]:
    """All of them by ten policies."""
    made = [make_schedule(make_layer("Layer", [n, n + 1], turn=86_400), number=n) for n in range(10)]
    return build(make_people(50), made, policies=10, services=number)


def grow_days(number: int) -> tuple[Rows, int]:
    """So many days are compared."""
    layers = (
        make_layer("Nights", [0, 1, 2], turn=86_400, restrictions=[window(n, 14) for n in range(14)]),
        make_layer("Rest", [3, 4]),
    )
    return build_one(*layers, days=number)


THINGS: dict[str, tuple[int, Callable[[int], tuple[Rows, int]]]] = {
    "layers with a window each, in one schedule": (50, grow_layers),
    "layers that ended, overlapping": (50, grow_ended),
    "windows of one layer": (125, grow_windows),
    "places in one layer": (2_500, grow_places),
    "turns in four weeks": (1_000, grow_turns),
    "overrides of one schedule": (1_000, grow_overrides),
    "dated shifts of one schedule (v3)": (800, grow_dated),
    "events of one schedule (v3)": (50, grow_events),
    "people, with three ways to reach them": (1_000, grow_people),
    "schedules, each with a policy and a service": (200, grow_schedules),
    "services by ten policies": (500, grow_services),
    "days that are compared": (28, grow_days),
}


if __name__ == "__main__":
    main()
