"""What random campaigns found in November 2026 (parity.md of the cases): each row, and the tests that hold its right value."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROWS = {
    "an alert rule pointed at another policy, or a second one, pages other people: verify says so": (
        "parity/test_explanations.py::test_an_alert_rule_that_is_pointed_elsewhere_pages_others",
        "parity/test_explanations.py::test_a_second_alert_rule_pages_people_besides",
    ),
    "round robin is the same on no page, with the reason": (
        "parity/test_explanations.py::test_round_robin_is_the_same_on_no_page_and_explained_by_its_answer",
        "steps/test_round_robin.py",
    ),
    "an explanation covers its own field, people and time only": (
        "parity/test_explanations.py::test_a_kept_description_explains_other_people_on_no_day",
        "parity/test_explanations.py::test_an_explanation_covers_its_own_people_and_time_only",
    ),
    "an override that a later one covers is taken back": (
        "mapping/test_mapping_overrides.py::test_one_that_a_later_one_covers_by_now_is_taken_back",
    ),
    "two overrides of one person with one end are two": (
        "mapping/test_mapping_overrides.py::test_two_overrides_of_one_person_with_one_end_are_two",
    ),
    "an override cancelled while its schedule is held is taken back": (
        "mapping/test_mapping_overrides.py::test_one_that_was_cancelled_while_its_schedule_is_held_is_taken_back",
    ),
    "tags, default_service and a rule's own name stay": (
        "steps/test_target_keeps.py::test_tags_of_schedules_and_policies_stay",
        "steps/test_target_keeps.py::test_a_rules_own_name_and_its_default_service_stay",
    ),
    "what time alone has ended is no change of the source: a rotation changed by hand is kept": (
        "steps/test_field_schedules.py::test_a_rotation_changed_by_hand_is_kept_when_time_alone_has_ended_another",
    ),
    "two EXDATEs behind the end are one rotation": (
        "mapping/test_rota_v3_claims.py::test_exdates_behind_the_end_leave_one_rotation",
    ),
    "a rule that never happens pages nobody": (
        "mapping/test_rota_v3_claims.py::test_a_rule_that_never_happens_pages_nobody",
    ),
    "overrides and custom shifts of v3 are counted, held and out of scope": (
        "mapping/test_mapping_overrides.py::test_overrides_and_custom_shifts_of_a_shift_based_schedule_are_counted",
        "mapping/test_mapping_overrides.py::test_they_stay_behind_with_a_schedule_that_is_held",
        "mapping/test_mapping_overrides.py::test_those_of_a_shift_based_schedule_out_of_scope_and_beyond_the_horizon",
    ),
    "EXDATE of another zone, and of a day": (
        "mapping/test_rota_v3_claims.py::test_exdates_are_read_by_rfc_5545",
        "mapping/test_rota_v3_claims.py::test_an_exdate_in_a_zone_that_nobody_knows_is_no_date",
    ),
    "an upper layer with a deleted user that starts in two years limits the claim": (
        "mapping/test_rota_claims.py::test_a_deleted_user_in_a_layer_that_starts_in_two_years_limits_the_claim",
        "mapping/test_rota_claims.py::test_one_that_starts_behind_the_month_is_written_with_dates",
    ),
    "doubt is said, and PagerDuty asked, wherever two readings part": (
        "mapping/test_rota_claims.py::test_doubt_is_said_and_asked_for_wherever_readings_part",
    ),
    "v3 nights have the same doubts": (
        "mapping/test_rota_v3_claims.py::test_what_pagerduty_does_not_document_is_in_doubt_until_it_shows_it",
    ),
    "v3 rules of other periods say until when they hold": (
        "mapping/test_rota_v3_claims.py::test_a_rule_of_five_days_is_claimed_until_a_start_meets_a_change_of_the_clock",
    ),
    "support hours with an offset are read": (
        "mapping/test_absent_cases.py::test_date_and_offset_of_support_hours_are_ignored",
        "steps/test_field_cases.py::test_support_hours_with_date",
    ),
    "an override that began before last month is no update each month": (
        "mapping/test_mapping_overrides.py::test_a_long_override_whose_start_is_cut_each_month_is_the_same",
    ),
    "an override lengthened in Harness is an action or a question": (
        "steps/test_field_schedules.py::test_an_override_that_was_lengthened_in_harness_is_an_action_or_a_question",
    ),
    "dated rotations and overrides cost what there is of them, up to a limit that is a question": (
        "mapping/test_rota_claims.py::test_more_dates_than_anybody_can_check_are_a_question",
        "mapping/test_rota_v3_claims.py::test_hundreds_of_holidays_are_a_question",
        "mapping/test_mapping_overrides.py::test_four_times_as_many_overrides_take_four_times_as_long",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_its_tests(row):
    for held in ROWS[row]:
        path, _, name = held.partition("::")
        tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not name or name in names, held
