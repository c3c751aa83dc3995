"""Results as data frames: typed and tidy, the same for an empty account, and what people ask of them (docs/frames.md)."""

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from shift_company import build_shift_company
from small_company import cut_down

from pdmigrate import conflicts, invite, load, look, mask, open_job, preview, verify
from pdmigrate.errors import UsageError
from pdmigrate.mapping.proof import read_shown
from pdmigrate.oncall.rota import make_rota, to_datetime, to_instant
from pdmigrate.pages import _PAGES
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.runs.measuring import MEASURED, keep_run
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps import rota_frames
from pdmigrate.steps.frames import LENGTH, MOMENT, NUMBER, TEXT, YES_NO, make_frame
from pdmigrate.steps.history import history
from pdmigrate.steps.job import read_clock
from pdmigrate.steps.result import Result
from pdmigrate.workspace.folder import write_json

DOCS = (Path(__file__).parents[2] / "docs" / "frames.md").read_text(encoding="utf-8")


def run_steps(folder, document=None, counts=False):
    """The results by the names that the documentation gives them. Nothing is approved: nothing is written.

    counts: what verify finds stays in the trend.
    """
    make_demo_workspace(folder)
    if document:
        write_json(folder / "sandbox" / "pagerduty.json", document)
    with open_job(folder) as job:
        found, people, decided = preview(job), invite(job), conflicts(job)
        results = {"found": found, "people": people, "decided": decided}
        if document is None:
            return results
        results |= {"loaded": load(job), "verified": verify(job)}
        if counts:
            verified = results["verified"]
            keep_run(job, verified, job.clock(), MEASURED["verify"](job, verified))
        return results | {"past": history(job)}


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """A corner of the company, with shift-based schedules, through all steps."""
    return run_steps(tmp_path_factory.mktemp("frames") / "acme", build_shift_company(read_clock()), counts=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory, corner):
    """The embedded company; what load and verify say is of its corner."""
    return corner | run_steps(tmp_path_factory.mktemp("frames") / "acme")


@pytest.fixture(scope="module")
def found(results):
    return results["found"]


def list_frames(results):
    """Every data frame by its name in the documentation."""
    for name, result in results.items():
        for frame in result.FRAMES:
            made = getattr(result, frame)
            yield (f"{name}.{frame}()", made(hourly=True)) if callable(made) else (f"{name}.{frame}", made)


# --- the documentation ---

ASKED = re.findall(r"\n([^\n]+\?)\n\n```python\n(.*?)```", DOCS, re.DOTALL)


@pytest.mark.parametrize("question, lines", ASKED, ids=[question for question, _ in ASKED])
def test_what_people_ask_is_answered(results, question, lines):
    *before, last = ast.parse(lines).body
    assert isinstance(last, ast.Expr)
    names = {**results, "pd": pd}
    exec(compile(ast.Module(before, []), question, "exec"), names)  # noqa: S102 - our own documentation
    answer = eval(compile(ast.Expression(last.value), question, "eval"), names)  # noqa: S307 - the same
    assert len(answer), "the embedded company has an answer"


def test_ten_questions_are_there_and_every_block_is_one():
    assert len(ASKED) >= 10
    assert len(ASKED) == DOCS.count("```python")


def test_every_frame_and_column_is_documented(results):
    rows = dict(re.findall(r"^\| `([\w.()]+)` \|[^|]+\| ([\w, ]+) \|$", DOCS, re.MULTILINE))
    assert rows == {name: ", ".join(frame.columns) for name, frame in list_frames(results)}
    for name, result in results.items():
        [listed] = re.findall(rf"^{name} += \w+\(job\) +(.*)$", DOCS, re.MULTILINE)
        assert listed.replace("()", "").split() == list(result.FRAMES)


def test_every_frame_has_a_docstring(results):
    for result in results.values():
        for name in result.FRAMES:
            assert getattr(type(result), name).__doc__.startswith(("A row", "The plan", "Who is on call")), name


# --- the form ---


def test_a_cell_has_the_type_of_its_column_and_a_category_only_words_that_are_known(results):
    kinds = {TEXT, NUMBER, YES_NO, MOMENT, LENGTH, "category"}
    for name, frame in list_frames(results):
        assert {str(dtype) for dtype in frame.dtypes} <= kinds, name
        assert len(frame), f"{name} has rows to judge by"


def test_an_empty_account_has_the_same_columns_and_types(tmp_path, corner):
    document = cut_down(build_company(read_clock()), chosen=())
    empty = run_steps(tmp_path / "acme", document | {"users": [], "teams": [], "team_members": {}})
    full = dict(list_frames(corner))
    bare = dict(list_frames(empty))
    assert bare.keys() == full.keys()
    for name, frame in bare.items():
        assert frame.empty, name
        pd.testing.assert_series_equal(frame.dtypes, full[name].dtypes, obj=name)


