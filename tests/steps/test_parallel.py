"""A shadow night on the embedded pair: a clean one is the same on both sides, and each planted fault is named."""

import copy
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from shadow_night import LOADED, NOW, SERVICES, SINCE, UNTIL, Shadow, change_rota, find_policy, named
from small_company import cut_down, edit

from pdmigrate import conflicts, decide, finish, load, open_job, parallel, preview
from pdmigrate.errors import UnexplainedDifferenceError, UsageError
from pdmigrate.harness.alert_records import Timeline
from pdmigrate.oncall.live import TEST_TITLE
from pdmigrate.pages import make_page
from pdmigrate.parity.parallel import compare_night
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.sandbox.harness import accept_invites
from pdmigrate.steps.parallel import SLACK
from pdmigrate.workspace.folder import write_json


@pytest.fixture(scope="module")
def shadow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parallel") / "acme"
    make_demo_workspace(folder)
    history = {"until": NOW.isoformat(), "day": "2025-10-05", "days": 1, "log_entries": 500}
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(LOADED)) | {"history": history})
    clock = [LOADED]
    with open_job(folder, clock=lambda: clock[0]) as job:
        preview(job)
        conflicts(job)
        assert load(job, "all").error is None
        with edit(job, "harness") as held:
            accept_invites(held)
        clock[0] = NOW
        yield Shadow(job)


def number(pair):
    return pair.incident.number


# --- clean nights ---


def test_a_clean_night_is_the_same_on_both_sides(shadow):
    night = shadow.clean.night
    counts = night.count()
    assert counts["same"] >= 4
    assert counts["same"] + counts["silent"] == sum(counts.values()) == len(night.pairs)
    assert all(pair.seen for pair in night.pairs)
    assert night.count_ways() == {"key": len(night.pairs)}
    assert (night.feed.state, night.feed.came) == ("alive", night.feed.expected)
    assert shadow.clean.error is None
    assert make_page(shadow.clean).status == "done"
    assert max(len(pair.then) for pair in night.pairs) > 1, "one of them escalated"


def test_quiet_mode_pages_nobody_and_what_is_computed_is_never_called_seen(shadow):
    run = shadow.compare(paging=False)
    seen, clean = run.night.count(), shadow.clean.night.count()
    assert (seen["same"], seen["silent"], seen["not_comparable"]) == (0, 0, len(run.night.pairs))
    assert run.night.count_whys() == {"quiet": len(run.night.pairs)}
    computed = run.night.count_computed()
    assert (computed["same"], computed["silent"], computed["otherwise"]) == (clean["same"], clean["silent"], 0)
    assert run.error is None
    page = make_page(run)
    assert "quiet mode" in page.lead
    assert "(computed, not seen)" in page.lead
    assert page.figures[0].value == "0"


def test_two_clocks_ninety_seconds_apart_are_said_and_no_difference(shadow):
    run = shadow.compare({"kind": "clock", "seconds": 90})
    assert run.night.count() == shadow.clean.night.count()
    assert 90 <= run.night.feed.offset <= 95
    assert "1 minute 3" in {section.title: section.text for section in make_page(run).sections}["The feed"]


# --- faults of the feed ---


def test_an_alert_that_the_feed_dropped_is_only_in_pagerduty(shadow):
    lost = shadow.choose()
    run = shadow.run({"kind": "drop", "incident": number(lost)})
    assert named(run, lost).grade == "only_pagerduty"
    assert make_page(run).status == "not on both sides"
    assert run.night.feed.state == "alive"
    with pytest.raises(
        UnexplainedDifferenceError, match=f"incident {number(lost)} of .*no alert of it came to Harness"
    ):
        raise run.error


def test_an_alert_that_comes_twice_is_said_to_be_one_too_many(shadow):
    twice = shadow.choose()
    run = shadow.compare({"kind": "double", "incident": number(twice)})
    assert named(run, twice).grade == "same"
    [more] = [pair for pair in run.night.pairs if pair.why == "doubled"]
    assert more.grade == "only_harness"
    assert f"a further alert of incident {number(twice)}" in more.reason
    assert more.now, "and it paged once more"
    assert run.error


