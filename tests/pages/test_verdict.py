"""The verdict that leads a page is right about each fault that is planted in Harness, and its figures lead to their rows."""

import json
import re
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from test_steps import change_harness

from pdmigrate import finish, open_job, verify
from pdmigrate.errors import UnexplainedDifferenceError
from pdmigrate.oncall.rota import Rota, make_rota, total
from pdmigrate.pages import make_page
from pdmigrate.pages.people import People
from pdmigrate.pages.readiness import read_readiness
from pdmigrate.pages.report import write_page
from pdmigrate.pages.stakeholders import make_page as make_report
from pdmigrate.pages.switch import list_duties, section_switch
from pdmigrate.pages.teams import make_page as make_team_page
from pdmigrate.pages.verdict import describe_verdict, list_figures, section_services
from pdmigrate.parity.verdicts import Alert, count_silence
from pdmigrate.plan.answers import SignOff
from pdmigrate.runs.summary import read_results, write_run


@pytest.fixture(scope="module")
def clean(whole, tmp_path_factory):
    """What verify finds where nobody has touched anything."""
    folder = tmp_path_factory.mktemp("clean") / "acme"
    with open_job(shutil.copytree(whole["folder"], folder)) as job:
        return whole["verify"], read_readiness(job, whole["verify"])


@pytest.fixture
def job(whole, tmp_path):
    with open_job(shutil.copytree(whole["folder"], tmp_path / "acme")) as job:
        yield job


def read_figures(page):
    return {figure.label: (figure.value, figure.tone) for figure in page.figures}


def count(verified, verdict):
    return sum(s.verdict == verdict for s in verified.service_parity)


def name_service(verified, identifier):
    return next(s.name for s in verified.service_parity if verified.draft.identifier_of("services", s.id) == identifier)


def find_rules(held):
    """The alert rules that page, and whose service's pages are heard today."""
    return [r for r in held["oncall"]["alert_rules"].values() if r["paging"] and r["escalation_policy"]]


def test_a_page_says_first_who_is_paged_then_who_is_on_call_then_who_cannot_be_reached(clean):
    verified, readiness = clean
    for page in (make_page(verified), make_report(readiness), make_team_page(readiness, readiness.teams[0])):
        paged, on_call, reach = (page.lead.index(words) for words in ("the same people", "on call for", "be reached"))
        assert paged < on_call < reach, page.name
        assert page.figures[0].label in ("Page the same people", "Pages the same people")
        labels = [figure.label for figure in page.figures]
        assert 0 < labels.index("Other people on call") < labels.index("Cannot be reached")


def test_what_was_decided_is_not_red_and_whoever_cannot_be_reached_is(clean):
    figures = read_figures(make_page(clean[0]))
    assert figures["Page nobody in Harness"] == (str(count(clean[0], "nobody")), "warn")
    assert figures["Cannot be reached"] == (str(len(clean[0].unreachable)), "bad")
    assert "all of it by decision" in make_page(clean[0]).lead


@pytest.fixture(scope="module")
def spoilt(whole, tmp_path_factory):
    """Two faults: a service whose alert rule is silent, and one whose rule pages by another policy. With their names."""
    folder = tmp_path_factory.mktemp("spoilt") / "acme"
    with open_job(shutil.copytree(whole["folder"], folder)) as job:
        with change_harness(job) as held:
            silent, elsewhere, *_ = find_rules(held)
            silent["paging"] = False
            policies = held["oncall"]["escalation_policies"].values()
            others = (p["identifier"] for p in policies if p["identifier"] != elsewhere["escalation_policy"])
            elsewhere["escalation_policy"] = next(others)
        found = verify(job)
        names = [name_service(found, rule["service"]) for rule in (silent, elsewhere)]
        return found, read_readiness(job, found), *names


def test_a_service_that_pages_nobody_is_red_and_never_said_to_page_others(spoilt, clean):
    found, readiness, name, _ = spoilt
    service = next(s for s in found.service_parity if s.name == name)
    assert (service.verdict, service.otherwise, bool(service.unexplained)) == ("nobody", (), True)
    assert len(service.unheard) == service.moments - service.silent > 0
    page = make_page(found)
    assert read_figures(page)["Page nobody in Harness"] == (str(count(clean[0], "nobody") + 1), "bad")
    assert "2 services without a decision" in page.lead
    owner = next(team for team in readiness.teams if name in [s.name for s in team.services])
    assert "1 service pages nobody in Harness" in owner.troubles
    assert not [trouble for trouble in owner.troubles if "others" in trouble]
    [sentence] = [one for one in found.unexplained if one.startswith(f"service {name} ")]
    assert f"{len(service.unheard):,} of them page nobody in Harness" in sentence


