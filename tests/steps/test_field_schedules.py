"""The schedules and overrides of the cases in data/cases, each under its own name, with its right value."""

import json
from datetime import timedelta

import pytest
import requests
from field_cases import NOW, ask_case, asked, open_case, outcome, run_case, serve_account, turns
from mapping_account import layer, policy, refer, schedule, service, user
from small_company import edit

from pdmigrate import choose, conflicts, connect, invite, load, open_job, preview, verify

CHANGE = ("11-25 12:00", "11-30 09:00")
"""Until the turn under way ends, on Monday."""


def weeks(first, second, start=CHANGE[0]):
    """Who is on call in the first three turns of a week."""
    dates = [start, "11-30 09:00", "12-07 09:00", "12-14 09:00"]
    people = [f"{name}@example.com" for name in (first, second, first)]
    return [(since, until, who) for since, until, who in zip(dates, dates[1:], people, strict=False)]


def test_blank_schedule_by_overrides(tmp_path):
    """A schedule without a live layer: whoever stands in is paged on that day, and nobody otherwise."""
    decided, verified = run_case(tmp_path, "blank-schedule-by-overrides")
    assert (decided.guards, decided.error, verified.error) == ((), None, None)
    assert turns(verified, "S1") == [("12-01 09:00", "12-02 09:00", "pub@example.com")]


def test_daily_with_day_zero(tmp_path):
    """A daily restriction has no day, whatever stands there: from eight to five every day, in turns of a week."""
    decided, verified = run_case(tmp_path, "daily-with-day-zero")
    assert outcome(decided, "schedules", "S1")[0] == "exact"
    found = turns(verified, "S1", 8)
    days = ["11-25", "11-26", "11-27", "11-28", "11-29", "11-30", "11-30", "12-01"]
    starts = ["12:00", *["08:00"] * 5, "09:00", "08:00"]
    ends = [*["17:00"] * 5, "09:00", "17:00", "17:00"]
    people = [*["pub"] * 6, "pua", "pua"]
    assert found == [
        (f"{day} {start}", f"{day} {end}", f"{who}@example.com")
        for day, start, end, who in zip(days, starts, ends, people, strict=True)
    ]


def test_deleted_user_in_rendering(tmp_path):
    """PagerDuty renders the turn of who is deleted and not the layer below: nobody is paged in his weeks."""
    answer = [("deleted_participant", "S1/PX1", "empty_place")]
    decided, verified = run_case(tmp_path, "deleted-user-in-rendering", answer)
    assert outcome(decided, "schedules", "S1")[:2] == (
        "changed",
        "turns of Person PX1 stay empty: deleted in PagerDuty",
    )
    assert decided.draft.mapped.fidelity["S1"].grade == "for_ever"
    assert turns(verified, "S1", 2) == [
        ("11-30 09:00", "12-07 09:00", "pua@example.com"),
        ("12-14 09:00", "12-21 09:00", "pua@example.com"),
    ]
    [parity] = verified.schedules
    assert parity.differ == 0


def test_ends_in_pagerduty(tmp_path):
    """It ends within the week, in PagerDuty as well: carried over exactly, and the other schedule knows nothing of it."""
    decided, verified = run_case(tmp_path, "ends-in-pagerduty")
    said = {id: one.reason for id, one in decided.draft.mapped.fidelity.items()}
    assert said == {"S1": "it ends on 2026-11-28, in PagerDuty as well", "S2": ""}
    assert turns(verified, "S1") == [("11-25 12:00", "11-28 12:00", "pub@example.com")]
    assert turns(verified, "S2", 3) == weeks("pud", "puc")


def test_list_in_another_zone(tmp_path):
    """Its times were written in Los Angeles: a question, since nobody knows the zone of the windows."""
    decided = ask_case(tmp_path, "list-in-another-zone")
    question = asked(decided)["written_in_another_zone", "S1"]
    assert "2026-10-05T00:00:00-07:00" in question.question
    assert question.changes_paging or question.recommended == "leave_out"


def test_long_description_and_name(tmp_path):
    """The PagerDuty name stays in the description, where both do not fit the description is cut, and that is said."""
    decided, _ = run_case(tmp_path, "long-description-and-name")
    _, _, fields = outcome(decided, "schedules", "S1")
    assert fields == {"name": "changed", "description": "changed"}
    made = next(wish for wish in decided.draft.mapped.desired if wish.kind == "schedules")
    assert "オンコール 当番" in made.fields["description"]
    assert len(made.fields["description"]) <= 1024


def test_many_ended_layers(tmp_path):
    """Twenty layers of the past, each with somebody who has left: none of them is asked about."""
    decided, verified = run_case(tmp_path, "many-ended-layers")
    assert decided.draft.open == {}
    assert turns(verified, "S1", 3) == weeks("puc", "pud")


