"""The live proof: a test page per service, sent when a person says so, read back, compared; and each planted fault seen."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import pytest
from live_place import EDGE, KUBE, QUIET, of

from pdmigrate import finish, prove
from pdmigrate.errors import (
    PersonNeededError,
    SettingsError,
    UnexplainedDifferenceError,
    UsageError,
)
from pdmigrate.oncall.live import Judged
from pdmigrate.pages.prove import tag_proof
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.steps.prove import judge_page, tick_page
from pdmigrate.steps.sending import Asking


def test_without_a_persons_word_nothing_is_sent_and_it_is_said_whom_it_would_wake(place):
    found = prove(place.job)
    assert place.list_alerts() == []
    assert not place.job.workspace.state_file("live").exists()
    assert found.count() == {"seen": 0, "ticked": 0, "not seen": 0, "refused": 0, "not asked": 3}
    assert [due.level for due in of(found, EDGE).expected.dues] == [0, 10, 30, 40]
    assert "alerts are logged and page nobody, by decision of demo" in of(found, QUIET).expected.why
    assert found.error is None
    place.now += timedelta(days=400)
    [late] = prove(place.job, [EDGE]).proofs
    assert (late.expected, late.held) == (None, "the snapshot says nothing of today: run preview again")
    with pytest.raises(UsageError, match="--by NAME"):
        prove(place.job, [EDGE], Asking(" "))
    with pytest.raises(UsageError, match=r"No service Edge & CD moves \(did you mean Edge & CDN\?\)"):
        prove(place.job, ["Edge & CD"])


def test_a_test_page_of_every_service_is_read_back(place):
    found = place.prove()
    assert found.sent == 3
    assert found.count_outcomes() == {"nobody": 0, "others": 0, "late": 0, "silent": 1, "same": 2}
    assert found.error is None
    page = of(found, EDGE).page
    [first, *_] = page.dues
    seen = {(notice.person, notice.channel, page.seen.minute_of(notice)) for notice in page.seen.notices}
    assert seen == {(first.person, "email", 0)}, "it is answered before the telephone has its turn"
    assert first.channels == ("email",)
    assert page.seen.by == first.person
    assert page.seen.acknowledged == page.intended
    alerts = place.list_alerts()
    assert all(alert["title"].startswith("TEST PAGE ") for alert in alerts)
    assert [alert["ended"][0] for alert in alerts] == ["resolved"] * 3, "nobody is woken by a later level"
    assert place.slept == [30, 30], "one at a time, with a pause between two"
    again = place.prove()
    assert again.sent == 0, "once under one plan"
    assert place.prove(EDGE, again=True).sent == 1
    assert len(place.list_alerts()) == 4


def test_where_nobody_answers_later_levels_are_seen_as_far_as_it_is_waited(place):
    place.set(page_answered_after=None)
    found = place.prove(KUBE, wait=20)
    page = of(found, KUBE).page
    told = {(page.seen.minute_of(n), n.person) for n in page.seen.notices}
    expected = {(due.minute, due.person) for due in page.dues if due.minute <= 20}
    assert expected <= told
    assert len(expected) == 2
    assert {minute for minute, _ in told} == {minute for minute in range(21) if minute in {m for m, _ in told}}
    assert of(found, KUBE).judged.outcome == "same"
    place.now += timedelta(hours=3)
    assert of(prove(place.job), KUBE).page == page, "what is over stays as it was read"


# --- each fault is seen, or it is said that it was not ---


def plant_wrong_person(place):
    with place.store.change() as held:
        for level in place.find_levels(held, EDGE):
            level["targets"] = [{"type": "user", "id": held["users"][-1]["email"]}]


def plant_lost_level(place):
    place.set(page_answered_after=None)
    with place.store.change() as held:
        del place.find_levels(held, EDGE)[0]


def plant_early_level(place):
    place.set(page_answered_after=None)
    with place.store.change() as held:
        for level in place.find_levels(held, EDGE):
            level["timeout_minutes"] = 1


def plant_empty_level(place):
    with place.store.change() as held:
        place.find_levels(held, EDGE).clear()


def plant_locked_account(place):
    with place.store.change() as held:
        for user in held["users"]:
            user["locked"] = True


FAULTS = {
    "another person in the policy": (plant_wrong_person, "others"),
    "the first level removed": (plant_lost_level, "others"),
    "levels that come too early": (plant_early_level, "others"),
    "a policy without levels": (plant_empty_level, "nobody"),
    "paging switched off": (lambda place: place.change_rule(EDGE, paging=False), "nobody"),
    "the rule gone to another service": (lambda place: place.change_rule(EDGE, service="other"), "nobody"),
    "mail and phone blocked": (lambda place: place.set(blocked_channels=["email", "phone"]), "nobody"),
    "accounts locked": (plant_locked_account, "nobody"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_that_does_not_reach_the_right_people_is_red(place, fault):
    plant, outcome = FAULTS[fault]
    plant(place)
    page = place.send(EDGE, wait=0 if outcome == "nobody" else 5)
    assert judge_page(page).outcome == outcome
    assert judge_page(page).words


def test_a_tick_does_not_make_it_good(place):
    place.change_rule(EDGE, paging=False)
    found = place.prove(EDGE)
    assert found.error.exit_code == UnexplainedDifferenceError.exit_code
    assert "Edge & CDN: Femke Jansen 🌷 was not told, who was to be at once" in str(found.error)
    tick_page(place.job, EDGE, "bob")
    assert of(prove(place.job), EDGE).is_red


def test_a_channel_that_fails_is_told_although_another_one_arrives(place):
    place.set(blocked_channels=["email"])
    judged = judge_page(place.send(EDGE, wait=5))
    assert judged.outcome == "late"
    assert "could not be told by email" in judged.words
    assert "was told by phone, and not by email" in judged.words


RENAMED = {
    "the types of events": {"NOTIFICATION_SENT": "PERSON_TOLD"},
    "their times": {"timestamp": "occurredAt"},
    "the type's field": {"eventType": "kind"},
    "whom and the words": {"recipient": "target", "message": "text"},
}


@pytest.mark.parametrize("what", RENAMED)
def test_what_is_not_understood_is_not_seen_and_said(place, what):
    place.set(renamed_events=RENAMED[what])
    page = place.send(EDGE)
    assert judge_page(page) == Judged(None, "the timeline holds events that nobody here understands")
    assert len(page.seen.strange) >= 1


def test_a_page_that_harness_took_for_another_services_proves_nothing_of_this_one(place):
    """Although the right people were told; where they were not, it stays red."""
    page = place.send(EDGE)
    assert judge_page(page).outcome == "same"
    other = replace(page, seen=replace(page.seen, services=("card_payments",)))
    judged = judge_page(other)
    assert judged.outcome is None
    assert judged.words.startswith("Harness took it for card_payments")
    assert judge_page(replace(other, dues=(replace(page.dues[0], person="x@example.com"),))).outcome == "others"


def test_words_alone_tell_of_whom_and_by_what(place):
    """Fields beyond the documented ones may be called otherwise."""
    place.set(renamed_events={"recipient": "who", "channel": "via", "level": "step"})
    assert judge_page(place.send(EDGE)).outcome == "same"


def finish_quietly(job, found):
    with pytest.raises(type(found.error)):
        finish(job, found)
    return job.folder / "live.html"


UNREAD = {
    "no timeline": ({"kind": "200_html", "path": "/ir/tp/api/v1/mc/activities"}, "a page that is no JSON"),
    "no alerts": ({"kind": "302", "path": "/ir/tp/api/v1/mc/alerts"}, "302"),
    "the timeline breaks off": ({"kind": "truncated", "path": "/ir/tp/api/v1/mc/activities"}, "gave up"),
}


@pytest.mark.parametrize("what", UNREAD)
def test_what_cannot_be_read_back_is_not_seen(place, what, monkeypatch):
    monkeypatch.setattr(place.job.target.transport, "_sleep", lambda seconds: None)
    rule, words = UNREAD[what]
    replace_faults(place.app, [rule])
    judged = judge_page(place.send(EDGE))
    assert judged.outcome is None
    assert words in judged.words


def test_what_is_not_seen_a_person_may_tick_and_it_counts_as_that(place):
    place.set(renamed_events=RENAMED["their times"])
    found = place.prove(EDGE)
    assert of(found, EDGE).grade == "not seen"
    assert found.error.exit_code == PersonNeededError.exit_code
    page = finish_quietly(place.job, found).read_text(encoding="utf-8")
    assert "NOTIFICATION_SENT, at no time that can be read: Notified" in page
    tick_page(place.job, "edge & cdn", "bob", "Femke's mail came")
    found = prove(place.job)
    assert found.count() == {"seen": 0, "ticked": 1, "not seen": 0, "refused": 0, "not asked": 2}
    assert (str(tag_proof(of(found, EDGE))), found.error) == ("ticked by bob on 2025-10-07 15:30 UTC", None)


def test_only_what_was_sent_can_be_ticked(place):
    with pytest.raises(UsageError, match="No test page of Edge & CDN was sent"):
        tick_page(place.job, EDGE, "bob")
    place.prove(EDGE)
    with pytest.raises(UsageError, match="--by NAME"):
        tick_page(place.job, EDGE, " ")


# --- what a person sees ---


# --- webhooks by reference ---


def refer(place, monkeypatch, **targets):
    """As in a real migration: webhooks are named in migration.yaml."""
    rows = place.job.target.transport.send("GET", "/sandbox/webhooks")["webhooks"]
    base = place.job.target.address.base_url
    mine = [row for row in rows if row["projectId"] == "sre"]
    monkeypatch.setenv("GENERAL", base + next(row["path"] for row in mine if row["kind"] == "general"))
    monkeypatch.setenv("OF_EDGE", base + next(row["path"] for row in mine if "edge" in str(row["service"])))
    target = place.job.settings.target.model_copy(update={"kind": "harness", **targets})
    monkeypatch.setattr(place.job, "settings", place.job.settings.model_copy(update={"target": target}))


def test_a_service_has_its_paging_webhook_or_the_general_one(place, monkeypatch):
    refer(place, monkeypatch, webhook="env:GENERAL", webhooks={EDGE: "env:OF_EDGE"})
    place.change_rule(EDGE, paging=False)
    found = place.prove(EDGE, KUBE)
    assert {p.service.name: p.page.way for p in found.proofs} == {EDGE: "paging", KUBE: "general"}
    assert {p.judged.outcome for p in found.proofs} == {"same"}, "a paging webhook pages whatever the rule says"
    assert os.environ["OF_EDGE"] in place.job.secrets


@pytest.mark.parametrize(
    "targets, words",
    [
        ({"webhook": "env:OF_EDGE"}, r"target\.webhook \(env:OF_EDGE\) is a paging webhook"),
        ({"webhooks": {EDGE: "env:GENERAL"}}, "is a general webhook"),
        ({"webhooks": {"Edge": "env:GENERAL"}}, "no service Edge is in scope"),
        ({"webhook": "env:NOT_THERE"}, "The secret env:NOT_THERE is empty or not there"),
    ],
)
def test_a_wrong_reference_stops_before_anything_is_sent(place, monkeypatch, targets, words):
    refer(place, monkeypatch, **targets)
    with pytest.raises(SettingsError, match=words):
        place.prove(EDGE)
    assert place.list_alerts() == []


def test_what_has_no_way_is_said(place, monkeypatch):
    refer(place, monkeypatch, webhooks={QUIET: "env:OF_EDGE"})
    held = {p.service.name: p.held for p in place.prove().proofs}
    assert "whatever its alert rule says" in held[QUIET]
    assert held[EDGE].startswith("no webhook is named")
    assert place.list_alerts() == []


def test_a_red_service_is_red_on_the_page_and_in_the_summary(place):
    place.change_rule(EDGE, paging=False)
    found = place.prove()
    page = finish_quietly(place.job, found).read_text(encoding="utf-8")
    assert 'id="live-nobody"' in page
    assert "seen: nobody was told" in page
    summary = json.loads((place.job.folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["live"]["outcomes"] == {"nobody": 1, "others": 0, "late": 0, "silent": 1, "same": 1}
    assert summary["live"]["services"]["seen"] == 3
    assert "Live proof" in (place.job.folder / "index.html").read_text(encoding="utf-8")