def test_a_service_that_pages_somebody_else_is_red(spoilt, clean):
    found, _, _, name = spoilt
    service = next(s for s in found.service_parity if s.name == name)
    assert (service.verdict, service.unheard, bool(service.unexplained)) == ("otherwise", (), True)
    number = count(clean[0], "otherwise") + 1
    assert read_figures(make_page(found))["Page otherwise"] == (str(number), "bad")
    assert f"{number} of them page otherwise: other people, or at other minutes" in make_page(found).lead
    [sentence] = [one for one in found.unexplained if one.startswith(f"service {name} ")]
    assert "nobody in Harness" not in sentence


def test_other_people_on_call_are_red_and_take_the_share_down(job, clean):
    with change_harness(job) as held:
        schedules = held["oncall"]["schedules"].values()
        next(s for s in schedules if s["name"] == "Platform primary")["rotations"][0]["participants"].reverse()
    page = make_page(verify(job))
    value, tone = read_figures(page)["Other people on call"]
    assert (value != "0.0 h", tone) == (True, "bad")
    assert "100.000 %" in make_page(clean[0]).lead
    assert "100.000 %" not in page.lead
    assert "1 schedule differs without a decision" in page.lead


def test_hours_with_nobody_on_either_side_are_not_counted_as_the_same(clean):
    verified = clean[0]
    night = next(s for s in verified.schedules if s.gaps_before)
    assert night.nobody == total(night.gaps_before) > 0
    assert night.agree == night.span[1] - night.span[0]
    seconds = verified.summarise()["parity"]
    assert seconds["nobody_seconds"] == sum(s.nobody for s in verified.schedules) > 0
    hours = f"{seconds['nobody_seconds'] / 3600:,.1f} h"
    assert f"for {hours} nobody is, on either side" in make_page(verified).lead
    empty = replace(night.compared, before=Rota(), after=Rota(), expected=Rota())
    nobody = replace(night, compared=empty)
    assert "Nobody is on call in any schedule, on either side." in describe_verdict((), [nobody], ())


def test_a_new_gap_is_nobodys_hour_on_one_side_only(clean):
    """What was somebody's before and is nobody's now differs: it is no hour that nobody had on either side."""
    night = next(s for s in clean[0].schedules if s.gaps_before)
    cut = replace(night, compared=replace(night.compared, after=Rota(night.compared.after.entries[1:])))
    assert cut.differ > 0
    assert cut.nobody == night.nobody


def page_at(instant, before, after, urgency="high"):
    paged = [((0, frozenset(people)),) if people else () for people in (before, after)]
    return Alert(instant, urgency, *paged, paged[0])


def test_silence_is_the_time_in_which_no_page_of_any_urgency_wakes_anybody():
    pages = [
        page_at(0, "", ""),
        page_at(10, "", "", "low"),
        page_at(10, "a", "a", "high"),
        page_at(30, "", ""),
        page_at(45, "a", ""),
    ]
    assert count_silence(pages, 100) == 10 + 15
    assert count_silence(pages[:1], 100) == 100


def test_every_page_of_a_service_is_counted_once_and_what_wakes_nobody_apart(clean):
    for s in clean[0].service_parity:
        assert s.heard + len(s.otherwise) + len(s.unheard) + s.silent == s.moments, s.name
    quiet = [s for s in clean[0].service_parity if s.verdict == "silent"]
    assert quiet
    assert all(s.heard == 0 and s.silent_seconds > 0 for s in quiet)
    assert not [s.name for s in clean[0].service_parity if s.verdict == "same" and s.unexplained]
    told = clean[0].summarise()["parity"]["services"]
    assert told["silent"] == len(quiet)
    assert sum(told.values()) == len(clean[0].service_parity)


def list_anchors(text):
    return set(re.findall(r' id="([^"]+)"', text))


def test_every_figure_leads_to_its_rows(clean, tmp_path):
    verified, readiness = clean
    pages = [make_page(verified), make_report(readiness), *(make_team_page(readiness, t) for t in readiness.teams)]
    for page in pages:
        text = write_page(page, tmp_path).read_text(encoding="utf-8")
        leads = [figure.href for figure in page.figures if figure.href]
        assert len(leads) >= 2, page.name
        assert {href.removeprefix("#") for href in leads} <= list_anchors(text), page.name
    text = section_services(verified.service_parity, lambda s: s.name, {}, "").table.html()
    row = re.search(r'<tr id="services-nobody">(.*?)</tr>', text, re.S)[1]
    assert "pages nobody in Harness" in row


