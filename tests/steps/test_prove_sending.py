"""Test pages leave once, by the right webhook, when they may; and nobody is woken by what is left of one."""

from datetime import UTC, datetime

import pytest
from live_place import EDGE, KUBE, NOW, QUIET, of

from pdmigrate import conflicts, undo
from pdmigrate.errors import (
    InterruptedLoadError,
    RefusedError,
)
from pdmigrate.oncall.live import PageLog
from pdmigrate.plan.answers import Decision
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.steps.prove import find_loaded
from pdmigrate.steps.sending import change_log, read_log
from pdmigrate.workspace.decisions import save_answers

# --- nothing is sent twice, and nothing that nobody asked for ---


def test_an_answer_that_is_lost_is_looked_for_and_nothing_is_sent_twice(place):
    replace_faults(place.app, [{"kind": "lost_answer", "path": "/ir/tp/account/"}])
    found = place.prove(EDGE)
    assert len(place.list_alerts()) == 1
    assert of(found, EDGE).judged.outcome == "same"
    assert place.prove(EDGE).sent == 0


def test_a_webhook_that_refuses_sends_nothing_and_can_be_asked_anew(place):
    replace_faults(place.app, [{"kind": "401_code", "path": "/ir/tp/account/"}])
    found = place.prove(EDGE)
    proof = of(found, EDGE)
    assert (proof.grade, found.error.exit_code) == ("refused", 5)
    token = next(r["path"] for r in place.job.target.transport.send("GET", "/sandbox/webhooks")["webhooks"]).split("/")[
        -1
    ]
    kept = "".join(p.read_text(encoding="utf-8") for p in place.job.workspace.folder.glob("state/*.json"))
    assert token not in kept + str(found.error)
    assert "webhook/" not in kept
    replace_faults(place.app, [])
    assert of(place.prove(EDGE), EDGE).judged.outcome == "same"


def test_ctrl_c_ends_the_page_under_way_and_the_same_call_goes_on(place, monkeypatch):
    place.set(page_answered_after=None)

    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(place, "sleep", interrupt)
    with pytest.raises(InterruptedLoadError, match="no further test page is sent"):
        place.prove(wait=5)
    assert [alert["ended"][0] for alert in place.list_alerts()] == ["resolved"]
    monkeypatch.undo()
    found = place.prove(wait=0)
    assert found.sent == 2
    titles = [alert["title"].split(" of ")[1] for alert in place.list_alerts()]
    assert len(titles) == len(set(titles)) == 3


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_after_a_kill_what_was_meant_is_looked_up_and_not_sent_again(place, arrived, again):
    """Killed between the intent and the answer: nothing was booked, whether the page left or not."""
    place.set(page_answered_after=None)
    found = place.prove(EDGE)
    killed = {**vars(of(found, EDGE).page), "state": "intended", "seen": None, "ended": 0}
    page = type(of(found, EDGE).page)(**killed)
    change_log(place.job, lambda log: PageLog(log.number, again, True, (page,)))
    with place.store.change() as held:
        held["alerts"][0]["ended"] = None
        held["alerts"] = held["alerts"][: int(arrived)]
    found = place.prove(EDGE, QUIET, again=again)
    assert found.sent == 1
    assert of(found, EDGE).page.token == page.token
    assert of(found, EDGE).grade == ("seen" if arrived else "not seen")
    assert all(alert["ended"] for alert in place.list_alerts()), "and it wakes nobody any more"
    assert not read_log(place.job).under_way


def test_nothing_is_sent_within_a_minute_of_a_handoff(place):
    edges = {entry[0] for s in place.schedules for entry in s.expected.entries if entry[0] > NOW.timestamp() + 60}
    edge = next(edge for edge in sorted(edges) if place.expect(KUBE, edge - 30) != place.expect(KUBE, edge + 30))
    place.now = datetime.fromtimestamp(edge - 30, UTC)
    page = place.send(KUBE)
    assert place.slept == [60]
    assert page.intended == edge + 30
    assert page.dues == place.expect(KUBE, edge + 30)


def test_what_is_not_loaded_gets_no_test_page(place):
    job, decisions = place.job, place.job.workspace.decisions_file
    journal, answers = job.workspace.journal_file.read_bytes(), decisions.read_bytes()
    job.workspace.journal_file.unlink()
    with pytest.raises(RefusedError, match="Nothing was loaded yet"):
        place.prove()
    job.workspace.journal_file.write_bytes(journal)
    save_answers(decisions, Decision(conflict="service_urgency", object="PSERV03", choice="page", by="ann"))
    conflicts(job)
    with pytest.raises(RefusedError, match="The latest plan is not loaded"):
        place.prove()
    decisions.write_bytes(answers)
    conflicts(job)
    assert find_loaded(job), "with nothing left to load, what was loaded stands"
    undo(job, yes=True)
    with pytest.raises(RefusedError, match="What was loaded was taken back"):
        place.prove()
    job.workspace.journal_file.write_bytes(journal)
    assert place.list_alerts() == []
