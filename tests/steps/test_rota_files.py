"""The CSV files of who is on call: the source's in the words of PagerDuty, whoever people become in Harness."""

import csv

from small_company import edit

from pdmigrate import conflicts, decide, load, preview, verify
from pdmigrate.mapping.proof import read_shown
from pdmigrate.oncall import rota


def read_rows(job, side, schedule):
    with open(job.folder / "rota" / side / f"{schedule.id}.csv", encoding="utf-8", newline="") as file:
        return [(row["start"], row["end"], set(row["users"].split(";"))) for row in csv.DictReader(file)]


def list_people(schedule):
    return set().union(*(people for _, _, people in read_shown(schedule).entries))


def test_two_users_who_become_one_person_are_told_apart_in_the_source(small):
    account = small.latest_account()
    schedule = next(s for s in account.schedules.values() if len(list_people(s)) > 1)
    ann, twin, *_ = sorted(list_people(schedule))
    with edit(small, "pagerduty") as held:
        users = {user["id"]: user for user in held["users"]}
        users[twin]["email"] = users[ann]["email"]
    preview(small)
    decide(small, "user_found_twice", "all", "same_person", by="ann")
    conflicts(small)
    load(small, "all")
    verify(small)
    shown = read_shown(small.latest_account().schedules[schedule.id])
    source, target = (read_rows(small, side, schedule) for side in ("source", "target"))
    assert [people for _, _, people in source] == [set(people) for _, _, people in shown.entries]
    assert {ann, twin} <= set().union(*(people for _, _, people in source))
    assert [people for _, _, people in target if ann in people or twin in people]
    assert all({ann, twin} <= people for _, _, people in target if ann in people or twin in people)


def test_whoever_has_no_name_keeps_his_own():
    who = rota.make_rota([(0, 10, ["a@x", "z@x"]), (10, 20, ["z@x"])])
    assert who.expand({"a@x": ("P1", "P2")}).entries == ((0, 10, {"P1", "P2", "z@x"}), (10, 20, {"z@x"}))
