"""A policy of very many levels: each page is walked through all of them, each moment is kept once, and more are refused."""

import pytest
from pydantic import ValidationError

from pdmigrate.harness.records import EscalationPolicy, Level
from pdmigrate.oncall import paging, rota
from pdmigrate.pagerduty.arrivals import read_records
from pdmigrate.parity.policies import LevelParity, PolicyParity, find_unexplained

ANN, BOB = frozenset(["ann"]), frozenset(["bob"])
WEEKS = rota.make_rota((week * rota.WEEK, (week + 1) * rota.WEEK, (ANN, BOB)[week % 2]) for week in range(20))
MANY = 200


def test_a_moment_is_kept_once_however_many_pages_have_it(monkeypatch):
    looked = []
    level = paging.PagedLevel(20, frozenset(), (WEEKS,))
    course = level.course
    monkeypatch.setattr(paging.PagedLevel, "course", property(lambda _: looked.append(1) or course))
    chain, known = [level] * MANY, {}
    instants = range(0, 10 * rota.WEEK, rota.DAY)
    pages = [paging.walk(chain, instant, known) for instant in instants]
    pages += [paging.walk_all([chain, chain], instant, known) for instant in instants]
    assert len(looked) == 3 * MANY * len(instants)
    moments = [moment for page in pages for moment in page]
    assert len(moments) == 2 * MANY * len(instants)
    assert len({id(moment) for moment in moments}) == len(known) == 2 * MANY


class Counted(tuple):
    """How often somebody goes through it."""

    times = 0

    def __iter__(self):
        Counted.times += 1
        return super().__iter__()


def test_what_is_unexplained_of_many_levels_is_gone_through_once():
    left = Counted((number, 0, rota.DAY, ANN, BOB) for number in range(1, MANY + 1))
    levels = tuple(LevelParity(number, 0, rota.DAY, 0, (), (left[number - 1][1:],)) for number in range(1, MANY + 1))
    said = find_unexplained([PolicyParity("P1", "Payments", "payments_P1", levels, left)])
    assert len(said) == MANY
    assert said[1].startswith("policy Payments (P1), level 2: ann in PagerDuty, bob in Harness, from Thu 1 Jan 1970")
    assert Counted.times == 1


@pytest.mark.parametrize(
    "levels",
    [
        [Level(timeout_minutes=5)] * 1_001,
        [Level(timeout_minutes=5, retries=499)] * 3,
        [Level(timeout_minutes=5, retries=10**18)],
    ],
)
def test_a_policy_of_harness_with_more_levels_is_refused_by_its_field(levels):
    with pytest.raises(ValidationError, match=r"levels\n.*more than 1,000 levels"):
        EscalationPolicy(identifier="payments", name="Payments", levels=levels)
    assert EscalationPolicy(identifier="payments", name="Payments", levels=[Level(timeout_minutes=5)] * 1_000)


@pytest.mark.parametrize("said", [{"retries": -1}, {"timeout_minutes": -5}])
def test_a_level_neither_goes_back_in_time_nor_is_left_out(said):
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Level(**{"timeout_minutes": 5, **said})


def policy_of(levels, loops):
    target = {"id": "PUSER01", "type": "user_reference"}
    rules = [{"id": f"PR{n}", "escalation_delay_in_minutes": 5, "targets": [target]} for n in range(levels)]
    return {"id": "PPOL01", "name": "Payments", "escalation_rules": rules, **loops}


@pytest.mark.parametrize(
    "levels, loops, taken",
    [
        (20, {"num_loops": 49}, True),
        (1_000, {}, True),
        (20, {"num_loops": 50}, False),
        (1_001, {}, False),
        (1, {"num_loops": 10**18}, False),
    ],
)
def test_a_policy_of_pagerduty_with_more_levels_is_a_problem_that_names_it(levels, loops, taken):
    arrived = read_records("escalation_policies", [policy_of(levels, loops)])
    assert list(arrived.by_id) == ["PPOL01"] * taken
    assert ["more than 1,000 levels" in problem.message for problem in arrived.problems] == [True] * (not taken)