def test_an_alert_of_another_service_is_told_by_both_names(shadow):
    moved = shadow.choose()
    identifier = shadow.clean.draft.identifier_of("services", moved.service)
    other = next(one for one in shadow.clean.draft.state.services.values() if one.identifier != identifier)
    for services, words in (({"kind": "service", "service": other.name}, other.identifier), ({"kind": "service", "service": "Nobody's"}, "no service")):  # fmt: skip
        run = shadow.compare({**services, "incident": number(moved)}, paging=False)
        assert named(run, moved).grade == "otherwise"
        assert named(run, moved).reason == f"it came as an alert of {words}, not of {identifier}"
        assert run.error


def test_a_service_that_the_webhook_does_not_know_by_its_name_is_found(shadow):
    run = shadow.compare(services={})
    apart = {run.draft.account.services[pair.service].name for pair in run.night.pairs if pair.grade == "otherwise"}
    assert apart == {"Edge & CDN"}


def test_an_alert_that_comes_ten_minutes_late_pages_ten_minutes_late(shadow):
    late = shadow.choose()
    for paging in (True, False):
        run = shadow.compare({"kind": "late", "incident": number(late), "seconds": 600}, paging=paging)
        found = named(run, late)
        assert found.grade == ("otherwise" if paging else "not_comparable")
        assert found.computed == ("" if paging else "otherwise")
        assert "its alert came 10 minutes late" in found.reason
        assert found.now == () or found.now[0][0] == 10
        assert found.unexplained


def test_a_feed_that_died_in_the_night_is_said_with_the_moment(shadow):
    later = shadow.clean.night.pairs[6:]
    at = later[0].incident.created_at
    run = shadow.run({"kind": "dead", "at": at.isoformat()})
    feed = run.night.feed
    assert (feed.state, feed.missed) == ("silent", len(later))
    assert feed.arrived < at
    assert "Nothing has come from the feed since" in str(run.error)
    assert "Nothing has come from the feed since" in make_page(run).lead
    assert make_page(run).status == "feed silent"


def test_nothing_from_the_feed_is_red_and_no_agreement(shadow):
    run = shadow.compare({"kind": "dead", "at": (SINCE - timedelta(days=1)).isoformat()})
    counts = run.night.count()
    assert counts["only_pagerduty"] == sum(counts.values())
    assert run.night.feed.state == "dead"
    page = make_page(run)
    assert "Nothing came from the feed" in page.lead
    assert page.status == "nothing came"
    assert not [figure for figure in page.figures if figure.tone == "good"], "nothing compared is nothing good"
    assert {"bad"} == {figure.tone for figure in page.figures if figure.label == "Brought by the feed"}
    assert run.error.exit_code == 5


def test_a_night_without_incidents_proves_nothing_about_the_feed(shadow):
    since = LOADED - timedelta(days=30)
    run = parallel(shadow.job, since.isoformat(), (since + timedelta(hours=2)).isoformat())
    assert run.night.feed.state == "unproved"
    assert "proves nothing about the feed" in make_page(run).lead
    assert make_page(run).status == "not compared"
    assert run.error is None


def test_without_a_key_the_service_the_title_and_the_time_tell(shadow):
    keyless = shadow.choose()
    run = shadow.compare({"kind": "no_key", "incident": number(keyless)})
    assert (named(run, keyless).way, named(run, keyless).grade) == ("service, title and time", "same")
    more = [pair for pair in run.night.pairs if pair.why == "doubled"]
    assert len(run.night.pairs) == len(shadow.clean.night.pairs) + len(more)
    assert all("without a key, each event of an incident may become an alert" in pair.reason for pair in more)
    assert run.night.count_ways()["service, title and time"] == 1


# --- faults in Harness ---


@pytest.fixture
def harness(shadow):
    """Harness's memory, as it was again afterwards."""
    with edit(shadow.job, "harness") as held:
        before = copy.deepcopy(held["oncall"])
    yield shadow
    with edit(shadow.job, "harness") as held:
        held["oncall"] = before


@pytest.mark.parametrize("paging", [True, False], ids=["seen", "computed"])
def test_the_wrong_person_paged_in_harness_is_named(harness, paging):
    page = harness.choose()
    right = next(iter(page.then[0][1]))
    wrong = next(who for who in harness.clean.draft.emails.values() if who != right)
    with edit(harness.job, "harness") as held:
        find_policy(held, harness, page)["levels"][0]["targets"] = [{"type": "user", "id": wrong}]
    run = harness.run(paging=paging)
    found = named(run, page)
    assert "otherwise" in (found.grade, found.computed)
    assert found.seen == paging
    assert f"minute 0: paged {right} / paged {wrong}" in found.reason
    assert found.unexplained
    assert right in str(run.error)
    assert make_page(run).status == "pages otherwise"
    drawing = {section.title: section.drawing for section in make_page(run).sections}["Both sides, where they differ"]
    assert f"Harness, {'seen' if paging else 'computed'}" in drawing


