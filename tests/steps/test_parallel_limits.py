"""What a parallel run cannot compare, or finds on one side alone: it is named and counted, and is never the same."""

import copy
import json
from datetime import timedelta

import pytest
from shadow_night import (
    SERVICES,
    SINCE,
    UNTIL,
    Shadow,
    carry_over,
    change_rota,
    find_policy,
    named,
    number,
)
from small_company import edit
from source_http import QUICK

from pdmigrate import conflicts, finish, load, parallel, preview
from pdmigrate.errors import UnexplainedDifferenceError, UnreachableError
from pdmigrate.oncall.live import TEST_TITLE
from pdmigrate.pages import make_page
from pdmigrate.sandbox.gate import replace_faults


@pytest.fixture(scope="module")
def shadow(tmp_path_factory):
    with carry_over(tmp_path_factory.mktemp("parallel") / "acme") as job:
        yield Shadow(job)


@pytest.fixture
def spoil(shadow):
    """Spoil answers of one side; they are whole again afterwards."""
    pagerduty, harness = (server.app for server in shadow.job._servers)
    yield lambda side, *rules: replace_faults({"pagerduty": pagerduty, "harness": harness}[side], [*rules])
    replace_faults(pagerduty, [])
    replace_faults(harness, [])


@pytest.mark.parametrize(
    "fault, words",
    [
        ({"kind": "more_of_nothing"}, "Harness says that the timeline of {id} goes on, and not where"),
        ({"kind": "401_code"}, "/timeline: 401 USER_DOMAIN_NOT_ALLOWED"),
        ({"kind": "200_html"}, "with 200 and a page that is no JSON"),
        ({"kind": "500"}, "/timeline: status 500; gave up after"),
    ],
    ids=["not whole", "refused", "a page", "broken"],
)
def test_one_timeline_that_cannot_be_read_is_named_and_the_others_are_compared(shadow, spoil, fault, words):
    shadow.job.target.transport.patience = QUICK
    broken = shadow.choose()
    first = shadow.run()
    id = named(first, broken).alert.id
    spoil("harness", {"path": f"/ir/tp/api/v1/mc/activities/{id}/timeline", **fault})
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    found = named(run, broken)
    assert (found.grade, found.why, found.seen) == ("not_comparable", "unread", False)
    assert words.format(id=id) in found.reason
    assert run.night.count_whys() == {"unread": 1}
    assert run.night.count()["same"] == first.night.count()["same"] - 1
    assert "1 alert cannot be compared, since PagerDuty's log or Harness's timeline was not read" in make_page(run).lead


def test_a_harness_that_answers_no_timeline_ends_the_run(shadow, spoil):
    shadow.job.target.transport.patience = QUICK
    spoil("harness", {"path": "/ir/tp/api/v1/mc/activities/", "kind": "500"})
    with pytest.raises(UnreachableError, match="status 500"):
        parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())


def test_one_log_of_pagerduty_that_cannot_be_read_whole_is_named_and_the_others_are_compared(shadow, spoil):
    """Also where the log of all cannot: then it is read incident by incident."""
    broken = shadow.choose()
    shadow.play((), True, SERVICES)
    spoil("pagerduty", {"path": "/log_entries", "kind": "half"})
    assert parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat()).night.count() == shadow.clean.night.count()
    of_one = {"path": f"/incidents/{broken.incident.id}/log_entries", "kind": "half"}
    spoil("pagerduty", {"path": "/log_entries", "kind": "half"}, of_one)
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    found = named(run, broken)
    assert (found.grade, found.why, found.logged) == ("not_comparable", "unread", False)
    assert f"/incidents/{broken.incident.id}/log_entries could not be read whole" in found.reason
    assert run.night.count()["same"] == shadow.clean.night.count()["same"] - 1


