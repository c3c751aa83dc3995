"""The first preview: what waits for an answer is not lost, what was not rendered is computed, no token is shown."""

from dataclasses import replace

import pytest

from pdmigrate import open_job, preview
from pdmigrate.pages import make_page
from pdmigrate.pages.on_call import section_on_call
from pdmigrate.pages.people import know_people
from pdmigrate.pages.preview import section_people
from pdmigrate.pages.words import section_counts, section_outcomes, tell_apart
from pdmigrate.workspace.settings import make_workspace


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The embedded company before anybody has answered anything."""
    folder = tmp_path_factory.mktemp("first") / "acme"
    make_workspace(folder, {"name": "acme"})
    with open_job(folder) as job:
        return preview(job)


def read_counts(draft):
    table = section_counts(draft, listed=True).table
    assert table.columns[4:] == ("To do by hand", "Waits for your answer", "Not carried over")
    return {row[0]: row[1:] for row in table.rows}


def test_what_waits_for_an_answer_is_a_column_and_not_lost(first):
    counts = read_counts(first.draft)
    assert all(row[0] == sum(row[1:]) for row in counts.values())
    assert counts["Services"] == (25, 0, 0, 0, 25, 0)
    assert counts["Users"][4:] == (28, 0)
    waiting = sum(first.draft.count_waiting().values())
    assert waiting == sum(row[4] for row in counts.values()) > 0
    assert f"and with them {waiting} objects" in make_page(first).lead
    tags = {
        str(row[3]) for row in section_outcomes(first.draft).table.rows if row[0] in ("Services", "Users", "Schedules")
    }
    assert tags == {"waits for your answer"}


def test_what_no_answer_moves_is_still_not_carried_over(first):
    """A rule for low urgency: no question is about it."""
    assert read_counts(first.draft)["Notification rules"][5] == 13


def test_a_push_token_stands_on_no_page(first):
    users = first.draft.account.users.values()
    tokens = [m.address for u in users for m in u.contact_methods if m.type.startswith("push") and m.address]
    assert len(tokens) > 10
    page = section_people(first).table.html()
    assert "the app, by push" in page
    assert not [token for token in tokens if token in page]


def hide_rendering(draft, id, **changes):
    account = draft.account
    bare = account.schedules[id].model_copy(update={"final_schedule": None, **changes})
    return replace(draft, account=replace(account, schedules={**account.schedules, id: bare}))


def list_lanes(section):
    lane = section.drawing.split('class="tl-body"')[0]
    return [part.split("</title>")[0] for part in lane.split('<g class="tl-lane"><title>')[1:]]


def test_what_was_not_rendered_is_computed_and_marked_so(first):
    whole = section_on_call(first.draft)
    id = next(s.id for s in first.draft.account.schedules.values() if s.name == "Catalog primary")
    computed = section_on_call(hide_rendering(first.draft, id))
    assert "computed" not in whole.text
    assert "PagerDuty gave no rendering of 1 schedule: computed from the layers" in computed.text
    assert "\u2068Catalog primary, computed\u2069" in list_lanes(computed)
    assert computed.drawing.count('class="tl-bar"') == whole.drawing.count('class="tl-bar"')


def test_what_cannot_be_computed_is_said_and_not_drawn_as_a_gap(first):
    id = next(s.id for s in first.draft.account.schedules.values() if s.name == "Catalog primary")
    unknown = hide_rendering(first.draft, id, time_zone="Middle/Earth")
    unknown = replace(unknown, mapped=replace(unknown.mapped, zones={}))
    section = section_on_call(unknown)
    assert "Nobody knows who is on call in 1 schedule" in section.text
    assert "\u2068Catalog primary, cannot be computed\u2069" in list_lanes(section)


def test_what_has_the_same_name_is_told_apart_and_nothing_else_is(first):
    schedules = first.draft.account.schedules.values()
    names = tell_apart(schedules)
    twice = [names[s.id] for s in schedules if s.name == "On-call"]
    assert len(twice) == len(set(twice)) == 2
    assert all(s.name == names[s.id] for s in schedules if s.name != "On-call")
    assert len(set(names.values())) == len(names)


def test_a_person_is_the_same_by_id_and_by_the_email_that_is_paged(first):
    people, users = know_people(first.draft), first.draft.account.users
    emails = {id: email for id, email in first.draft.mapped.emails.items() if id in users}
    assert emails
    assert all((people.names[id], people.looks[id]) == (people.names[e], people.looks[e]) for id, e in emails.items())
    assert len({people.looks[id] for id in users}) == len(users)
