"""On the embedded pair: what people have set in Harness beside our fields stays, and what pages otherwise ends a run with 3."""

import copy
from datetime import timedelta

import pytest
from small_company import edit

from pdmigrate import conflicts, decide, load, preview, undo, verify
from pdmigrate.pages import make_page

POLICY, SERVICE, RULE = "escalation_policies", "services", "alert_rules"


def shelf(held, kind):
    """Harness's rows of one kind, first things first."""
    rows = held["oncall"][kind]
    return [rows[key] for key in sorted(rows)]


def paging_rule(held):
    return next(rule for rule in shelf(held, RULE) if rule["paging"])


def look_at(job, kind, identifier):
    with edit(job, "harness") as held:
        return next(row for row in shelf(held, kind) if row["identifier"] == identifier)


def plan_again(job):
    preview(job)
    return conflicts(job)


def answer_all(job, choice):
    for asked in list(plan_again(job).draft.open.values()):
        decide(job, asked.about, asked.id, choice, by="ann", why="seen")
    return conflicts(job)


# --- read, modify, write ---


def test_tags_of_schedules_and_policies_stay(loaded):
    kinds = ("schedules", POLICY)
    with edit(loaded, "harness") as held:
        for kind in kinds:
            shelf(held, kind)[0]["tags"] = {"cost": "42"}
        names = {kind: shelf(held, kind)[0]["identifier"] for kind in kinds}
    with edit(loaded, "pagerduty") as held:
        for kind in kinds:
            for row in held[kind]:
                row["description"] = "changed in PagerDuty"
    assert {a.kind for a in plan_again(loaded).plan.pending} == set(kinds)
    load(loaded, "all")
    for kind, identifier in names.items():
        row = look_at(loaded, kind, identifier)
        assert row["tags"] == {"cost": "42"}
        assert row["description"].startswith("changed in PagerDuty")
    undo(loaded, 2, yes=True)
    assert {tuple(look_at(loaded, kind, identifier)["tags"]) for kind, identifier in names.items()} == {("cost",)}


def test_a_rules_own_name_and_its_default_service_stay(loaded):
    with edit(loaded, "harness") as held:
        rule = paging_rule(held)
        rule |= {"name": "Ours at night", "default_service": True}
        named = rule["identifier"]
    with edit(loaded, "pagerduty") as held:
        other = held[POLICY][-1]["id"]
        service = next(s for s in held["services"] if named.endswith(s["id"]) or s["escalation_policy"]["id"] != other)
        service["escalation_policy"]["id"] = other
        service["name"] += " two"
    for done in load_again(loaded):
        assert done.action.changes()
    rule = look_at(loaded, RULE, named)
    assert (rule["name"], rule["default_service"]) == ("Ours at night", True)


def load_again(job):
    plan_again(job)
    return [done for done in load(job, "all").done if done.action.writes]


# --- who is paged ---

CHANGES = [
    (POLICY, "_PPOL01", lambda row: row["levels"][0].update(timeout_minutes=55), "level 1 waits 55 min, was"),
    ("schedules", "_PSCHED02", lambda row: row["rotations"][0].update(turn_seconds=3600), "hand-off every 1 hour, was"),
    ("schedules", "_PSCHED03", lambda row: row.update(time_zone="Asia/Tokyo"), "by the clock of Asia/Tokyo, was"),
]
"""A time-out, a turn and a zone, each of another object: its kind, what its identifier ends with, the change, what is said."""


@pytest.mark.parametrize("strategy", ["preserve", "overwrite"])
def test_each_change_by_hand_that_pages_otherwise_ends_the_run_with_3(loaded, strategy):
    text = loaded.workspace.settings_file.read_text()
    loaded.workspace.settings_file.write_text(text.replace("strategy: preserve", f"strategy: {strategy}"))
    after, said = {}, {}
    with edit(loaded, "harness") as held:
        for kind, ending, change, words in CHANGES:
            row = next(row for row in shelf(held, kind) if row["identifier"].endswith(ending))
            change(row)
            after[kind, row["identifier"]], said[kind, row["identifier"]] = copy.deepcopy(row), words
    decided = plan_again(loaded)
    assert decided.error.exit_code == 3
    asked = {place: find_asked(decided, *place) for place in after}
    assert len(decided.draft.open) == len(asked) == len(CHANGES)
    for place, words in said.items():
        assert words in asked[place].question
    assert decided.plan.empty
    assert {place: look_at(loaded, *place) for place in after} == after
    kept = answer_all(loaded, "keep_harness")
    assert (kept.error, kept.plan.empty) == (None, True)
    answered = plan_again(loaded).draft.answered
    assert {answered[one.key].choice for one in asked.values()} == {"keep_harness"}
    for one in asked.values():
        decide(loaded, one.about, one.id, "take_source", by="ann")
    assert {action.key for action in conflicts(loaded).plan.pending} == {one.id for one in asked.values()}
    load(loaded, "all")
    assert plan_again(loaded).plan.empty


def find_asked(decided, kind, identifier):
    """The open question about an object of Harness."""
    key = source_of(decided, kind, identifier)
    [asked] = [one for one in decided.draft.open.values() if (one.kind, one.id) == (kind, key)]
    return asked


