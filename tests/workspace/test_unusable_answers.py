"""An answer that cannot work is refused when it is given: by decide, and in the file (by a click: test_widgets)."""

import pytest
from field_cases import open_case, read_section

from pdmigrate import conflicts, decide, invite, preview
from pdmigrate.errors import UsageError


def test_nobody_is_mapped_to_somebody_who_is_not_there(small):
    invite(small)
    there = sorted(small.target.read_state().people)[0]
    with pytest.raises(UsageError, match=rf"is nobody in the Harness project.*did you mean {there}"):
        decide(small, "user_not_found", "all", "map", f"x{there}", by="ann")
    before = small.decisions()
    decide(small, "user_not_found", "PUSER99", "map", there.upper(), by="ann")
    assert len(small.decisions().decisions) == len(before.decisions) + 1


@pytest.mark.parametrize(
    "about,choice,value,said",
    [
        ("unknown_time_zone", "other", "Europe/Lodnon", r"no time zone.*Europe/London"),
        ("policy_without_team", "owner", "nowhere", "no user group of the project"),
        ("override_stand_in", "map", "nobody@nowhere.example", "is nobody in the Harness project"),
    ],
)
def test_a_zone_or_a_group_that_there_is_not_is_refused(small, about, choice, value, said):
    with pytest.raises(UsageError, match=said):
        decide(small, about, "X", choice, value, by="ann")
    assert value not in str(small.decisions())


def test_the_reason_that_a_person_gives_is_kept_with_the_answer(small):
    decide(small, "round_robin", "X", "everyone", by="ann", why="better two people than the wrong one")
    assert small.decisions().decisions[-1].why == "better two people than the wrong one"


def test_a_name_that_another_one_has_is_refused_and_its_own_is_not(small):
    conflicts(small)
    asked = next(
        a.conflict for a in conflicts(small).draft.answered.values() if a.conflict.about == "group_name_collision"
    )
    with pytest.raises(UsageError, match="is the name of another one already"):
        decide(small, asked.about, asked.id, "rename", asked.name.upper(), by="ann")
    for _ in range(2):
        decide(small, asked.about, asked.id, "rename", "Platform, moved", by="ann")
        conflicts(small)


def test_in_the_file_it_is_refused_with_who_said_it(tmp_path):
    with open_case(tmp_path, "stakeholders-invited") as job:
        written = (
            "decisions:\n- {conflict: user_not_found, object: PU1, choice: map, value: bob@example.com, by: carla}\n"
        )
        job.workspace.decisions_file.write_text(written, encoding="utf-8")
        preview(job)
        decided = conflicts(job)
    assert decided.error.exit_code == 3
    assert "map for user_not_found:PU1 cannot be carried out: bob@example.com is nobody in the Harness" in str(
        decided.error
    )
    assert "carla decided map bob@example.com" in read_section(decided, "Open questions")
