"""What is otherwise in Harness is explained by an answer, as far as that covers it, and by nothing else.

Each test plants a fault behind the plan's back, or gives an answer, and asks verify.
"""

import shutil
from dataclasses import replace

import pytest
from proof_plants import shift
from small_company import make_corner
from test_steps import change_harness

from pdmigrate import conflicts, decide, load, open_job, preview, verify
from pdmigrate.errors import UnexplainedDifferenceError
from pdmigrate.oncall import rota
from pdmigrate.parity.explanations import Explanation, expect_rota, explain_absence
from pdmigrate.parity.schedules import Compared
from pdmigrate.parity.services import expect_levels, find_policy
from pdmigrate.plan.actions import Held
from pdmigrate.steps.draft import draft

CORNER = ("PSERV01", "PSERV03", "PSERV09", "PSERV10", "PSERV19", "PSERV23")
"""Platform, Checkout, Delivery of a single level, Support that takes turns; and two services of low urgency or by hours."""


def carry_over(job):
    preview(job)
    conflicts(job)
    load(job, "all")


@pytest.fixture(scope="module")
def loaded_folder(tmp_path_factory):
    """A corner of the company carried over; every test starts from a copy."""
    folder = make_corner(tmp_path_factory.mktemp("loaded") / "acme", CORNER)
    with open_job(folder) as job:
        carry_over(job)
    return folder


@pytest.fixture
def loaded(loaded_folder, tmp_path):
    with open_job(shutil.copytree(loaded_folder, tmp_path / "acme")) as job:
        yield job


def see_unexplained(job):
    verified = verify(job)
    error = verified.error
    assert error is None or (isinstance(error, UnexplainedDifferenceError) and error.exit_code == 5)
    return verified.unexplained


def find(rows, name):
    return next(row for row in rows.values() if row["name"] == name)


def list_used(held):
    """The policies that page for some service."""
    used = {rule["escalation_policy"] for rule in held["oncall"]["alert_rules"].values() if rule["paging"]}
    return [p for p in held["oncall"]["escalation_policies"].values() if p["identifier"] in used]


def test_a_clean_load_leaves_nothing_without_a_decision(whole, loaded):
    """Of the whole company, and of the corner that the others start from."""
    assert whole["verify"].unexplained == ()
    assert see_unexplained(loaded) == ()


def test_time_outs_that_are_ten_minutes_too_long_ring(loaded):
    """Every service that pages, but for one whose policy has a single level: no time-out ever ends there."""
    with change_harness(loaded) as held:
        for policy in held["oncall"]["escalation_policies"].values():
            for level in policy["levels"]:
                level["timeout_minutes"] += 10
    unexplained = see_unexplained(loaded)
    services = [sentence for sentence in unexplained if sentence.startswith("service ")]
    assert len(services) == 3
    assert all("pages differ, the first raised at" in sentence and "minute " in sentence for sentence in services)
    [policy] = [sentence for sentence in unexplained if sentence not in services]
    assert policy.startswith("policy ")
    assert "its levels begin after " in policy, "no service pages by it"


def test_a_policy_rewritten_by_hand_rings_and_is_named(loaded):
    with change_harness(loaded) as held:
        policy = list_used(held)[0]
        policy["levels"] = [
            {"timeout_minutes": 7, "retries": 2, "targets": [{"type": "user", "id": "elena.petrova@acme.example"}]}
        ]
        identifier = policy["identifier"]
    verified = verify(loaded)
    services = {
        s.id
        for s in verified.draft.account.services.values()
        if verified.draft.mapped.policies.get(s.escalation_policy.id) == identifier
        and f"service_urgency:{s.id}" not in verified.draft.answered
    }
    assert services
    assert {s.id for s in verified.service_parity if s.unexplained} == services


def test_a_kept_description_explains_other_people_on_no_day(loaded):
    """Two changes by hand on one schedule: the one that pages nobody says nothing about the other."""
    with change_harness(loaded) as held:
        schedule = find(held["oncall"]["schedules"], "Platform primary")
        schedule["description"] = "Kept by hand"
        schedule["rotations"][0]["participants"].reverse()
    assert any("schedule Platform primary" in sentence for sentence in see_unexplained(loaded))


