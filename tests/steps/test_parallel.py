"""A shadow night on the embedded pair: a clean one is the same on both sides, and each planted fault is named."""

import copy
from dataclasses import replace
from datetime import timedelta

import pytest
from shadow_night import (
    LOADED,
    NOW,
    SERVICES,
    SINCE,
    UNTIL,
    Shadow,
    carry_over,
    find_policy,
    named,
    number,
)
from small_company import edit

from pdmigrate import conflicts, decide, load, parallel, preview
from pdmigrate.errors import UnexplainedDifferenceError, UsageError
from pdmigrate.harness.alert_records import Timeline
from pdmigrate.pages import make_page
from pdmigrate.parity.parallel import compare_night
from pdmigrate.steps.parallel import SLACK


@pytest.fixture(scope="module")
def shadow(tmp_path_factory):
    with carry_over(tmp_path_factory.mktemp("parallel") / "acme") as job:
        yield Shadow(job)


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