def test_an_alert_that_harness_alone_has_is_told(shadow):
    shadow.play((), True, SERVICES)
    with edit(shadow.job, "harness") as held:
        ghost = copy.deepcopy(held["alerts"][3])
        ghost |= {
            "prettyId": "ALERT_sre-999",
            "title": "From elsewhere",
            "deduplicationId": "x",
            "monitoringLink": None,
        }
        test = ghost | {"prettyId": "ALERT_sre-998", "title": f"{TEST_TITLE} 12ab of Edge & CDN", "events": []}
        held["alerts"] += [ghost, test]
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    alone = {pair.alert.title: pair for pair in run.night.pairs if pair.grade == "only_harness"}
    assert alone.keys() == {ghost["title"], test["title"]}
    assert "its sender may have gone over to Harness already" in alone[ghost["title"]].reason
    assert alone[ghost["title"]].reason.endswith(
        "it paged somebody" if alone[ghost["title"]].now else "it paged nobody"
    )
    assert alone[test["title"]].reason == "a test page of ours, which PagerDuty never had; it paged nobody"
    assert run.error is None, "nobody misses a page by it"
    assert "2 came to Harness only, 1 test page of ours among them" in make_page(run).lead
    with pytest.raises(UnexplainedDifferenceError):
        finish(shadow.job, shadow.run({"kind": "drop", "incident": number(shadow.choose())}))
    index = (shadow.job.folder / "index.html").read_text()
    assert 'class="tag bad">not on both sides' in index
    assert "1 came to PagerDuty only" in index, "a folder of a night alone comes to what the night does"
    assert json.loads((shadow.job.folder / "summary.json").read_text())["exit_code"] == 5
    assert 'href="connect.html"' not in (shadow.job.folder / "parallel.html").read_text(), "no such page is there"


def test_since_when_nothing_came_is_told_by_the_last_alert_of_all(shadow):
    shadow.play([{"kind": "dead", "at": (SINCE - timedelta(days=1)).isoformat()}], True, SERVICES)
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    assert "no alert in the week before either" in str(run.error)
    with edit(shadow.job, "harness") as held:
        old = {"prettyId": "ALERT_sre-1", "scope": "default/sre", "title": "old", "quietMode": False, "service": None}
        old |= {
            "description": "",
            "priority": "p4_info",
            "deduplicationId": None,
            "monitoringLink": None,
            "ended": None,
        }
        at = int((SINCE - timedelta(days=2)).timestamp() * 1000)
        held["alerts"] = [old | {"patched": {}, "created": at, "events": []}]
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    assert "The last alert that Harness has, of whatever origin, is of Sat 4 Oct 2025, 20:00" in str(run.error)


@pytest.fixture
def history(shadow):
    """What PagerDuty was, again afterwards."""
    with edit(shadow.job, "pagerduty") as account:
        before = copy.deepcopy(account)
    yield
    with edit(shadow.job, "pagerduty") as account:
        account.clear()
        account.update(before)
    shadow.job._servers[0].app.config.pop("HISTORY", None)


def test_what_came_before_a_schedule_was_changed_is_not_comparable_and_what_came_after_is(shadow, history):
    """It is loaded, and stays so."""
    hung = [pair for pair in shadow.clean.night.pairs if pair.service == "PSERV02"]
    at = hung[-1].incident.created_at - timedelta(minutes=30)
    change_rota(shadow, at)
    stale = shadow.run(paging=False)
    late = stale.night.unexplained
    assert late, "PagerDuty was changed before the page, and Harness was not told: that is a difference"
    assert all(pair.incident.created_at > at and pair.computed == "otherwise" for pair in late)
    preview(shadow.job)
    conflicts(shadow.job)
    assert load(shadow.job, "all").error is None
    run = shadow.run(paging=False)
    before = [pair for pair in run.night.pairs if pair.why == "schedule"]
    after = [named(run, pair) for pair in late]
    assert before
    assert all(pair.incident.created_at < at and not pair.computed for pair in before)
    assert {pair.computed for pair in after} == {"same"}
    assert (
        "Platform follow-the-sun had femke.jansen@acme.example on call, and by its layers of today" in before[0].reason
    )
    assert run.error is None
    with edit(shadow.job, "harness") as held:
        [former] = before[0].then[0][1]
        [level, *_] = find_policy(held, shadow, hung[0])["levels"]
        right, level["targets"] = level["targets"], [{"type": "user", "id": former}]
    spoiled = shadow.run(paging=False)
    with edit(shadow.job, "harness") as held:
        find_policy(held, shadow, hung[0])["levels"][0]["targets"] = right
    assert {pair.incident.id for pair in after} <= {pair.incident.id for pair in spoiled.night.unexplained}
    assert {named(spoiled, pair).why for pair in before} == {"schedule"}, "by PagerDuty's side alone"
