"""What broke off half-way goes on: a load that failed at an object which takes several requests, since what our own journal
wrote is known; a preview that refused the scope, with what it had read."""

import pytest
import requests
from small_company import edit

from pdmigrate import conflicts, load, preview, verify
from pdmigrate.errors import SettingsError, TargetMovedError
from pdmigrate.harness.client import CONTRACT
from pdmigrate.plan.answers import Choice
from pdmigrate.sandbox.store import Store
from pdmigrate.workspace.decisions import save_answers

PROJECT = f"{CONTRACT}/accounts/embedded/orgs/default/projects/sre"


def tell(job, *paths):
    """Which of its paths Harness answers with 502 until the patience ends; none makes it well again."""
    job.target.transport._sleep = lambda seconds: None
    rules = [{"kind": "502_html", "method": "PUT", "path": path} for path in paths]
    url = f"{job.target.transport.base_url}/sandbox/faults"
    assert requests.post(url, json=rules, timeout=600).ok


def fail_half_way(job, *paths):
    tell(job, *paths)
    loaded = load(job, "all")
    assert loaded.error.exit_code == 5
    tell(job)
    return {done.action.key for done in loaded.done if done.outcome == "failed"}


@pytest.mark.parametrize("again", ["load", "run"])
def test_a_service_that_was_created_and_not_set_up_is_gone_on_with(small, again):
    """One without its settings, and one without its alert rule."""
    services = {a.key: a.identifier for a in conflicts(small).plan.pending if a.kind == "services"}
    first, second = list(services)[:2]
    failed = fail_half_way(small, f"{PROJECT}/services/{services[first]}", f"{PROJECT}/alert-rules/{services[second]}")
    assert failed == {first, second}
    if again == "run":
        preview(small)
        assert conflicts(small).goes_on
    assert load(small, "all").error is None
    assert conflicts(small).plan.empty
    assert verify(small).error is None


def test_a_changed_service_that_was_renamed_and_not_set_up_is_gone_on_with(loaded):
    turn(loaded, "Renamed")
    conflicts(loaded)
    fail_half_way(loaded, f"{PROJECT}/services/", f"{PROJECT}/alert-rules/")
    assert load(loaded, "all").error is None
    assert conflicts(loaded).plan.empty


def test_what_was_written_half_is_nobodys_change_by_hand_when_pagerduty_changes_again(loaded):
    """The name arrived, the settings did not, and now PagerDuty has a third name: ours, and no question."""
    turn(loaded, "Renamed")
    conflicts(loaded)
    fail_half_way(loaded, f"{PROJECT}/services/", f"{PROJECT}/alert-rules/")
    turn(loaded, "Renamed again")
    decided = conflicts(loaded)
    assert not decided.draft.open
    assert load(loaded, "all").error is None
    names = [row["name"] for row in Store(loaded.workspace.sandbox / "harness.json", dict).read()["services"]]
    assert "Renamed again" in names
    assert conflicts(loaded).plan.empty


def turn(job, name):
    """A service gets another name and another policy in PagerDuty."""
    with edit(job, "pagerduty") as account:
        service = account["services"][0]
        policies = [row for row in account["escalation_policies"] if row["id"] != service["escalation_policy"]["id"]]
        service["name"] = name
        if policies:
            service["escalation_policy"] = {**service["escalation_policy"], "id": policies[0]["id"]}
    preview(job)


def test_what_people_changed_meanwhile_in_the_half_object_is_still_seen(small):
    """Known is what we wrote: a description that somebody typed into it is not."""
    conflicts(small)
    fail_half_way(small, f"{PROJECT}/services/")
    with edit(small, "harness") as harness:
        one = next(row for row in harness["services"] if row["identifier"].endswith("PSERV01"))
        one["description"] = "Ours since Monday"
    with pytest.raises(TargetMovedError, match=r"Harness has changed since the plan was made: services .*1 in all"):
        load(small, "all")


def test_a_scope_with_an_unknown_name_leaves_no_snapshot_and_the_next_preview_asks_for_nothing_again(small):
    """What was asked is kept; the snapshot of before is the latest one still."""
    place, name = small.workspace, next(iter(small.latest_account().services.values())).name
    before = {path.name for path in place.snapshots.iterdir()}, place.find_state("snapshot")
    save_answers(place.decisions_file, Choice(setting="scope.services", value=[name[:-1]]))
    with pytest.raises(SettingsError, match=f"did you mean {name!r}"):
        preview(small)
    assert ({path.name for path in place.snapshots.iterdir()}, place.find_state("snapshot")) == before
    save_answers(place.decisions_file, Choice(setting="scope.services", value=[name]))
    asked = small.counts()["source"]["requests"]
    assert preview(small).draft.reasons["services"]
    assert small.counts()["source"]["requests"] == asked
