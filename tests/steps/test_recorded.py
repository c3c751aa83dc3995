"""A real account, recorded, with all its loose ends: carried through to the end, and nothing kept quiet."""

import json

import pytest

from pdmigrate import conflicts, connect, decide, invite, load, open_job, preview, verify
from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.pagerduty import start_pagerduty
from pdmigrate.workspace.settings import make_workspace

TOKEN = "recorded-account-token"
LISTED = ("users", "teams", "schedules", "escalation_policies", "services")


@pytest.fixture(scope="module")
def recorded_url(recorded_account):
    server = start_pagerduty(load_account(recorded_account), token=TOKEN)
    yield server.url
    server.stop()


@pytest.fixture(scope="module", params=["served", "folder"])
def carried(request, recorded_account, recorded_url, tmp_path_factory):
    """The account through all six steps: by HTTP as any PagerDuty, and from the folder as a snapshot."""
    folder = tmp_path_factory.mktemp(request.param) / "acme-inc"
    (folder.parent / "token").write_text(TOKEN, encoding="utf-8")
    served = {"source": "pagerduty", "token": f"file:{folder.parent / 'token'}", "subdomain": "acme-inc"}
    kinds = {
        "served": served | {"source_url": recorded_url},
        "folder": {"source": "snapshot", "snapshot": str(recorded_account)},
    }
    make_workspace(folder, {**kinds[request.param], "open_conflicts": "recommended"})
    with open_job(folder) as job:
        decide(job, "user_not_found", "all", "invite", by="consultant")
        connect(job)
        preview(job)
        invite(job)
        decided = conflicts(job)
        for conflict in decided.draft.open.values():
            decide(job, conflict.about, conflict.id, choose(conflict), by="consultant", why="looked into")
        decided = conflicts(job)
        yield decided, load(job, "all"), verify(job)


def choose(conflict):
    """An empty place for who is gone; a schedule whose overrides no file holds moves without them; the rest stays."""
    options = [option.name for option in conflict.options]
    if "empty_place" in options:
        return "empty_place"
    return "without" if conflict.about == "unread_overrides" else "leave_out"


def recorded_counts(folder):
    counts = {}
    for kind in LISTED:
        answers = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
        counts[kind] = sum(len(page[kind]) for page in (answers if isinstance(answers, list) else [answers]))
    users = json.loads((folder / "users.json").read_text(encoding="utf-8"))
    rows = [user for page in (users if isinstance(users, list) else [users]) for user in page["users"]]
    return counts | {kind: sum(len(row[kind]) for row in rows) for kind in ("contact_methods", "notification_rules")}


def test_it_is_carried_through_to_the_end(carried):
    decided, loaded, verified = carried
    assert not decided.draft.open
    assert decided.error is None
    assert loaded.error is None
    assert verified.error is None
    assert {done.outcome for done in loaded.done} == {"created"}


def test_the_counts_are_those_of_the_files_and_add_up(carried, recorded_account):
    *_, verified = carried
    counts = verified.summarise()["kinds"]
    recorded = recorded_counts(recorded_account)
    assert {kind: counts[kind]["in_source"] for kind in recorded} == recorded
    for kind, figures in counts.items():
        assert figures["in_source"] == sum(figures[grade] for grade in ("exact", "changed", "handed_over", "lost")), (
            kind
        )


def said(decided):
    """Everything that is said about the account: what became of each object and field, and every question."""
    mapped = decided.draft.mapped
    outcomes = [
        f"{outcome.kind} {outcome.id}: {outcome.reason} {[f.reason for f in outcome.fields]}"
        for outcome in mapped.outcomes
    ]
    answers = [
        f"{answer.conflict.kind} {answer.conflict.id}: {answer.conflict.question}"
        for answer in mapped.questions.answered.values()
    ]
    return outcomes + answers


def find_dangling(folder):
    """(kind, id, name) of every reference to an object that no file lists, with the object that names it."""
    document = load_account(folder)
    known = {row["id"] for kind in LISTED for row in document[kind]}
    found = set()
    for schedule in document["schedules"]:
        people = [place["user"] for layer in schedule["schedule_layers"] for place in layer["users"]]
        found |= {("schedules", schedule["id"], user["id"]) for user in people if user["id"] not in known}
        named = schedule["escalation_policies"]
        found |= {("schedules", schedule["id"], policy["id"]) for policy in named if policy["id"] not in known}
    for service in document["services"]:
        if service["escalation_policy"]["id"] not in known:
            found.add(("services", service["id"], service["escalation_policy"]["id"]))
    return found, {row["id"]: row.get("summary") for row in references(document)}


def references(value):
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    if not isinstance(value, dict):
        return []
    own = [value] if isinstance(value.get("id"), str) else []
    return own + [found for one in value.values() for found in references(one)]


def test_the_loose_ends_are_those_that_are_known(recorded_account):
    found, _ = find_dangling(recorded_account)
    gone = {id for _, _, id in found}
    assert {"P1VTA5W", "PT25XJK"} <= gone
    assert len(gone) == 2 + 5, "one user, one policy of a service, and five policies that schedules name"


def test_every_loose_end_is_a_question_or_a_loss(carried, recorded_account):
    decided, *_ = carried
    found, names = find_dangling(recorded_account)
    lines = said(decided)
    for kind, holder, id in found:
        about = [line for line in lines if line.startswith(f"{kind} {holder}")]
        assert any(id in line or (names[id] and names[id] in line) for line in about), (kind, holder, id)


def test_nothing_is_lost_without_a_reason(carried):
    decided, *_ = carried
    assert all(outcome.reason for outcome in decided.draft.mapped.outcomes if outcome.grade in ("lost", "handed_over"))


def test_what_pages_by_a_policy_that_nobody_sees_is_not_moved(carried):
    decided, _, verified = carried
    lost = {
        outcome.id: outcome.reason
        for outcome in decided.draft.mapped.outcomes
        if outcome.kind == "services" and outcome.grade == "lost"
    }
    assert any("PT25XJK" in reason for reason in lost.values())
    assert verified.summarise()["kinds"]["services"]["lost"] == len(lost)


def test_every_second_agrees_or_is_held_with_a_reason(carried):
    """100.000 % wherever the fidelity says exact; whoever is on call in what is held is told with the reason."""
    decided, _, verified = carried
    moved = [s for s in verified.schedules if s.identifier]
    assert moved
    unread = {
        answer.conflict.id for answer in decided.draft.answered.values() if answer.conflict.about == "unread_overrides"
    }
    assert {s.id for s in moved if s.unverified} == unread & {s.id for s in moved}
    assert [(s.name, s.differ) for s in moved if s.differ] == []
    assert all(s.agree == s.span[1] - s.span[0] for s in moved if not s.unverified)
    assert all(s.fidelity.grade != "not_carried_over" for s in moved)
    assert all(s.reason for s in verified.schedules if not s.identifier and s.before.entries)
    assert verified.unexplained == ()
    assert not [(s.name, w.change) for s in moved for w in s.windows if w.unexplained]