def test_an_alert_rule_that_is_pointed_elsewhere_pages_others(loaded):
    with change_harness(loaded) as held:
        rules, policies = held["oncall"]["alert_rules"], held["oncall"]["escalation_policies"]
        rule = next(r for r in rules.values() if r["paging"] and r["escalation_policy"])
        rule["escalation_policy"] = next(id for id in _identifiers(policies) if id != rule["escalation_policy"])
        name = rule["service"]
    assert [name in _service_of(loaded, sentence) for sentence in see_unexplained(loaded)] == [True]


def test_a_second_alert_rule_pages_people_besides(loaded):
    with change_harness(loaded) as held:
        rules, policies = held["oncall"]["alert_rules"], held["oncall"]["escalation_policies"]
        key, rule = next((key, r) for key, r in rules.items() if r["paging"] and r["escalation_policy"])
        other = next(id for id in _identifiers(policies) if id != rule["escalation_policy"])
        rules[f"{key}_more"] = {**rule, "identifier": f"{rule['identifier']}_more", "escalation_policy": other}
    [sentence] = see_unexplained(loaded)
    assert rule["service"] in _service_of(loaded, sentence)


def _identifiers(policies):
    return [policy["identifier"] for policy in policies.values()]


def _service_of(job, sentence):
    """The Harness identifier of the service that a sentence names by its PagerDuty id."""
    with job.journal().opened() as journal:
        ledger = journal.ledger()
    return next(
        entry.identifier for (kind, key), entry in ledger.items() if kind == "services" and f"({key})" in sentence
    )


def test_an_alert_rule_that_is_gone_or_silent_pages_nobody(loaded):
    with change_harness(loaded) as held:
        rules = held["oncall"]["alert_rules"]
        keys = [key for key, rule in rules.items() if rule["paging"]]
        del rules[keys[0]]
        rules[keys[1]]["paging"] = False
    unexplained = see_unexplained(loaded)
    assert len(unexplained) == 2
    assert all("dropped (PagerDuty / Harness)" in sentence for sentence in unexplained)


def test_a_renamed_rotation_is_skipped_by_the_level_that_names_it(loaded):
    """Harness documents that such a level is skipped without a word."""
    with change_harness(loaded) as held:
        schedules = held["oncall"]["schedules"]
        whole = {
            s["identifier"]: s["rotations"][0]["name"]
            for s in schedules.values()
            if len(s["rotations"]) == 1 and not s["overrides"]
        }
        target = next(
            target
            for policy in list_used(held)
            for level in policy["levels"]
            for target in level["targets"]
            if target["id"] in whole
        )
        target |= {"type": "rotation", "id": f"{target['id']}/{whole[target['id']]}"}
    assert see_unexplained(loaded) == (), "a level on the only rotation of a schedule pages the same people"
    with change_harness(loaded) as held:
        for schedule in held["oncall"]["schedules"].values():
            if schedule["identifier"] == target["id"].partition("/")[0]:
                schedule["rotations"][0]["name"] = "Renamed"
    assert see_unexplained(loaded)


def test_round_robin_is_the_same_on_no_page_and_explained_by_its_answer(whole):
    verified = whole["verify"]
    turning = {p.id for p in verified.draft.account.policies.values() if any(r.round_robin for r in p.escalation_rules)}
    asked = [
        s for s in verified.service_parity if verified.draft.account.services[s.id].escalation_policy.id in turning
    ]
    assert asked
    for service in asked:
        if service.different:
            assert "instead of one in turn (round robin), by decision of" in service.reason
            assert any("one of " in who for page in service.different for _, people in page.before for who in people)
        assert not service.unexplained
    loud = [s for s in asked if s.dropped_before < s.moments]
    assert loud
    assert all(s.equal == s.dropped_before for s in loud), "no page that somebody hears of is the same"


def test_low_urgency_explains_that_nobody_is_paged_and_not_that_others_are(loaded):
    verified = verify(loaded)
    service = next(
        s for s in verified.service_parity if f"service_urgency:{s.id}" in verified.draft.answered and s.different
    )
    assert "alerts are logged and page nobody, by decision of" in service.reason
    with change_harness(loaded) as held:
        identifier = verified.draft.ledger["services", service.id].identifier
        for rule in held["oncall"]["alert_rules"].values():
            if rule["service"] == identifier:
                rule["paging"] = True
                rule["escalation_policy"] = next(iter(_identifiers(held["oncall"]["escalation_policies"])))
    seen = next(s for s in verify(loaded).service_parity if s.id == service.id)
    assert seen.unexplained