def test_no_layers_in_answer(tmp_path):
    """What was not asked for is not "no layers": the schedule is a problem, and is not carried over."""
    decided = ask_case(tmp_path, "no-layers-in-answer")
    [problem] = decided.draft.account.problems
    assert (problem.id, "its layers were not read" in problem.message) == ("S1", True)
    assert outcome(decided, "schedules", "S1")[0] == "lost"
    assert ("unusable_record", "S1") in asked(decided)
    assert decided.error.exit_code in (3, 4)


def test_odd_override_words(tmp_path):
    """Four odd overrides, four sentences; the one with a person stands."""
    decided, _ = run_case(tmp_path, "odd-override-words")
    reasons = [one.reason for one in decided.draft.mapped.outcomes if one.kind == "overrides"]
    for words in (
        "starts and ends at the same time",
        "it ends before it starts",
        "Person PX1 was deleted in PagerDuty",
    ):
        assert sum(words in reason for reason in reasons) == 1
    [stands] = [wish for wish in decided.draft.mapped.desired if wish.kind == "overrides"]
    assert stands.fields["person"] == "pud@example.com"


def test_personal_calendar_link(tmp_path):
    """No address with the private token is in a snapshot."""
    token = "748c2b3799de1a67"
    with open_case(tmp_path, "personal-calendar-link") as job:
        assert token in (tmp_path / "personal-calendar-link" / "account" / "schedules.json").read_text()
        assert token not in json.dumps(preview(job).snapshot.rows)


def test_unlisted_user(tmp_path):
    """No list shows him, so PagerDuty pages him as far as anybody knows: an empty place would be a hole, and is not recommended."""
    decided = ask_case(tmp_path, "unlisted-user")
    question = asked(decided)["dangling_reference", "S1/PUGONE"]
    assert "whom no list of PagerDuty shows" in question.question
    assert "perhaps the key may not read that user" in question.question
    assert "As far as anybody knows PagerDuty pages Person PUGONE" in question.meaning
    assert "Use a key that may read that user" in question.meaning
    assert question.recommended == "leave_out"


def test_unrendered_final(tmp_path):
    """Nothing was rendered, so nothing is judged: the schedule is carried over exactly."""
    decided, verified = run_case(tmp_path, "unrendered-final")
    assert outcome(decided, "schedules", "S1")[0] == "exact"
    assert decided.draft.mapped.fidelity["S1"].grade == "for_ever"
    assert turns(verified, "S1", 3) == weeks("pub", "pua")


# --- manners of PagerDuty, and what people do there: on the embedded pair ---

PEOPLE = [user(name, contact_methods=[], notification_rules=[]) for name in ("pue", "puf", "pug")]


def stand_in(person, start, end):
    return {"start": start, "end": end, "user": refer("user", person)}


OVERRIDES = {
    "S1": [stand_in("pue", "2026-12-01T09:00:00Z", "2026-12-02T09:00:00Z")],
    "S2": [stand_in("puf", "2027-06-01T09:00:00Z", "2027-06-08T09:00:00Z")],
}


def make_account(*schedules):
    """An account of these schedules; each has a policy and a service."""
    ids = [one["id"] for one in schedules]
    policies = [policy(f"E{id}", (15, [refer("schedule", id)])) for id in ids]
    rows = {"users": PEOPLE, "schedules": list(schedules), "escalation_policies": policies}
    rows |= {"services": [service(f"V{id}", f"E{id}") for id in ids], "subdomain": "acme", "time_zone": "UTC"}
    return rows | {"overrides": {id: OVERRIDES[id] for id in ids if id in OVERRIDES}}


def three_schedules():
    return [schedule(id, layer(["pug"], id=f"L{id}"), time_zone="UTC") for id in ("S1", "S2", "S3")]


def carry_over(job):
    for step in (connect, preview, invite):
        step(job)
    decided = conflicts(job)
    assert load(job, "all").error is None
    return decided, verify(job)


def check_overrides(decided, verified):
    """All three schedules and both overrides, the one beyond what is rendered too."""
    assert decided.draft.open == {}
    counts = verified.summarise()["kinds"]
    assert (counts["schedules"]["exact"], counts["overrides"]["in_source"]) == (3, 2)
    made = {wish.fields["person"] for wish in decided.draft.mapped.desired if wish.kind == "overrides"}
    assert made == {"pue@example.com", "puf@example.com"}


def test_list_leaves_out_overrides(tmp_path):
    manners = ("list_without_overrides", "list_without_final")
    with serve_account(tmp_path, make_account(*three_schedules()), *manners) as job:
        check_overrides(*carry_over(job))


