"""Who is who: by email, by a file, by a renamed domain; who is nobody; who is somebody else already."""

from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from small_company import make_corner, place_corner

from pdmigrate import conflicts, decide, invite, load, open_job, preview, verify
from pdmigrate.errors import SettingsError, UsageError
from pdmigrate.mapping.people import is_address, name_class
from pdmigrate.mapping.scope import list_people
from pdmigrate.oncall.rota import Rota
from pdmigrate.pagerduty.records import User
from pdmigrate.pages.preview import section_countries
from pdmigrate.plan.answers import Decision
from pdmigrate.sandbox.store import Store
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.cells import read_people_file
from pdmigrate.workspace.decisions import save_answers
from pdmigrate.workspace.folder import Workspace, write_text
from pdmigrate.workspace.settings import make_workspace

CHOSEN = ("PSERV01", "PSERV10", "PSERV22", "PSERV25")
"""Platform, Checkout, Data and the store's mailbox."""


@pytest.fixture
def folder(tmp_path):
    """A part of the company, everything decided as in the demo."""
    return make_corner(tmp_path / "acme", CHOSEN)


def set_rules(folder, old, new):
    path = Workspace(folder).settings_file
    assert old in path.read_text()
    write_text(path, path.read_text().replace(old, new))


def change_users(folder, change):
    """Let the company's people differ, before the first preview."""
    with Store(Workspace(folder).sandbox / "pagerduty.json", dict).change() as account:
        change({user["name"]: user for user in account["users"]})


def match(folder, **clock):
    with open_job(folder, **clock) as job:
        preview(job)
        return {person.name: person for person in invite(job).matched}


def accept(job, *emails):
    requests.post(f"{job.target.transport.base_url}/sandbox/accept", json={"emails": list(emails)}, timeout=600)


def test_a_file_says_who_is_who(folder):
    (folder / "people.csv").write_text(
        "pagerduty_email, harness_email\nHANA.SATO@acme.example, quinn.harper@acme.example\n"
    )
    set_rules(folder, "people_file:", "people_file: people.csv")
    found = match(folder)
    assert (found["Hana Sato"].harness_email, found["Hana Sato"].state) == (
        "quinn.harper@acme.example",
        "mapped by hand",
    )