def test_who_a_person_is_in_harness_is_read_from_the_answers_and_not_from_the_mapping(loaded):
    """Two people swapped by a slip of the mapping would be swapped on both sides, and nobody would see it."""
    found = draft(loaded)
    one, other = [id for id, email in found.mapped.emails.items() if email in found.state.people][:2]
    right = found.emails
    found.mapped.emails[one], found.mapped.emails[other] = found.mapped.emails[other], found.mapped.emails[one]
    assert replace(found, mapped=found.mapped).emails == right


def test_what_was_left_out_is_explained_by_the_answer_that_left_it_out(tmp_path):
    with open_job(make_corner(tmp_path / "acme", ("PSERV01", "PSERV23"))) as job:
        preview(job)
        account = job.latest_account()
        owner = next(p for p in account.policies.values() if any(r.round_robin for r in p.escalation_rules))
        decide(job, "round_robin", owner.id, "leave_out", by="ann", why="made by hand")
        conflicts(job)
        load(job, "all")
        verified = verify(job)
        services = [s for s in verified.service_parity if account.services[s.id].escalation_policy.id == owner.id]
        assert services
        assert all("by decision of ann (round_robin:" in s.reason for s in services if s.different)
        assert verified.unexplained == ()


def test_an_answer_for_the_whole_class_explains_no_silence_of_a_service_that_always_pages(loaded):
    """A slip of the mapping that asked about every service would let `all: no_page` silence them."""
    seen = verify(loaded)
    found, loud = seen.draft, next(s for s in seen.service_parity if s.same and not s.dropped_before)
    other = next(a for a in found.answered.values() if a.conflict.about == "service_urgency" and a.choice == "no_page")
    asked = other.conflict.model_copy(update={"id": loud.id})
    found.answered[asked.key] = other.model_copy(update={"conflict": asked})
    service = found.account.services[loud.id]
    assert expect_levels(found, service, find_policy(found, service), seen.schedules).pages(True)


def test_an_answer_that_leaves_nothing_out_explains_no_loss(loaded):
    """A slip of the mapping that held what a person accepted would call that answer to witness."""
    found = draft(loaded)
    key = next(key for key, a in found.answered.items() if a.choice == "accept")
    id = key.partition(":")[2]
    lost = Held("services", id, "S", "left out by decision", decided=key)
    planned = replace(found, plan=replace(found.plan, held=(lost,)))
    assert explain_absence(planned, "services", id, ("paging",)) is None


def test_a_schedule_that_was_merged_keeps_what_was_there_run_after_run(tmp_path):
    """Whoever was on call in Harness before goes on being so, and nobody is asked about it again."""
    with open_job(make_corner(tmp_path / "acme", ("PSERV01",))) as job:
        preview(job)
        with change_harness(job) as held:
            find(held["oncall"]["schedules"], "Payments primary")["name"] = "Platform primary"
        asked = conflicts(job).draft.answered.values()
        twin = next(a.conflict for a in asked if a.conflict.about == "duplicate_schedule")
        before = job.target.read_state().schedules["payments_primary"].rotations
        decide(job, "duplicate_schedule", twin.id, "merge", by="ann", why="until the teams are one")
        carry_over(job)
        for _ in range(2):
            there = {r.name: r for r in job.target.read_state().schedules["payments_primary"].rotations}
            assert all(there[rotation.name] == rotation for rotation in before)
            assert len(there) > len(before)
            verified = verify(job)
            assert verified.unexplained == ()
            assert "by decision of ann (duplicate_schedule:" in next(
                s.reason for s in verified.schedules if s.id == twin.id
            )
            preview(job)
            decided = conflicts(job)
            assert (decided.error, [a for a in decided.plan.actions if a.writes]) == (None, [])
            load(job, "all")


# --- what somebody changed in Harness, and a person decided to keep ---


def other_turn(held):
    people = find(held["oncall"]["schedules"], "Checkout primary")["rotations"][0]["participants"]
    people.append(people.pop(0))


def stand_in_longer(held):
    override = find(held["oncall"]["schedules"], "Platform primary")["overrides"][0]
    override["end"] = shift(86_400)(override["end"])


def other_levels(held):
    find(held["oncall"]["escalation_policies"], "Support")["levels"][0]["timeout_minutes"] += 7


def other_rule(held):
    rules = held["oncall"]["alert_rules"]
    key, rule = next((key, r) for key, r in rules.items() if r["service"].endswith("_PSERV19"))
    taken = [r["escalation_policy"] for r in rules.values() if r["service"] == rule["service"]]
    other = next(id for id in _identifiers(held["oncall"]["escalation_policies"]) if id not in taken)
    rules[f"{key}_more"] = {**rule, "identifier": f"{rule['identifier']}_more", "escalation_policy": other}