def test_whoever_is_paged_a_level_later_in_harness_is_told_with_the_minute(harness):
    page = harness.choose(least=12)
    with edit(harness.job, "harness") as held:
        policy = find_policy(held, harness, page)
        policy["levels"].insert(0, {"timeout_minutes": 10, "retries": 0, "targets": []})
    found = named(harness.compare(), page)
    assert found.grade == "otherwise"
    assert "minute 0: paged" in found.reason
    assert [minute for minute, _ in found.now][:1] == [10]


def test_a_telephone_that_rings_ten_minutes_late_is_a_difference_though_the_level_is_the_same(harness):
    page = harness.choose(least=12)
    who = next(iter(page.then[0][1]))
    with edit(harness.job, "harness") as held:
        step = {"wait_minutes": 10, "methods": [{"type": "email", "address": who}]}
        held["oncall"]["notification_rules"][who] = {"email": who, "steps": [step]}
    found = named(harness.compare(), page)
    assert found.grade == "otherwise"
    assert f"{who} was notified at minute" in found.reason
    assert "at minute 10 by Harness" in found.reason


def test_somebody_who_cannot_be_reached_is_named(harness):
    page = harness.choose()
    who = next(iter(page.then[0][1]))
    with edit(harness.job, "harness") as held:
        users = held["users"]
        held["users"] = [user for user in users if user["email"] != who]
    try:
        found = named(harness.compare(), page)
    finally:
        with edit(harness.job, "harness") as held:
            held["users"] = users
    assert found.grade == "otherwise"
    assert f"not reached: {who} has not accepted the invitation" in found.reason


def test_a_timeline_that_nobody_can_read_compares_nothing(shadow):
    shadow.play((), True, SERVICES)
    with edit(shadow.job, "harness") as held:
        for alert in held["alerts"]:
            odd = {"eventType": "RESPONDER_CALLED", "timestamp": alert["created"], "eventGroup": "PAGING"}
            alert["events"].append(odd)
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    assert run.night.count_whys() == {"unread": len(run.night.pairs)}
    assert run.night.count()["same"] == 0
    assert "RESPONDER_CALLED" in run.night.pairs[0].reason


@pytest.fixture
def spoil(shadow):
    """Spoil answers of one side; they are whole again afterwards."""
    pagerduty, harness = (server.app for server in shadow.job._servers)
    yield lambda side, *rules: replace_faults({"pagerduty": pagerduty, "harness": harness}[side], [*rules])
    replace_faults(pagerduty, [])
    replace_faults(harness, [])


def test_one_timeline_that_cannot_be_read_whole_is_named_and_the_others_are_compared(shadow, spoil):
    broken = shadow.choose()
    first = shadow.run()
    id = named(first, broken).alert.id
    spoil("harness", {"path": f"/ir/tp/api/v1/mc/activities/{id}/timeline", "kind": "more_of_nothing"})
    run = parallel(shadow.job, SINCE.isoformat(), UNTIL.isoformat())
    found = named(run, broken)
    assert (found.grade, found.why, found.seen) == ("not_comparable", "unread", False)
    assert f"Harness says that the timeline of {id} goes on, and not where" in found.reason
    assert run.night.count_whys() == {"unread": 1}
    assert run.night.count()["same"] == first.night.count()["same"] - 1
    assert "1 alert cannot be compared, since PagerDuty's log or Harness's timeline was not read" in make_page(run).lead


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


def test_a_timeline_without_levels_and_with_names_is_read_as_far_as_it_tells(shadow):
    """Of each person the first time counts; a name stands for the one who has it."""
    names = {email: person.name for email, person in shadow.clean.draft.state.people.items()}

    def change(event):
        if event["eventType"] == "ESCALATION_LEVEL_REACHED":
            return None
        who = {"recipient": {"displayName": names[event["recipient"]]}} if "recipient" in event else {}
        return {name: value for name, value in event.items() if name != "level"} | who

    run = shadow.run_edited(change)
    assert run.night.count() == shadow.clean.night.count()


