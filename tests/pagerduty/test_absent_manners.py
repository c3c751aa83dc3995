"""Manners of PagerDuty over HTTP: what a list leaves out, renders not at all, writes in another zone or refuses."""

import copy
from datetime import UTC, datetime, timedelta

import pytest
from source_http import NOW, Source, company

from pdmigrate.errors import AnswerError
from pdmigrate.pagerduty.account import dump_record
from pdmigrate.pagerduty.window import FetchWindow, LongWindow

LATER = datetime(2026, 11, 5, 9, tzinfo=UTC)
"""Beyond what is rendered, and more than a year ahead."""


def make_swap(person, start, hours=12):
    user = {"id": person, "type": "user_reference", "summary": person, "self": None, "html_url": None}
    end = start + timedelta(hours=hours)
    return {"id": f"PO{person}", "type": "override", "start": start.isoformat(), "end": end.isoformat(), "user": user}


def make_document():
    """The company, with a swap that is far off and one that crosses the place where long windows are cut."""
    document = company()
    document["overrides"] = {
        **document["overrides"],
        "PSCHED01": [make_swap("PUSER01", LATER)],
        "PSCHED02": [make_swap("PUSER02", datetime(2025, 9, 20, tzinfo=UTC), hours=24 * 300)],
    }
    return document


def read_schedules(source, days=28, **choices):
    account = source.fetch(days=days, **choices).account
    return account, {id: dump_record(one) for id, one in account.schedules.items()}


MANNERS = {
    "list_without_overrides": {"overrides"},
    "list_without_layers": {"alone"},
    "list_without_final": {"alone"},
    "list_unrendered": {"alone"},
    "list_in_user_zone": {"another zone"},
    "three_months": {"refuses"},
    "own_zone_names": set(),
}


@pytest.fixture(scope="module")
def well_mannered():
    """The document, and what a PagerDuty without any such manner says of it."""
    document = make_document() | {"time_zone": "Asia/Tokyo"}
    source = Source(document)
    try:
        return document, *read_schedules(source)
    finally:
        source.server.stop()


@pytest.mark.parametrize("manner", MANNERS)
def test_a_list_with_manners_gives_the_same_account(serve_source, well_mannered, caplog, manner):
    """Layers, overrides and rendering: all that the list leaves out is read another way, and said."""
    document, quiet, wanted = well_mannered
    source = serve_source(document)
    source.play({"kind": manner, "path": "/"})
    found, schedules = read_schedules(source)
    assert schedules == wanted
    assert found.digest == quiet.digest
    assert (found.problems, found.remarks, found.unread) == ((), (), {})
    assert {id for id, one in found.schedules.items() if one.final_schedule is None} == set()
    assert {id: one.final_schedule for id, one in found.schedules.items()} == {
        id: one.final_schedule for id, one in quiet.schedules.items()
    }
    assert all(word in caplog.text for word in MANNERS[manner])


def test_a_list_without_overrides_and_rendering_loses_no_override(serve_source):
    source = serve_source(make_document())
    source.play(*({"kind": f"list_without_{part}", "path": "/schedules"} for part in ("overrides", "final")))
    found = source.fetch(days=7).account.schedules
    assert [(one.start, one.user.id) for one in found["PSCHED01"].overrides] == [(LATER, "PUSER01")]


def test_long_windows_are_halved_and_their_parts_are_whole_again(serve_source, caplog):
    """Both the rendering and the overrides; an override that several windows show is one, from its start to its end."""
    document = make_document()
    source = serve_source(document)
    source.play({"kind": "three_months", "path": "/"})
    found, schedules = read_schedules(source, days=200)
    quiet, wanted = read_schedules(serve_source(document), days=200)
    assert schedules == wanted
    [swap] = found.schedules["PSCHED02"].overrides
    assert swap.end - swap.start == timedelta(days=300)
    assert {id: one.final_schedule for id, one in found.schedules.items()} == {
        id: one.final_schedule for id, one in quiet.schedules.items()
    }
    assert "refuses" in caplog.text
    assert source.log["answers"]["400"] < 12


def test_a_window_that_is_refused_however_short_is_an_error():
    asked = []

    def refuse(window):
        asked.append(window.length)
        raise AnswerError("PagerDuty refused", 400)

    with pytest.raises(AnswerError):
        LongWindow().ask(FetchWindow(NOW, NOW + timedelta(days=460)), refuse)
    assert len(asked) < 8
    assert asked == sorted(asked, reverse=True)


def test_a_refusal_of_another_kind_is_no_reason_to_ask_for_less():
    def refuse(window):
        raise AnswerError("PagerDuty refused", 403)

    with pytest.raises(AnswerError):
        LongWindow().ask(FetchWindow(NOW, NOW + timedelta(days=460)), refuse)


def test_pagerduty_is_asked_with_the_zone_name_that_it_gave(serve_source):
    """Enough schedules of one zone for a sweep: the name of today is one that this PagerDuty does not know."""
    document = company(with_v3=False)
    row = next(one for one in document["schedules"] if one["schedule_layers"][0]["restrictions"])
    twins = [{**copy.deepcopy(row), "id": f"PKYIV{n}", "time_zone": "Europe/Kiev"} for n in range(4)]
    document["schedules"] += twins
    source = serve_source(document)
    source.play({"kind": "own_zone_names", "path": "/schedules"})
    found = source.fetch(days=7).account.schedules
    windows = [r.start_time_of_day for layer in found["PKYIV0"].schedule_layers for r in layer.restrictions]
    meant = [r["start_time_of_day"] for layer in row["schedule_layers"] for r in layer["restrictions"]]
    assert windows == meant
    assert "400" not in source.log["answers"]


def test_evidence_that_was_not_rendered_is_none(serve_source):
    source = serve_source(company())
    source.play({"kind": "list_unrendered", "path": "/schedules"})
    shown = source.client.read_renderings(NOW, NOW + timedelta(days=5), ["PSCHED01"])
    assert shown["PSCHED01"]["rendered_schedule_entries"], "asked for alone it is rendered"


def test_a_list_that_renders_nothing_is_known_from_connect_on(serve_source):
    source = serve_source(company())
    source.play({"kind": "list_unrendered", "path": "/schedules"})
    assert source.check().final_on_lists is False