BY_HAND = {
    "PSCHED06 PPOL05 PSERV10": other_turn,
    "PSCHED02 PPOL01 PSERV01": stand_in_longer,
    "PPOL12 PSERV23": other_levels,
    "PSERV19": other_rule,
}
"""Changes that touch nothing of each other, by the objects that page other people by them."""


def list_rung(job):
    """Whose objects verify names; it may name no other."""
    unexplained = see_unexplained(job)
    named = {ids: [one for one in unexplained if any(f"({id})" in one for id in ids.split())] for ids in BY_HAND}
    assert sum(map(len, named.values())) == len(unexplained), [one[:60] for one in unexplained]
    return {ids for ids, sentences in named.items() if sentences}


def test_what_a_person_keeps_as_it_is_in_harness_is_explained_in_that_state_only(loaded):
    """Each change by its own answer: what nobody has said anything about rings beside it."""
    with change_harness(loaded) as held:
        for change in BY_HAND.values():
            change(held)
    asked = conflicts(loaded)
    assert asked.error.exit_code == 3
    levels, stand_in, turn, rule = sorted(asked.draft.open)
    ids = [key.split(":")[1] for key in (turn, stand_in, levels, rule)]
    assert [id[:8].split("/")[0] for id in ids] == ["PSCHED06", "PSCHED02", "PPOL12", "PSERV19"]
    assert list_rung(loaded) == BY_HAND.keys(), "a question is no answer"
    keep(loaded, turn, levels)
    assert list_rung(loaded) == {"PSCHED02 PPOL01 PSERV01", "PSERV19"}
    keep(loaded, stand_in, rule)
    assert conflicts(loaded).error is None
    verified = verify(loaded)
    assert verified.unexplained == ()
    told = " ".join([*(s.reason for s in verified.schedules), *(s.reason for s in verified.service_parity)])
    assert not [one for one in (turn, stand_in, levels, rule) if f"by decision of ann ({one})" not in told]
    with change_harness(loaded) as held:
        for change in BY_HAND.values():
            change(held)
    assert list_rung(loaded) == BY_HAND.keys(), "and of no other state"


def keep(job, *questions):
    for key in questions:
        decide(job, *key.split(":"), "keep_harness", by="ann", why="agreed on Monday")


# --- the arithmetic, without a server ---

ANN, BOB, CAT = (frozenset([name]) for name in ("ann", "bob", "cat"))


def explained(*changes):
    return Explanation("ann", "nobody_user:PU1", "schedules", "PS1", ("participants",), "decided", changes)


def compared(before, after, *explanations):
    one, other = rota.make_rota(before), rota.make_rota(after)
    return Compared(0, 100, one, other, expect_rota(one, explanations), explanations)


def test_an_explanation_covers_its_own_people_and_time_only():
    gone = explained((10, 20, ANN, rota.NOBODY))
    whole = compared([(0, 100, ANN)], [(0, 10, ANN), (20, 100, ANN)], gone)
    assert (whole.differences, whole.unexplained) == (((10, 20, ANN, rota.NOBODY),), ())
    longer = compared([(0, 100, ANN)], [(0, 10, ANN), (30, 100, ANN)], gone)
    assert longer.unexplained == ((20, 30, ANN, rota.NOBODY),)
    assert longer.describe(10, 30) == "decided; the rest: no decision explains it"
    others = compared([(0, 100, ANN)], [(0, 10, ANN), (10, 20, CAT), (20, 100, ANN)], gone)
    assert others.unexplained == ((10, 20, ANN, CAT),)


def test_what_was_decided_and_did_not_come_is_no_difference_where_nothing_has_changed():
    """An empty place that Harness fills as PagerDuty does pages nobody otherwise."""
    same = compared([(0, 100, ANN)], [(0, 100, ANN)], explained((10, 20, ANN, rota.NOBODY)))
    assert (same.differences, same.unexplained) == ((), ())


def test_explanations_add_up():
    both = compared(
        [(0, 100, ANN)],
        [(0, 10, ANN), (20, 30, BOB), (30, 100, ANN)],
        explained((10, 20, ANN, rota.NOBODY)),
        explained((20, 30, ANN, BOB)),
    )
    assert both.unexplained == ()
    assert both.explanations[1].people == ANN | BOB