def test_a_page_that_harness_never_made_is_never_the_same(shadow):
    """No event of paging at all: where PagerDuty's own log has rung somebody it differs, else nothing can be said."""
    run = shadow.run_edited(lambda event: event if event["eventType"] == "ALERT_CREATED" else None)
    assert run.night.count()["same"] == 0
    assert {pair.grade for pair in run.night.pairs if pair.then} <= {"otherwise", "not_comparable"}
    assert run.night.count()["otherwise"] > 0
    bare = {id: [e for e in log if not e.type.startswith("notify")] for id, log in run.happened.log.items()}
    unrung = replace(shadow.clean, happened=replace(run.happened, log=bare))
    timelines = {pair.alert.id: Timeline() for pair in run.night.pairs}
    alerts = [pair.alert for pair in run.night.pairs]
    night = compare_night(unrung.draft, unrung.happened, alerts, timelines, (SINCE, UNTIL), NOW)
    assert night.count()["same"] == 0
    assert "early" in night.count_whys()


def test_what_is_minutes_old_may_still_come(shadow):
    pair = shadow.choose()
    fault = {"kind": "drop", "incident": number(pair)}
    run = shadow.compare(fault, now=pair.incident.created_at + timedelta(minutes=2))
    assert named(run, pair).why == "fresh"


def test_a_service_that_does_not_move_is_neither_good_nor_bad(shadow):
    pair, draft = shadow.choose(), shadow.clean.draft
    others = {id: why for id, why in draft.reasons["services"].items() if id != pair.service}
    found = replace(draft, reasons={**draft.reasons, "services": others})
    run = shadow.compare({"kind": "drop", "incident": number(pair)}, found=found)
    assert {p.why for p in run.night.pairs if p.service == pair.service} == {"scope"}
    assert run.night.feed.expected == sum(p.service != pair.service for p in run.night.pairs)
    assert run.error is None


def test_without_an_api_of_policies_nothing_is_computed(shadow):
    draft = shadow.clean.draft
    found = replace(draft, state=draft.state.model_copy(update={"oncall": False}))
    run = shadow.compare(paging=False, found=found)
    assert run.night.count_computed() == {"same": 0, "silent": 0, "otherwise": 0}
    assert "no API to compute it from" in run.night.pairs[0].reason
    page = make_page(run)
    assert page.status == "not compared"
    [left] = [figure for figure in page.figures if figure.label == "Not compared"]
    assert (left.value, left.tone) == (str(len(run.night.pairs)), "warn")


def test_titles_are_left_out_where_that_is_asked(shadow):
    titles = {pair.incident.title for pair in shadow.clean.night.pairs}
    shown = {cell for s in make_page(shadow.clean).sections if s.table for row in s.table.rows for cell in row if isinstance(cell, str)}  # fmt: skip
    assert titles <= shown
    masked = make_page(replace(shadow.clean, titles=False))
    shown = {cell for s in masked.sections if s.table for row in s.table.rows for cell in row if isinstance(cell, str)}
    assert not titles & shown


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


def test_a_time_that_is_none_is_refused(shadow):
    with pytest.raises(UsageError, match="tomorrow is no moment: write it as"):
        parallel(shadow.job, "tomorrow")
    with pytest.raises(UsageError, match="no time that is over"):
        parallel(shadow.job, (NOW + timedelta(days=1)).isoformat())


def test_what_begins_at_the_edge_of_the_night_is_matched_beyond_it(shadow):
    """The alert of an incident just before the night comes in it, and is nobody's surprise."""
    pair = shadow.clean.night.pairs[2]
    shadow.play((), True, SERVICES)
    since = pair.incident.created_at + timedelta(seconds=1)
    run = parallel(shadow.job, since.isoformat(), (since + SLACK).isoformat())
    assert "only_harness" not in {one.grade for one in run.night.pairs}
    assert pair.incident.id not in {one.incident.id for one in run.night.pairs}


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


def test_what_somebody_decided_explains_a_page_that_goes_otherwise(shadow):
    """Low urgency wakes nobody in PagerDuty; somebody decides that it pages in Harness. The last test: it loads once more."""
    quiet = next(pair for pair in shadow.clean.night.pairs if pair.grade == "silent")
    decide(shadow.job, "service_urgency", quiet.service, "page", why="we want to know at once")
    preview(shadow.job)
    conflicts(shadow.job)
    assert load(shadow.job, "all").error is None
    for paging in (True, False):
        run = shadow.run(paging=paging)
        found = named(run, quiet)
        assert "otherwise" in (found.grade, found.computed)
        assert "every alert pages, at any hour, by decision of" in found.explanation
        assert not found.unexplained
        assert run.error is None
