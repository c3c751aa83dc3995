"""Keys and plans: what a key opens, what it may not read, and what that means; lists that are not whole."""

from pathlib import Path

import pytest
from source_http import NOW, company

from pdmigrate.errors import AnswerError, IncompleteFetchError, KeyRefusedError
from pdmigrate.pagerduty.access import PROBED, ask_access
from pdmigrate.pagerduty.client import USERS, make_client
from pdmigrate.pagerduty.lists import ListReader
from pdmigrate.pagerduty.needs import MAY_BE_ABSENT, MAY_BE_FORBIDDEN, NEEDS, PLANS, describe_need, describe_refusal


def play(source, kind, path, **more):
    source.play({"kind": kind, "path": path, **more})


# --- keys ---


@pytest.mark.parametrize("kind", ["402", "403", "404"])
def test_abilities_that_are_refused_are_no_end(serve_source, kind):
    source = serve_source(company())
    play(source, kind, "/abilities")
    access = source.check()
    assert access.abilities == ()
    assert access.abilities_unread.startswith(f"PagerDuty refused GET /abilities: {kind}")
    assert all(one.allowed for one in access.readable)


def test_an_oauth_token_opens_the_account_and_is_never_shown(serve_source):
    source = serve_source(company())
    token = source.server.app.config["TOKEN"]
    client = make_client(source.server.url, "us", f"Bearer {token}")
    assert client.check_account("acme", NOW).subdomain == "acme"
    assert client.transport._redact(f"no {token}!") == "no …!"


def test_the_region_is_named_only_where_a_region_was_asked(serve_source):
    source = serve_source(company())
    client = make_client(source.server.url, "eu", "another")
    with pytest.raises(KeyRefusedError, match="refuses the key") as caught:
        client.check_account("acme", NOW)
    assert "region" not in str(caught.value)
    with pytest.raises(KeyRefusedError, match=r"if that is yours, set source\.region to eu"):
        ask_access(client.transport, "acme", "us", NOW)
    assert (make_client(None, "eu", "x").region, client.region) == ("eu", "")


# --- what a key may not read ---


def test_every_resource_that_is_read_has_its_need():
    assert NEEDS.keys() >= {*PROBED, *PLANS, *MAY_BE_ABSENT, *MAY_BE_FORBIDDEN, "abilities", "oncalls"}
    for kind in NEEDS:
        assert "administrator" in describe_need(kind)
        assert describe_refusal(kind, 403).startswith(f"Without it {NEEDS[kind].without}")


@pytest.mark.parametrize("kind", ["402", "403"])
def test_without_teams_the_account_is_read_and_its_old_teams_are_named(serve_source, kind):
    source = serve_source(company())
    play(source, kind, "/teams")
    account = source.fetch().account
    assert (account.teams, account.hidden) == ({}, ())
    assert account.unread["teams"].startswith({"402": "absent: ", "403": "forbidden: "}[kind])
    named = {one.id for one in account.remarks if one.kind == "teams"}
    assert named == {team.id for policy in account.policies.values() for team in policy.teams} | {
        team.id for user in account.users.values() for team in user.teams
    } | {team.id for service in account.services.values() for team in service.teams} | {
        team.id for schedule in account.all_schedules.values() for team in schedule.teams
    }
    assert all("still named by the" in one.message for one in account.remarks if one.kind == "teams")


def test_another_refusal_of_teams_is_an_error(serve_source):
    source = serve_source(company())
    play(source, "404", "/teams")
    with pytest.raises(AnswerError, match="404"):
        source.fetch()


def test_connect_says_what_each_refusal_means(serve_source):
    source = serve_source(company())
    source.play({"kind": "402", "path": "/teams"}, {"kind": "403", "path": "/services"}, {"kind": "404", "path": "/v3"})
    readable = {one.kind: one for one in source.check().readable}
    assert {kind: (one.allowed, one.absent) for kind, one in readable.items() if not one.allowed} == {
        "teams": (False, True),
        "services": (False, False),
        "schedules_v3": (False, True),
    }
    assert readable["teams"].meaning.startswith("The account's plan has no teams: no groups are made")
    assert readable["services"].meaning.endswith("or an OAuth token with services.read.")
    assert readable["users"].meaning == ""


# --- whole, or an error ---


@pytest.mark.parametrize(
    "kind, words",
    [
        ("counts_more", r"it counts \d+ and gives \d+"),
        ("half", r"it counts \d+ and gives \d+"),
        ("totals_less", r"it counts \d+ and gives \d+"),
        ("more_of_nothing", "says that more come after 0 rows, and gives none"),
        ("row_twice", r"1 of \d+ rows came twice"),
        ("without_rows", "holds no users"),
    ],
)
def test_a_small_list_that_is_not_whole_is_an_error_with_its_reason(serve_source, kind, words):
    source = serve_source(company())
    play(source, kind, "/users")
    with pytest.raises(IncompleteFetchError, match=rf"/users.*{words}"):
        ListReader(source.client.transport).read(USERS)


def test_a_list_that_is_whole_the_second_time_is_taken(serve_source):
    source = serve_source(company())
    play(source, "half", "/users", count=1)
    rows = ListReader(source.client.transport).read(USERS)
    assert len(rows) == len(source.document["users"])


def test_a_team_that_is_removed_while_the_account_is_read_is_left_out(serve_source):
    """The list of teams is asked again: it says whether the team is gone, or whether its members are hidden."""
    source = serve_source(company())
    document = source.document
    lonely = {"id": "PLONELY", "type": "team", "name": "Lonely"}
    document["teams"].append(lonely)
    routes = source.server.app.before_request_funcs[None]

    def remove():
        from flask import request

        if request.path == "/teams/PLONELY/members" and lonely in document["teams"]:
            document["teams"].remove(lonely)

    routes.append(remove)
    account = source.fetch().account
    assert "PLONELY" not in account.teams
    assert account.teams.keys() == {team["id"] for team in document["teams"]}
    assert "PLONELY" not in str(account.remarks)


def test_a_team_that_stays_listed_without_members_is_an_error(serve_source):
    source = serve_source(company())
    team = source.document["teams"][0]["id"]
    play(source, "404", f"/teams/{team}/members")
    with pytest.raises(
        IncompleteFetchError, match=f"team {team} was removed while the account was read: read it again"
    ):
        source.fetch()


def test_the_page_has_the_table_of_needs():
    text = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    written = text[text.index("<!-- needs -->") : text.index("<!-- end of needs -->")].splitlines()[3:]
    assert written == [
        f"| `{need.path}` | {', '.join(f'`{one}`' for one in need.scope.split()) or 'PagerDuty names none'} | {need.without} |"
        for need in NEEDS.values()
    ]