def test_list_renders_empty(tmp_path):
    """Coverage null means "not rendered": single schedules are asked for."""
    with serve_account(tmp_path, make_account(*three_schedules()), "list_unrendered") as job:
        decided, verified = carry_over(job)
        check_overrides(decided, verified)
    assert all(one.final_schedule is not None for one in decided.draft.account.schedules.values())


def test_three_month_limit(tmp_path):
    """PagerDuty refuses long windows: shorter ones are asked for, and the override of next June is there."""
    with serve_account(tmp_path, make_account(*three_schedules()), "three_months") as job:
        check_overrides(*carry_over(job))


def test_zone_by_its_new_name(tmp_path):
    """PagerDuty is asked with the name that it gave."""
    kiev = [one | {"time_zone": "Europe/Kiev"} for one in three_schedules()]
    with serve_account(tmp_path, make_account(*kiev), "own_zone_names") as job:
        decided, _ = carry_over(job)
        answers = requests.get(f"{job.source.transport.base_url}/sandbox/log", timeout=600).json()["answers"]
    assert "400" not in answers
    zones = {wish.fields["time_zone"] for wish in decided.draft.mapped.desired if wish.kind == "schedules"}
    assert len(zones) == 1


def test_start_moves(tmp_path):
    """Every apply of Terraform sets a layer's start to that moment; its virtual start stays, and so does everybody's turn."""
    with serve_account(tmp_path, make_account(*three_schedules())) as job:
        carry_over(job)
        with edit(job, "pagerduty") as held:
            for one in held["schedules"]:
                one["schedule_layers"][0]["start"] = (NOW - timedelta(minutes=5)).isoformat()
        preview(job)
        again = conflicts(job)
    assert (again.plan.empty, again.draft.open) == (True, {})


@pytest.mark.parametrize("order", [1, -1])
def test_successor_takes_another_name(tmp_path, order):
    """A layer was ended and made again under its name: the one that is on now keeps it, whatever the order."""
    old = layer(["pug"], id="L1", end="2026-11-20T09:00:00Z")
    new = layer(["pug", "pue"], id="L2", start="2026-11-20T09:00:00Z")
    one = schedule("S1", *[old, new][::order], time_zone="UTC")
    with serve_account(tmp_path, make_account(one)) as job:
        decided, _ = carry_over(job)
    made = next(wish for wish in decided.draft.mapped.desired if wish.kind == "schedules")
    assert [rotation["name"] for rotation in made.fields["rotations"]] == ["Layer 1"]


# --- of parity.md, what no other test holds (tests/test_field_parity.py says which holds which) ---


def reopen_later(tmp_path, days):
    return open_job(tmp_path / "acme", clock=lambda: NOW + timedelta(days=days))


def test_a_rotation_changed_by_hand_is_kept_when_time_alone_has_ended_another(tmp_path):
    """The layer has ended as it was always to end: that is no change of the source, whatever the strategy."""
    ends = layer(["pue"], id="L1", name="Early", end="2026-11-28T09:00:00Z")
    goes_on = layer(["pug", "puf"], id="L2", name="Late", start="2026-11-28T09:00:00Z")
    account = make_account(schedule("S1", ends, goes_on, time_zone="UTC")) | {"overrides": {}}
    with serve_account(tmp_path, account) as job:
        carry_over(job)
        with edit(job, "harness") as held:
            [made] = held["oncall"]["schedules"].values()
            late = next(one for one in made["rotations"] if one["name"] == "Late")
            late["participants"] = late["participants"][:1]
    with reopen_later(tmp_path, 5) as job:
        choose(job, "rules.strategy", "overwrite", by="ann")
        preview(job)
        decided = conflicts(job)
    assert [one.about for one in decided.draft.open.values()] == ["changed_in_harness"]
    assert not [action for action in decided.plan.actions if action.kind == "schedules" and action.writes]


def test_an_override_that_was_lengthened_in_harness_is_an_action_or_a_question(tmp_path):
    """PagerDuty's has ended, and Harness's goes on: not only a difference that nobody can explain."""
    with serve_account(tmp_path, make_account(three_schedules()[0])) as job:
        carry_over(job)
        with edit(job, "harness") as held:
            [made] = held["oncall"]["schedules"].values()
            [swap] = made["overrides"]
            swap["end"] = "2026-12-20T09:00:00Z"
    with reopen_later(tmp_path, 10) as job:
        preview(job)
        decided = conflicts(job)
    acted = [action for action in decided.plan.actions if action.kind == "overrides" and action.verb != "keep"]
    assert acted or [one for one in decided.draft.open.values() if one.kind == "overrides"]