def test_a_word_that_a_category_does_not_know_stays():
    frame = make_frame("Words", {"role": ("owner",)}, [{"role": "captain"}, {"role": None}])
    assert frame.role.tolist()[0] == "captain"
    assert frame.role.isna().tolist() == [False, True]
    assert list(frame.role.cat.categories) == ["owner", "captain"]


def test_ids_join_the_frames(found):
    assert found.layers.schedule_id.isin(found.schedules.schedule_id).all()
    assert found.contact_methods.person_id.isin(found.people.person_id).all()
    assert found.services.policy_id.dropna().isin(found.policies.policy_id).all()
    assert found.levels.policy_id.isin(found.policies.policy_id).all()
    assert found.rota().schedule_id.isin(found.schedules.schedule_id).all()
    assert found.members.groupby("team_id").size().to_dict() == found.teams.set_index("team_id").members.to_dict()


def test_a_call_makes_a_new_frame(found):
    frame = found.people
    frame["person"] = "somebody"
    assert "somebody" not in set(found.people.person)


# --- what stands in them ---


def test_a_layer_is_told_place_by_place(found):
    layers, account = found.layers, found.draft.account
    weekly = layers[layers.schedule_id == "PSCHED02"]
    [layer] = account.schedules["PSCHED02"].schedule_layers
    assert weekly.person_id.tolist() == [place.user.id for place in layer.users]
    assert weekly.place.tolist() == list(range(1, len(layer.users) + 1))
    assert set(weekly.turn) == {pd.Timedelta(seconds=layer.rotation_turn_length_seconds)}
    assert weekly.windows.isna().all()
    hours = layers[layers.schedule_id == "PSCHED01"].groupby("layer_number").windows.first()
    assert hours.tolist()[0] == "every day from 16:00:00 to 00:00:00 the next day"


def test_events_of_a_shift_based_schedule_are_told_by_their_recurrence(corner):
    found = corner["found"]
    shifts = found.schedules.query("form == 'shifts'").schedule_id
    events = found.layers[found.layers.schedule_id.isin(shifts)]
    assert events.turn.isna().all()
    assert events.windows.str.contains("RRULE").all()
    assert (events.occurrences.isna() == events.all_at_once).all()
    night = events.query("schedule_id == 'PSHIFT10' and layer == 'Night'")
    assert night.person_id.fillna("nobody").tolist() == ["PUSER02", "nobody", "PUSER03"]
    assert night.place.tolist() == [1, 2, 3]
    desk = events.query("schedule_id == 'PSHIFT10' and layer == 'Desk'")
    assert set(desk.occurrences) == {5}
    assert desk.windows.str.startswith("08:00:00 to 18:00:00: RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR, EXDATE").all()


def test_the_rota_is_pagerdutys_own_word_by_the_schedules_clock(found):
    schedule = found.draft.account.schedules["PSCHED02"]
    shown = read_shown(schedule).clip(to_instant(found.snapshot.since), to_instant(found.snapshot.until))
    frame = found.rota("Platform primary")
    assert frame.dtypes["start"] == pd.DatetimeTZDtype("us", ZoneInfo("America/New_York"))
    assert [
        (int(r.start.timestamp()), int(r.end.timestamp()), frozenset([r.person_id])) for r in frame.itertuples()
    ] == [*shown.entries]
    pd.testing.assert_frame_equal(found.rota("PSCHED02"), frame)


def test_who_is_not_rendered_is_read_from_the_layers(corner):
    found = corner["found"]
    account = found.draft.account
    bare = account.schedules["PSCHED02"].model_copy(update={"final_schedule": None})
    unshown = replace(account, schedules=account.schedules | {"PSCHED02": bare})
    again = replace(found, draft=replace(found.draft, account=unshown))
    pd.testing.assert_frame_equal(again.rota("PSCHED02"), found.rota("PSCHED02"))
    assert again.schedules.set_index("schedule_id").rota_by["PSCHED02"] == "pdmigrate"


def test_hours_add_up_to_the_rota(found):
    whole, hours = found.rota(), found.rota(hourly=True)
    for frame in (whole, hours):
        frame["length"] = frame.end - frame.start
    assert (hours.length <= pd.Timedelta("1h")).all()
    by_person = ["schedule_id", "person_id"]
    pd.testing.assert_series_equal(
        hours.groupby(by_person).length.sum(), whole.groupby(by_person).length.sum(), check_names=False
    )


def test_an_hour_that_the_clock_repeats_is_there_twice():
    london = ZoneInfo("Europe/London")
    start, end = (to_instant(datetime(2026, 10, day, 23, tzinfo=UTC)) for day in (24, 26))
    cut = list(rota_frames._cut_hours(make_rota([(start, end, ["ann"])]).entries, london))
    clock = [(weekday, hour) for *_, weekday, hour in cut]
    assert clock.count(("Sunday", 1)) == 2
    for since, _, _, weekday, hour in cut:
        local = to_datetime(since).astimezone(london)
        assert (weekday, hour) == (f"{local:%A}", local.hour)
    assert sum(until - since for since, until, *_ in cut) == end - start