@pytest.mark.parametrize(
    "text, said",
    [
        ("a,b\n", "first line must be"),
        ("pagerduty_email,harness_email\nann,b@e.com\n", "line 2: 'ann' is no email"),
        ("pagerduty_email,harness_email\na@e.com,b@e.com\na@e.com,c@e.com\n", "line 3: a@e.com stands there twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_by_its_line(tmp_path, text, said):
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_people_file(tmp_path / "people.csv")


def test_a_renamed_domain_finds_people_and_invites_the_others_there(folder):
    def move(users):
        for name in ("Lin Zhao", "Hana Sato"):
            users[name]["email"] = users[name]["email"].replace("acme.example", "acme-old.example")

    change_users(folder, move)
    set_rules(folder, "renamed_domains: {}", "renamed_domains: {acme-old.example: acme.example}")
    found = match(folder)
    assert (found["Lin Zhao"].harness_email, found["Lin Zhao"].state) == ("lin.zhao@acme.example", "mapped by hand")
    assert (found["Hana Sato"].harness_email, found["Hana Sato"].state) == ("hana.sato@acme.example", "to invite")


@pytest.mark.parametrize(
    "name, email, kind",
    [
        ("Ann Lee", "ann.lee@e.com", "person"),
        ("Sam Ops", "sam.opsahl@e.com", "person"),
        ("Store Operations (shared mailbox)", "store-ops@e.com", "shared"),
        ("NOC", "noc@e.com", "shared"),
        ("Nobody", "nobody@e.com", "nobody"),
        ("Do Not Page", "x@e.com", "nobody"),
    ],
)
def test_mailboxes_and_nobodies_are_recognised(name, email, kind):
    assert name_class(User(id="P", name=name, email=email)) == kind


def test_a_shared_mailbox_is_a_question_of_its_own(tmp_path):
    make_workspace(tmp_path / "acme", {"name": "acme"})
    with open_job(place_corner(tmp_path / "acme", CHOSEN)) as job:
        preview(job)
        asked = {c.name: c for c in conflicts(job).draft.open.values() if c.kind == "users"}
    assert asked["Store Operations (shared mailbox)"].about == "shared_mailbox"
    assert asked["Hana Sato"].about == "user_not_found"


def test_a_bad_address_is_found_before_the_call(folder):
    change_users(folder, lambda users: users["Hana Sato"].update(email="hana sato@acme.example"))
    assert not is_address("hana sato@acme.example")
    with open_job(folder) as job:
        preview(job)
        decided = conflicts(job)
    question = next(c for c in decided.draft.open.values() if c.name == "Hana Sato")
    assert (question.about, [o.name for o in question.options]) == ("bad_address", ["map", "leave_out"])


def test_two_users_on_one_harness_person_are_a_question_however_they_came_there(folder):
    with open_job(folder) as job:
        preview(job)
        ids = {user.name: user.id for user in job.latest_account().users.values()}
        decide(job, "user_not_found", ids["Hana Sato"], "map", "Lin.Zhao@acme.example", by="test")
        asked = [c.name for c in conflicts(job).draft.open.values() if c.about == "user_found_twice"]
        assert asked == ["Hana Sato"]
        decide(job, "user_found_twice", "all", "same_person", by="test")
        decided = conflicts(job)
    both = [a for a in decided.plan.actions if a.kind == "users" and a.identifier == "lin.zhao@acme.example"]
    assert [set(action.sources) for action in both] == [{ids["Lin Zhao"], ids["Hana Sato"]}]
    counts = decided.draft.count_kinds()["users"]
    assert sum(counts.values()) == 2 * counts["in_source"]


def test_two_users_of_one_address_get_one_mail(folder):
    change_users(folder, lambda users: users["Noam Adler"].update(email="Hana.Sato@acme.example"))
    with open_job(folder) as job:
        preview(job)
        decide(job, "user_found_twice", "all", "same_person", by="test")
        conflicts(job)
        load(job, "all")
        log = requests.get(f"{job.target.transport.base_url}/sandbox/log", timeout=600).json()
    assert log["mails"]["hana.sato@acme.example"] == 1


def test_somebody_mapped_onto_nobody_stays_a_question(folder):
    with open_job(folder) as job:
        preview(job)
        ids = {user.name: user.id for user in job.latest_account().users.values()}
        with pytest.raises(UsageError, match=r"stranger@acme.example is nobody in the Harness project"):
            decide(job, "user_not_found", ids["Hana Sato"], "map", "stranger@acme.example", by="test")
        written = {"conflict": "user_not_found", "object": ids["Hana Sato"], "choice": "map", "by": "test"}
        save_answers(job.workspace.decisions_file, Decision(**written, value="stranger@acme.example"))
        assert [c.name for c in conflicts(job).draft.open.values() if c.kind == "users"] == ["Hana Sato"]


def test_states_are_followed_over_runs_and_the_next_on_call_comes_first(folder):
    first = match(folder)
    assert first["Hana Sato"].state == "to invite"
    with open_job(folder) as job:
        conflicts(job)
        load(job, "all")
        accept(job, "hana.sato@acme.example")
    later = match(folder, clock=lambda: read_clock() + timedelta(days=8))
    assert later["Hana Sato"].state == "accepted"
    assert (later["Noam Adler"].state, later["Noam Adler"].days) == ("pending", 8)
    assert later["Noam Adler"].link_is_dead
    waiting = [p.next_turn for p in later.values() if p.state == "pending" and p.next_turn]
    assert waiting == sorted(waiting)
    assert next(iter(later.values())).state == "pending"


def test_a_nobody_whose_places_stay_empty_is_explained_after_the_load(folder):
    change_users(folder, lambda users: users["Hana Sato"].update(name="Nobody (night)"))
    with open_job(folder) as job:
        preview(job)
        decide(job, "nobody_user", "all", "empty_place", by="test")
        nobody = next(u for u in job.latest_account().users.values() if u.name == "Nobody (night)")
        decided = conflicts(job)
        readiness = {s.id for s in decided.draft.account.schedules.values() if nobody.id in list_ids(s)}
        load(job, "all")
        verified = verify(job)
    written = {a.key: a.after["rotations"] for a in decided.plan.actions if a.kind == "schedules"}
    assert readiness & written.keys()
    assert all(any(None in rotation["participants"] for rotation in written[id]) for id in readiness & written.keys())
    reasons = {s.reason for s in verified.schedules if s.id in readiness & written.keys()}
    assert len(reasons) == 1
    assert "the turns of Nobody (night) stay empty, by decision of test (nobody_user:" in reasons.pop()
    assert not verified.unexplained
    assert nobody.id not in {row.email for row in verified.unreachable}
    seen = next(s for s in verified.schedules if s.id in readiness & written.keys())
    silent = replace(seen.compared, after=Rota())
    assert silent.unexplained, "an empty place explains nobody else's absence"
    assert not [who for _, _, before, _ in silent.unexplained for who in before if before == {nobody.id}]


def list_ids(schedule):
    return {person.id for person in list_people(schedule)}


def test_countries_that_harness_does_not_serve_stand_on_the_preview_page(folder):
    with open_job(folder) as job:
        section = section_countries(preview(job))
    assert "takes weeks" in section.text
    assert {"+49", "+61", "+81"} <= {word for row in section.table.rows for word in map(str, row)}
