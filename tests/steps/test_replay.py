"""What happened, put through what Harness holds now: a clean load pages the same, and each planted fault is named."""

import gzip
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from small_company import cut_down

from pdmigrate import conflicts, finish, load, open_job, preview, replay
from pdmigrate.cli import main
from pdmigrate.errors import IncompleteFetchError, SettingsError, UnexplainedDifferenceError
from pdmigrate.harness.records import LevelTarget
from pdmigrate.pagerduty import lists
from pdmigrate.pagerduty.history import Window
from pdmigrate.pagerduty.history_reading import HistoryReader
from pdmigrate.pages import make_page
from pdmigrate.pages.replay import describe_replay
from pdmigrate.pages.report import write_page
from pdmigrate.parity.replay import replay_pages
from pdmigrate.runs.demo import make_demo_workspace
from pdmigrate.runs.publish import publish
from pdmigrate.sandbox import pagerduty_wire
from pdmigrate.sandbox.company import build_company
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.steps.trend import read_trend
from pdmigrate.workspace.folder import read_packed, write_json
from pdmigrate.workspace.history import HistoryFolder

NOW = datetime(2025, 10, 7, 15, 30, tzinfo=UTC)
CHOSEN = ("PSERV01", "PSERV02", "PSERV05", "PSERV10", "PSERV11")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A part of the company on a day that stays, with its history, carried over and replayed."""
    folder = tmp_path_factory.mktemp("replay") / "acme"
    make_demo_workspace(folder)
    document = cut_down(build_company(NOW), CHOSEN) | {"history": {"until": NOW.isoformat(), "days": 90}}
    write_json(folder / "sandbox" / "pagerduty.json", document)
    with open_job(folder, clock=lambda: NOW) as job:
        preview(job)
        conflicts(job)
        assert load(job, "all").error is None
        yield job, replay(job)


def test_every_page_that_can_be_compared_is_the_same(company):
    _, found = company
    counts = found.replayed.count()
    assert counts["otherwise"] == 0
    assert counts["same"] > 200
    assert found.error is None
    assert found.replayed.misread == (), "our reading of PagerDuty is what happened"
    assert sum(counts.values()) == len(found.happened.incidents)
    reasons = {page.why for page in found.replayed.pages if page.grade == "not_comparable"}
    assert reasons <= {"schedule"}


def test_what_was_read_is_not_read_again(company):
    """Nothing at the same moment; an hour later the week that runs, and its rendering; after a kill what is not there."""
    job, first = company
    history = job.workspace.folder / "history"
    assert first.kept == 0
    again = replay(job)
    assert (again.kept, again.requests) == (14, 0)
    job.clock = lambda: NOW + timedelta(hours=1)
    later = replay(job)
    assert later.kept == 13
    assert 0 < later.requests < first.requests / 4
    job.clock = lambda: NOW
    for path in sorted(history.glob("pages-*"))[4:6]:
        path.unlink()
    resumed = replay(job)
    assert resumed.kept < 13
    assert resumed.replayed.pages == again.replayed.pages == first.replayed.pages


def test_what_is_kept_holds_no_address_and_masked_no_words(company):
    job, found = company
    titles = {one.title for one in found.happened.incidents}
    assert len(titles) > 5
    kept = read_kept(job)
    assert [title for title in titles if title in kept]
    assert "@" not in kept
    assert '"address"' not in kept
    masked = replay(job, titles=False)
    assert not [title for title in titles if title in read_kept(job)]
    assert [replace(p, incident=None) for p in masked.replayed.pages] == [
        replace(p, incident=None) for p in found.replayed.pages
    ]


def test_a_damaged_file_is_said_before_another_is_written(company):
    """Without titles the weeks that are kept are written anew: not one of them, where another file is damaged."""
    job, _ = company
    folder = job.workspace.folder / "history"
    for path in folder.glob("pages-*"):
        path.write_bytes(gzip.compress(json.dumps({**read_packed(path), "titles": True}).encode()))
    last = max(folder.glob("rotas-*"))
    whole = last.read_bytes()
    last.write_bytes(whole[:40])
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SettingsError, match=rf"{last.name} is damaged"):
        replay(job, titles=False)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    last.write_bytes(whole)


def read_kept(job):
    files = sorted((job.workspace.folder / "history").glob("*.json.gz"))
    assert len(files) == 18
    return "".join(gzip.decompress(path.read_bytes()).decode() for path in files)


def test_a_damaged_file_is_said(tmp_path):
    folder = HistoryFolder(tmp_path, "acme")
    span = (NOW, NOW + timedelta(days=7))
    folder.save("pages", span, {"incidents": []})
    assert folder.find("pages", span).rows == {"incidents": []}
    with pytest.raises(SettingsError, match="is of the account acme, not other"):
        HistoryFolder(tmp_path, "other").find("pages", span)
    [path] = tmp_path.glob("*.gz")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(SettingsError, match=r"pages-20251007\.json\.gz is damaged .*: remove it"):
        folder.find("pages", span)


@pytest.mark.parametrize(
    "group, rows, words",
    [
        ("pages", {"incidents": 5}, "incidents: input should be a valid list"),
        ("pages", {"incidents": ["x"]}, "incidents.0: input should be"),
        ("pages", {"alarms": []}, "alarms"),
        ("rotas", {"PS1": []}, "PS1: input should be"),
        ("rotas", {"PS1": "x"}, "PS1: input should be"),
    ],
)
def test_a_file_of_another_shape_is_said_by_whoever_made_its_checksum(tmp_path, group, rows, words):
    folder, span = HistoryFolder(tmp_path, "acme"), (NOW, NOW + timedelta(days=7))
    folder.save(group, span, rows)
    with pytest.raises(SettingsError, match=rf"{group}-20251007\.json\.gz is damaged \({words}.*: remove it"):
        folder.find(group, span)


@pytest.mark.parametrize("since, until", [(-7, 0), (1, 7), (0, 29), (0, 0), (0, 999)])
def test_a_file_of_another_time_than_its_name_says_is_not_taken(tmp_path, since, until):
    folder = HistoryFolder(tmp_path, "acme")
    folder.save("pages", (NOW + timedelta(days=since), NOW + timedelta(days=until)), {"incidents": []})
    [path] = tmp_path.glob("*.gz")
    path.rename(path.with_name("pages-20251007.json.gz"))
    with pytest.raises(SettingsError, match="not what it was when it was made"):
        folder.find("pages", (NOW, NOW + timedelta(days=7)))


# --- how it is read ---


def read_history(source, days=30):
    reader = HistoryReader(source.client.transport)
    return reader.read(Window(NOW - timedelta(days=days), NOW)), reader.unread


def test_more_than_a_list_shows_is_read_in_halves(serve_source, monkeypatch):
    source = serve_source(cut_down(build_company(NOW), CHOSEN), history={"until": NOW.isoformat(), "days": 30})
    whole, _ = read_history(source)
    monkeypatch.setattr(lists, "CAP", 200)
    monkeypatch.setattr(pagerduty_wire, "REACHABLE", 200)
    parts, unread = read_history(source)
    assert unread == {}
    assert len(whole.rows["log_entries"]) > 400
    for kind, rows in whole.rows.items():
        assert sorted(row["id"] for row in parts.rows[kind]) == sorted(row["id"] for row in rows), kind


def test_what_a_key_may_not_read_is_said_and_asked_once(serve_source):
    source = serve_source(cut_down(build_company(NOW)), history={"until": NOW.isoformat(), "days": 14})
    source.play({"path": "/notifications", "kind": "403"})
    reader = HistoryReader(source.client.transport)
    for back in (14, 7):
        window = reader.read(Window(NOW - timedelta(days=back), NOW - timedelta(days=back - 7)))
        assert window.rows.keys() == {"incidents", "log_entries"}
    assert "users:notifications.read" in reader.unread["notifications"]
    assert "told from the log" in reader.unread["notifications"]
    assert source.log["faults"] == {"403": 1}


def test_a_log_that_may_not_be_read_ends_the_replay(company, tmp_path):
    job, _ = company
    shutil.move(job.workspace.folder / "history", tmp_path / "history")
    pagerduty = job._servers[0].app
    replace_faults(pagerduty, [{"path": "/log_entries", "kind": "402"}])
    try:
        with pytest.raises(
            IncompleteFetchError, match=r"Nothing can be replayed: .*The account's plan has no log of incidents"
        ):
            replay(job)
    finally:
        replace_faults(pagerduty, [])
        shutil.rmtree(job.workspace.folder / "history")
        shutil.move(tmp_path / "history", job.workspace.folder / "history")


# --- faults, planted in what was read of Harness ---


def change(kind, identifier, edit):
    """The state with one object edited."""

    def apply(state):
        there = getattr(state, kind)
        return state.model_copy(update={kind: {**there, identifier: edit(there[identifier])}})

    return apply


def edit_rotation(**changes):
    def edit(schedule):
        first, *others = schedule.rotations
        made = {name: value(getattr(first, name)) for name, value in changes.items()}
        return schedule.model_copy(update={"rotations": (first.model_copy(update=made), *others)})

    return edit


def edit_level(number, **changes):
    def edit(policy):
        levels = list(policy.levels)
        made = {name: value(getattr(levels[number], name)) for name, value in changes.items()}
        levels[number] = levels[number].model_copy(update=made)
        return policy.model_copy(update={"levels": tuple(levels)})

    return edit


def edit_levels(change):
    return lambda policy: policy.model_copy(update={"levels": change(policy.levels)})


STRANGER = "somebody.else@acme.example"
ROTATIONS = {
    "turned round": edit_rotation(participants=lambda who: who[::-1]),
    "somebody else in it": edit_rotation(participants=lambda who: (STRANGER, *who[1:])),
    "one place empty": edit_rotation(participants=lambda who: (None, *who[1:])),
    "begun a day later": edit_rotation(anchor=lambda at: at + timedelta(days=1)),
    "turns twice as long": edit_rotation(turn_seconds=lambda turn: 2 * turn),
    "begins in ten days": edit_rotation(since=lambda _: NOW + timedelta(days=10)),
    "another zone": lambda one: one.model_copy(update={"time_zone": "Asia/Tokyo"}),
    "no rotation": lambda one: one.model_copy(update={"rotations": ()}),
}
LEVELS = {
    "the first one dropped": edit_levels(lambda levels: levels[1:]),
    "turned round": edit_levels(lambda levels: levels[::-1]),
    "one added": edit_levels(lambda levels: (levels[0].model_copy(update={"targets": (LevelTarget(type="user", id=STRANGER),)}), *levels)),
    "a minute longer": edit_level(0, timeout_minutes=lambda minutes: minutes + 1),
    "one retry": edit_level(0, retries=lambda number: number + 1),
    "somebody besides": edit_level(0, targets=lambda those: (*those, LevelTarget(type="user", id=STRANGER))),
    "somebody else": edit_level(0, targets=lambda _: (LevelTarget(type="user", id=STRANGER),)),
}  # fmt: skip


def list_faults(found):
    """(what, state with it, the PagerDuty ids of the services that hang on it)."""
    account = found.draft.account
    for name, edit in ROTATIONS.items():
        for id in ("PSCHED02", "PSCHED06"):
            policies = {
                p.id for p in account.policies.values() for r in p.escalation_rules for t in r.targets if t.id == id
            }
            identifier = found.draft.identifier_of("schedules", id)
            yield f"schedule {id} {name}", change("schedules", identifier, edit), policies
    for name, edit in LEVELS.items():
        policy = change("policies", found.draft.identifier_of("escalation_policies", "PPOL01"), edit)
        yield f"policy {name}", policy, {"PPOL01"}
    for rule in found.draft.state.alert_rules.values():
        if rule.service.startswith(("checkout", "cart")):
            off = change("alert_rules", rule.identifier, lambda one: one.model_copy(update={"paging": False}))
            [id] = [id for id in account.services if found.draft.identifier_of("services", id) == rule.service]
            yield f"alert rule of {id} switched off", off, {account.services[id].escalation_policy.id}


def test_each_planted_fault_changes_a_page_and_is_named(company):
    _, found = company
    services, caught, missed = found.draft.account.services, [], []
    for what, plant, policies in list_faults(found):
        state = plant(found.draft.state)
        assert state != found.draft.state, what
        played = replay_pages(replace(found.draft, state=state), found.happened)
        (caught if played.unexplained else missed).append(what)
        hung = {id for id, one in services.items() if one.escalation_policy.id in policies}
        assert {page.service for page in played.unexplained} <= hung, what
        assert all(page.parting for page in played.unexplained)
        counts = played.count()
        assert counts["not_comparable"] == found.replayed.count()["not_comparable"], (
            "what Harness holds makes no page less comparable"
        )
        if played.unexplained:
            error = replace(found, replayed=played).error
            assert services[played.unexplained[0].service].name in str(error)
            assert error.exit_code == 5
    assert not missed
    assert len(caught) >= 20


# --- the page and the command ---


def spoil(found, kind, identifier, edit):
    """What would have been found, had somebody changed that in Harness."""
    state = change(kind, identifier, edit)(found.draft.state)
    return replace(found, replayed=replay_pages(replace(found.draft, state=state), found.happened))


def test_the_page_tells_a_stakeholder_how_many_and_which(company):
    _, found = company
    identifier = found.draft.identifier_of("schedules", "PSCHED06")
    spoiled = spoil(found, "schedules", identifier, ROTATIONS["no rotation"])
    page, counts = make_page(spoiled), spoiled.replayed.count()
    assert page.lead.startswith(
        f"Of {sum(counts.values())} pages of the last 90 days, {counts['same']} would have reached the same people"
    )
    assert "nobody has decided it" in page.lead
    sections = {section.title: section for section in page.sections}
    telling = spoiled.replayed.choose_telling()
    assert sections["The most telling pages"].drawing.count("<figure") == len(telling) <= 10
    assert {page.service for page in telling} == {page.service for page in spoiled.replayed.otherwise}
    assert len({(page.service, page.then, page.now) for page in telling}) == len(telling), "none tells what another did"
    assert len(sections["Would go otherwise"].table.rows) == counts["otherwise"]
    assert len(sections["Not comparable"].table.rows) == counts["not_comparable"]
    assert sum(row[1] for row in sections["Service by service"].table.rows) == sum(counts.values())
    noise = sections["Noise and use"].table.rows
    assert len(noise) == len(CHOSEN)
    assert [row[1] for row in noise] == sorted((row[1] for row in noise), reverse=True)
    nights = sections["Nights"].table
    assert any("push" in " ".join(row[3]) for row in nights.rows), "by which channel PagerDuty told them"
    assert [row[1] for row in nights.rows] == sorted((row[1] for row in nights.rows), reverse=True)
    assert sum(row[1] + row[4] for row in noise) == len(found.happened.incidents)


def test_the_page_calls_people_by_their_names_and_published_it_has_no_address(company, tmp_path):
    """Also where others were on call that day, where both sides part, and in the tables; a stranger's email is masked."""
    _, found = company
    policy = found.draft.identifier_of("escalation_policies", "PPOL01")
    spoiled = spoil(found, "policies", policy, LEVELS["somebody else"])
    run = tmp_path / "run"
    page = write_page(make_page(spoiled), run, [("index.html", "Run"), ("replay.html", "Replay")]).read_text()
    emails = {user.email for user in found.draft.account.users.values() if user.email}
    assert found.replayed.count()["not_comparable"]
    assert not [email for email in emails if email in page]
    assert STRANGER in page
    published = publish(run, tmp_path / "outbox", (), mask=True)
    assert {path.name for path in published} >= {"replay.html", "replay-04-would-go-otherwise.csv"}
    for path in published:
        assert not [email for email in {*emails, STRANGER} if email in path.read_text()], path
    menu = (tmp_path / "outbox" / "replay.html").read_text().partition("<main")[0]
    assert 'href="replay.html"' in menu
    assert "index.html" not in menu, "what is not published is not linked"