@pytest.mark.parametrize(
    "name, said",
    [
        ("Platform primry", r"no schedule Platform primry \(did you mean Platform primary\?\)"),
        ("On-call", "2 schedules are called On-call: give one of the ids PSCHED16, PSCHED17"),
    ],
)
def test_a_schedule_that_nobody_can_mean_is_said(found, name, said):
    with pytest.raises(UsageError, match=said):
        found.rota(name)


def test_nothing_is_left_out_between_the_plan_and_its_frames(results, corner):
    decided, plan = results["decided"], results["decided"].draft.plan
    assert len(decided.actions) == len(plan.actions) + len(plan.held)
    assert len(decided.changes) == sum(len(a.changes()) for a in plan.actions if a.writes)
    assert len(decided.questions) == len(decided.draft.open) + len(decided.draft.answered)
    loaded = corner["loaded"]
    assert (loaded.actions.query("outcome == 'waiting'").object_id == [d.action.key for d in loaded.waiting]).all()


def test_the_differences_add_up_to_those_of_the_proof(corner):
    verified = corner["verified"]
    apart = verified.differences.query("kind == 'schedules' and clock_change.isna()")
    seconds = (apart.end - apart.start).groupby(apart.object_id).sum().dt.total_seconds()
    wanted = {s.id: sum((e - b) * len(x ^ y) for b, e, x, y in s.differences) for s in verified.schedules}
    assert seconds.to_dict() == {id: number for id, number in wanted.items() if number}
    services = verified.services.set_index("service_id")
    assert services.verdict.to_dict() == {s.id: s.verdict for s in verified.service_parity}, "as the pages say"
    different = services.otherwise + services.nobody
    assert different.to_dict() == {s.id: len(s.different) for s in verified.service_parity}
    for s in verified.service_parity:
        row = services.loc[s.id]
        assert row.same + row.otherwise + row.nobody + row.silent == row.pages == s.moments
        assert row.silent + row.nobody == s.dropped_after, "each page that nobody hears of is in one of them"
    at_once = verified.differences.query("kind == 'services' and minute == 0").groupby("object_id").pages.max()
    assert (at_once <= different[at_once.index]).all()


# --- nobody's data where it was not asked for ---


@pytest.fixture(scope="module")
def private(found):
    """Names, emails and addresses of everybody in the company."""
    people, methods = found.people, found.contact_methods
    return {*people.person, *people.email, *methods.address.dropna()}


def test_a_result_is_shown_as_one_line_without_anybodys_data(results, private):
    for result in results.values():
        draft = getattr(result, "draft", None)
        for shown in (
            result,
            draft,
            draft and draft.mapped,
            draft and draft.account,
            getattr(result, "snapshot", None),
        ):
            text = repr(shown)
            assert len(text) < 300, text
            assert "\n" not in text
            assert not [word for word in private if word in text]
    assert repr(results["decided"].plan).startswith("<plan ")


def test_no_result_shows_its_fields(small):
    assert len(Result.__subclasses__()) == len(_PAGES)
    assert {kind.__repr__ for kind in Result.__subclasses__()} == {Result.__repr__}
    assert repr(history(small)) == "<history: done. Data frames: trend. Its page, by parts: look(...).>"


def test_masked_contact_methods_are_as_masked_pages(found):
    shown, hidden = found.contact_methods, mask(found.contact_methods)
    addresses = [a for a in shown.address.dropna() if len(re.sub(r"\D", "", a)) >= 7 or "@" in a]
    assert addresses
    assert not set(addresses) & set(hidden.address)
    pd.testing.assert_frame_equal(hidden.drop(columns=["address", "why"]), shown.drop(columns=["address", "why"]))
    assert hidden.attrs["title"] == "Contact methods"


def test_no_token_of_the_mobile_app_is_in_a_frame(found):
    pushed = found.contact_methods.query("type == 'push_notification'")
    assert len(pushed)
    assert pushed.address.isna().all()


# --- as notebooks show them ---


def test_a_frame_is_shown_under_its_title_and_so_is_what_is_filtered_out_of_it(found):
    some = found.levels.query("target_type == 'user'")
    shown = look(found, some, "teams")
    assert repr(shown).startswith("Levels\n")
    assert "Platform primary" not in repr(look(found, some)), "a schedule, which was filtered out"
    assert shown._repr_html_().count("<h2") == 2


def test_an_unknown_part_is_named_beside_frames(found):
    with pytest.raises(ValueError, match="no part teems of preview"):
        look(found, found.levels, "teems")