def test_figures_of_what_nobody_could_read_are_amber_and_say_so(clean):
    services = [replace(s, unverified=True) for s in clean[0].service_parity]
    schedules = [replace(s, is_unverified=True) for s in clean[0].schedules]
    figures = {f.label: (f.value, f.tone) for f in list_figures(services, schedules, ())}
    assert figures["Not compared"] == (str(len(services)), "warn")
    assert figures["Page the same people"] == (f"0 of {len(services)}", "plain")
    assert "Other people on call" not in figures
    assert "could not be compared" in describe_verdict(services, schedules, ())


# --- the index: what holds now ---


def read_index(job):
    text = (job.folder / "index.html").read_text(encoding="utf-8")
    return re.search(r'<p class="lead"[^>]*>(.*?)</p>', text, re.S)[1], text


def test_the_index_leads_with_the_verdict_until_something_is_run_after_it(job):
    found = verify(job)
    finish(job, found)
    lead, text = read_index(job)
    assert lead == make_page(found).lead
    assert 'href="verify.html#services-nobody"' in text
    assert list_anchors((job.folder / "verify.html").read_text(encoding="utf-8")) >= {"services-nobody", "unreachable"}
    later = (job.clock() + timedelta(hours=1)).isoformat()
    left = {"step": "load", "status": "done", "exit_code": 0, "error": "", "seconds": 1.0, "at": later}
    (job.folder / "results" / "load.json").write_text(json.dumps(left))
    write_run("acme", job.folder, read_results(job.folder), job.clock())
    lead, text = read_index(job)
    assert lead == "What was verified does not hold any more: load was run after it. Run verify again."
    assert "out of date" in text
    assert "services-nobody" not in text


# --- the manager's page ---


def answer(readiness):
    return section_switch(readiness).text


def test_the_report_says_who_must_do_what_by_when(clean):
    verified, readiness = clean
    duties = list_duties(readiness)
    assert answer(readiness).startswith(f"Not yet: {sum(d.blocks for d in duties)} things are left to do first.")
    first = min((u for u in verified.unreachable if u.next_turn), key=lambda u: u.next_turn)
    assert duties[0].by == first.next_turn
    people = [d for d in duties if d.what.startswith("become reachable")]
    assert {d.who for d in people} == {readiness.name_of(u.email) for u in verified.unreachable}
    leads = [d for d in duties if d.what.startswith("say go or no-go")]
    assert len(leads) == len(readiness.teams)
    assert {d.by for d in leads} == {readiness.good_until}


def sign(readiness, choice):
    at, plan = readiness.now.isoformat(), readiness.plan_digest
    said = tuple(SignOff(team=t.id, choice=choice, plan=plan, by="dan", at=at, why="seen") for t in readiness.teams)
    quiet = replace(readiness.verified, reach=type(readiness.verified.reach)(), unexplained=())
    decisions = readiness.decisions.model_copy(update={"sign_offs": said})
    return replace(readiness, decisions=decisions, verified=quiet, items=())


def test_we_may_switch_when_every_team_has_said_go_and_nothing_is_open(clean):
    assert answer(sign(clean[1], "go")).startswith("Yes: ")
    assert answer(sign(clean[1], "no_go")).startswith("No: ")


@pytest.mark.parametrize("fault", ["unexplained", "unreachable", "unread"])
def test_one_fault_is_enough_not_to_say_yes(clean, fault):
    ready, verified = sign(clean[1], "go"), clean[0]
    changes = {
        "unexplained": {"unexplained": ("schedule X differs",)},
        "unreachable": {"reach": verified.reach},
        "unread": {"service_parity": tuple(replace(s, unverified=True) for s in verified.service_parity)},
    }
    spoilt = replace(ready, verified=replace(ready.verified, **changes[fault]))
    assert not answer(spoilt).startswith("Yes: ")


def test_an_error_of_verify_is_in_the_singular_where_it_is_one(clean):
    error = replace(clean[0], unexplained=("schedule X differs",)).error
    assert isinstance(error, UnexplainedDifferenceError)
    assert str(error).startswith("1 difference has no decision behind it: ")


def test_rotas_of_several_people_have_a_bar_each():
    people = People({"a": "Ana", "b": "Ben"}, {"a": 3, "b": 9})
    bars = people.make_bars(make_rota([(0, 10, "ab"), (10, 20, "a")]))
    seen = [(b.text, b.look, int(b.start.timestamp()), int(b.end.timestamp())) for b in bars]
    assert seen == [("Ana", 3, 0, 20), ("Ben", 9, 0, 10)]