def test_what_only_harness_changed_is_said_is_kept_and_is_restored_by_an_answer(loaded):
    """Words that page nobody stay by the rules, a time-out is a question; both are put back, and verify finds them so."""
    before = verify(loaded)
    with edit(loaded, "harness") as held:
        schedule, policy = shelf(held, "schedules")[0], shelf(held, POLICY)[0]
        words, minutes = schedule["description"], policy["levels"][0]["timeout_minutes"]
        schedule["description"] = "called by hand"
        policy["levels"][0]["timeout_minutes"] = 55
    answer_all(loaded, "keep_harness")
    kept = conflicts(loaded)
    assert (kept.error, kept.plan.empty) == (None, True)
    page = make_page(kept)
    assert page.lead.endswith("2 objects differ and are kept.")
    [section] = [section for section in page.sections if section.title == "Differs and is kept"]
    told = [" ".join(row) for row in section.table.rows]
    assert len(told) == 2
    assert any("description: called by hand, PagerDuty says" in row and "rules" in row for row in told)
    assert any(f"level 1 waits 55 min, was {minutes}" in row and "ann: seen" in row for row in told)
    decide(loaded, "kept_in_harness", source_of(kept, "schedules", schedule["identifier"]), "restore", by="ann")
    decide(loaded, "changed_in_harness", source_of(kept, POLICY, policy["identifier"]), "take_source", by="ann")
    assert {action.kind for action in conflicts(loaded).plan.pending} == {"schedules", POLICY}
    load(loaded, "all")
    assert look_at(loaded, "schedules", schedule["identifier"])["description"] == words
    assert look_at(loaded, POLICY, policy["identifier"])["levels"][0]["timeout_minutes"] == minutes
    after = verify(loaded)
    assert (after.drift, after.unexplained) == (before.drift, before.unexplained) == ((), ())
    assert make_page(plan_again(loaded)).lead == "Nothing to do: everything that moves is in Harness as it was decided."


def source_of(decided, kind, identifier):
    return next(wish.key for wish in decided.draft.mapped.desired if (wish.kind, wish.identifier) == (kind, identifier))


def test_a_rule_that_is_pointed_at_another_policy(loaded):
    with edit(loaded, "harness") as held:
        rule = paging_rule(held)
        was = rule["escalation_policy"]
        other = next(p["identifier"] for p in shelf(held, POLICY) if p["identifier"] != was)
        rule["escalation_policy"] = other
    [asked] = plan_again(loaded).draft.open.values()
    assert f"pages by the policy {other}, was {was}" in asked.question
    answer_all(loaded, "take_source")
    load(loaded, "all")
    assert look_at(loaded, RULE, rule["identifier"])["escalation_policy"] == was


def test_a_rule_that_is_gone_or_another_services_pages_nobody(loaded):
    with edit(loaded, "harness") as held:
        rule = paging_rule(held)
        rule["service"] = next(r["service"] for r in shelf(held, RULE) if r is not rule)
    asked = plan_again(loaded).draft.open
    assert any("are only logged and page nobody, was paging" in one.question for one in asked.values())
    assert any(key.endswith(f"/{rule['identifier']}") for key in asked), "and it is a second rule of the other service"
    answer_all(loaded, "take_source")
    load(loaded, "all")
    back = look_at(loaded, RULE, rule["identifier"])
    assert (back["service"], back["paging"]) == (rule["identifier"], True)
    assert plan_again(loaded).plan.empty


def test_a_second_rule_for_a_service(loaded):
    """One is kept as it is, another pages nobody any more, until that is taken back."""
    choices, rules = {"day": ("keep_harness", True), "night": ("take_source", False)}, {}
    with edit(loaded, "harness") as held:
        paging = [rule for rule in shelf(held, RULE) if rule["paging"]]
        for name, rule in zip(choices, paging, strict=False):
            rules[name] = {**rule, "identifier": name, "name": name.title(), "default_service": True}
            held["oncall"][RULE][f"default/sre/{name}"] = rules[name]
    assert rules["day"]["service"] != rules["night"]["service"]
    decided = plan_again(loaded)
    assert decided.error.exit_code == 3
    asked = {one.id.rpartition("/")[2]: one for one in decided.draft.open.values()}
    assert asked.keys() == choices.keys()
    for name, (choice, _) in choices.items():
        decide(loaded, asked[name].about, asked[name].id, choice, by="ann", why="seen")
    conflicts(loaded)
    load(loaded, "all")
    for name, (_, pages) in choices.items():
        assert look_at(loaded, RULE, name) == {**rules[name], "paging": pages}
    assert plan_again(loaded).plan.empty
    undo(loaded, 2, yes=True)
    assert {name: look_at(loaded, RULE, name) for name in rules} == rules


def test_an_answer_for_the_whole_class_covers_no_state(loaded):
    with edit(loaded, "harness") as held:
        shelf(held, POLICY)[0]["levels"][0]["timeout_minutes"] = 55
    plan_again(loaded)
    decide(loaded, "changed_in_harness", "all", "keep_harness", by="ann")
    [asked] = conflicts(loaded).draft.open.values()
    assert f"question: {asked.digest}" in asked.meaning


def test_a_start_that_moves_writes_nothing(loaded):
    """Every Terraform apply sets a layer's start to the moment of the apply; its virtual start stays."""
    with edit(loaded, "pagerduty") as held:
        for schedule in held["schedules"]:
            for layer in schedule["schedule_layers"]:
                if not layer["end"]:
                    layer["start"] = (loaded.clock() - timedelta(minutes=5)).isoformat()
    decided = plan_again(loaded)
    assert (decided.plan.empty, decided.draft.open) == (True, {})
    assert not [done for done in load(loaded, "all").done if done.action.writes]
