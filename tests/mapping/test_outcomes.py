"""What the mapping forgets is caught: the counts are held against the source and its scope, not against the mapping."""

import shutil
from dataclasses import replace

import pytest
from shift_company import build_whole_company
from small_company import cut_down

from pdmigrate import choose, conflicts, load, look, open_job, preview, verify
from pdmigrate.errors import RefusedError
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps import draft as drafts
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json

KINDS = (
    "contact_methods",
    "notification_rules",
    "users",
    "teams",
    "schedules",
    "overrides",
    "escalation_policies",
    "services",
)
SERVICES = ("PSERV01", "PSERV02", "PSERV05")


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """A corner of the company, with contact details and overrides. Nothing is written to its Harness."""
    folder = tmp_path_factory.mktemp("counts") / "acme"
    make_demo_workspace(folder)
    write_json(folder / "sandbox" / "pagerduty.json", cut_down(build_company(read_clock()), SERVICES))
    with open_job(folder) as job:
        yield job, preview(job)


@pytest.fixture(scope="module")
def loaded(corner, tmp_path_factory):
    """The same, carried over."""
    folder = shutil.copytree(corner[0].workspace.folder, tmp_path_factory.mktemp("loaded") / "acme")
    with open_job(folder) as job:
        conflicts(job)
        load(job, "all")
        assert verify(job).error is None
        yield job


def forget(monkeypatch, kind):
    """Let the mapping drop one object of a kind from all that it says. Returns where its outcome was."""
    whole, dropped = drafts.map_all, []

    def drop(mapped, *more):
        whole(mapped, *more)
        outcome = next(outcome for outcome in mapped.outcomes if outcome.kind == kind)
        mapped.outcomes.remove(outcome)
        mapped.desired = [wish for wish in mapped.desired if (wish.kind, wish.sources) != (kind, (outcome.id,))]
        mapped.held = [held for held in mapped.held if (held.kind, held.key) != (kind, outcome.id)]
        dropped.append(outcome)
        return mapped

    monkeypatch.setattr(drafts, "map_all", drop)
    return dropped


def test_nothing_is_forgotten_of_the_company(job):
    """Of the whole company, shift-based schedules with it, of one service of it, and without contact details."""
    write_json(job.workspace.sandbox / "pagerduty.json", build_whole_company(read_clock()))
    assert preview(job).draft.miscounted == ()
    choose(job, "scope.services", ["PSERV05"])
    assert drafts.draft(job).miscounted == ()
    choose(job, "rules.contact_details", False)
    found = drafts.draft(job)
    assert found.miscounted == ()
    users = found.account.users.values()
    assert found.count_out_of_scope()["contact_methods"] == sum(len(user.contact_methods) for user in users)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_mapping_forgets_is_refused_by_name(corner, monkeypatch, kind):
    job, whole = corner
    dropped = forget(monkeypatch, kind)
    decided = conflicts(job)
    [sentence] = decided.draft.miscounted
    assert f"({dropped[0].id}): it is in scope, and nothing says what becomes of it" in sentence
    assert sentence in str(decided.error)
    assert decided.error.exit_code == 4
    assert decided.draft.count_out_of_scope() == whole.draft.count_out_of_scope(), (
        "what is forgotten is not out of scope"
    )
    assert "The counts do not add up" in str(look(replace(whole, draft=decided.draft), "counts")._repr_html_())
    with pytest.raises(RefusedError, match="The counts do not add up"):
        load(job, "all")
    assert job.target.transport.counts.writes == 0


@pytest.mark.parametrize("kind", ["contact_methods", "schedules", "services"])
def test_verify_ends_with_5_for_what_is_forgotten(loaded, monkeypatch, kind):
    dropped = forget(monkeypatch, kind)
    verified = verify(loaded)
    assert verified.error.exit_code == 5
    assert any(f"({dropped[0].id}): it is in scope" in sentence for sentence in verified.unexplained)


def test_what_is_said_twice_is_no_count_either(corner, monkeypatch):
    whole = drafts.map_all

    def repeat(mapped, *more):
        whole(mapped, *more)
        mapped.outcomes.append(next(outcome for outcome in mapped.outcomes if outcome.kind == "services"))
        return mapped

    monkeypatch.setattr(drafts, "map_all", repeat)
    [sentence] = conflicts(corner[0]).draft.miscounted
    assert "what becomes of it is said 2 times" in sentence