def test_the_figures_stand_in_the_summary_and_on_the_index(company):
    job, found = company
    finish(job, found)
    summary = json.loads((job.folder / "summary.json").read_text())
    assert summary["replay"]["pages"] == found.replayed.count()
    assert summary["exit_code"] == 0
    assert "replay" not in summary["steps"], "which are six"
    index = (job.folder / "index.html").read_text()
    assert '<a href="replay.html">Replay of what happened</a>' in index
    assert describe_replay(found) in index
    spoiled = spoil(found, "schedules", found.draft.identifier_of("schedules", "PSCHED06"), ROTATIONS["no rotation"])
    with pytest.raises(UnexplainedDifferenceError):
        finish(job, spoiled)
    assert json.loads((job.folder / "summary.json").read_text())["exit_code"] == 5
    rows = read_trend(job.workspace, job.settings, job.clock(), job.read_subdomain()).list_rows("replay")[-2:]
    assert [row.measured.count("pages", "otherwise") for row in rows] == [
        0,
        spoiled.replayed.count()["otherwise"],
    ]
    assert [row.measured.exit_code for row in rows] == [0, 5]
    finish(job, found)


def test_the_command_says_how_many(company, tmp_path, capsys):
    job, _ = company
    shutil.copytree(job.workspace.folder, tmp_path / "acme", ignore=shutil.ignore_patterns("reports"))
    assert main(["replay", str(tmp_path / "acme"), "--days", "7"]) == 0
    said = capsys.readouterr().out
    assert "of the last 7 days" in said
    assert (tmp_path / "acme" / "reports" / "replay" / "replay.html").is_file()
