"""Lists are whole or an error: cut when too long, read again when they move, never the first ten thousand as if all."""

from datetime import datetime, timedelta

import pytest
from crowd import Size, build_crowd
from small_company import cut_down
from source_http import NOW, company

from pdmigrate.errors import AnswerError, IncompleteFetchError
from pdmigrate.pagerduty.client import USERS
from pdmigrate.pagerduty.lists import ListCall, ListReader

ALL_KINDS = ("users", "teams", "schedules", "escalation_policies", "services")


def make_users(number, name="User {}", team=None):
    teams = [{"id": team, "type": "team_reference"}] if team else []
    return [
        {"id": f"P{team}x{n}", "type": "user", "name": name.format(n), "email": f"{n}@a.example", "teams": teams}
        for n in range(number)
    ]


def make_reader(source, teams=()):
    return ListReader(source.client.transport, lambda: teams)


def test_a_company_is_fetched_whole(serve_source):
    source = serve_source(company())
    snapshot = source.fetch()
    for kind in ALL_KINDS:
        assert {row["id"] for row in snapshot.rows[kind]} == {row["id"] for row in source.document[kind]}
    assert (snapshot.account.problems, snapshot.account.remarks, snapshot.account.unread) == ((), (), {})
    assert snapshot.requests == source.log["requests"]


def test_exactly_ten_thousand_are_a_list_and_one_more_is_cut_by_team(serve_source):
    teams = [f"T{n}" for n in range(60)]
    users = [user for team in teams for user in make_users(201, team=team)]
    fits = serve_source({"subdomain": "acme", "users": users[:10_000]})
    assert len(make_reader(fits).read(USERS)) == 10_000
    assert fits.log["requests"] == 100
    source = serve_source({"subdomain": "acme", "users": users})
    assert len(users) > 12_000
    assert {row["id"] for row in make_reader(source, teams).read(USERS)} == {user["id"] for user in users}
    assert source.log["answers"] == {"200": source.log["requests"]}


def test_who_is_in_no_team_is_found_by_name(serve_source):
    users = make_users(10_000, "Rhonda {}", team="T1") + make_users(30, "Zoë {}")
    source = serve_source({"subdomain": "acme", "users": users})
    assert len(make_reader(source, ["T1"]).read(USERS)) == 10_030


def test_what_cannot_be_cut_is_refused_and_nothing_is_taken(serve_source):
    source = serve_source(
        {"subdomain": "acme", "users": make_users(10_001, "Rhonda Zyx 0123456789 qwfpgjlubkvmhdtsneai co.{}")}
    )
    with pytest.raises(IncompleteFetchError, match="more than 10000 users"):
        make_reader(source).read(USERS)
    windows = [{"id": f"M{n}", "type": "maintenance_window", "description": "x"} for n in range(10_001)]
    source = serve_source({"subdomain": "acme", "maintenance_windows": windows})
    with pytest.raises(IncompleteFetchError, match="more than 10000 maintenance_windows"):
        make_reader(source).read(ListCall("maintenance_windows", "/maintenance_windows"))


@pytest.mark.parametrize("change", ["came", "went"])
def test_a_list_that_changes_while_it_is_read_is_read_again(serve_source, change):
    source = serve_source({"subdomain": "acme", "users": make_users(250)})
    _change_after(source, 2, change, times=1)
    rows = make_reader(source).read(USERS)
    assert {row["id"] for row in rows} == {user["id"] for user in source.document["users"]}
    assert source.log["requests"] == 6


def test_a_list_that_never_stands_still_is_an_error(serve_source):
    source = serve_source({"subdomain": "acme", "users": make_users(250)})
    _change_after(source, 2, "came", times=99)
    with pytest.raises(
        IncompleteFetchError,
        match=r"/users could not be read whole in 3 readings \(the count changed while it was read\)",
    ):
        make_reader(source).read(USERS)


def _change_after(source, request_number, change, times):
    """Somebody comes or goes before every so many-th request, `times` times."""
    seen = {"requests": 0, "changes": 0}

    def live_on():
        seen["requests"] += 1
        if seen["requests"] % 3 == request_number and seen["changes"] < times:
            seen["changes"] += 1
            newcomer = make_users(1, f"New {seen['changes']}", team=f"N{seen['changes']}")
            source.document["users"][:] = (
                newcomer + source.document["users"] if change == "came" else source.document["users"][1:]
            )

    source.server.app.before_request(live_on)


def test_what_is_forbidden_is_never_an_empty_list(serve_source):
    source = serve_source(company(), v3_forbidden=True, forbidden=["/teams/{id}/members", "/rulesets"])
    account = source.fetch().account
    assert set(account.unread) == {"schedules_v3", "team_members", "rulesets"}
    assert all(why.startswith("forbidden: PagerDuty refused GET") for why in account.unread.values())
    for kind in sorted({*ALL_KINDS} - {"teams"}):
        with pytest.raises(AnswerError, match=rf"403.*It takes .* OAuth token with {kind}\.read"):
            serve_source(cut_down(company()), forbidden=[f"/{kind}"]).fetch()


def test_a_schedule_that_no_list_has_shown_is_named(serve_source):
    assert serve_source(company()).fetch().account.hidden == ()
    account = serve_source(company(), v3_hidden=["PSHIFT01"]).fetch().account
    assert list(account.schedules_v3) == ["PSHIFT02"]
    [hidden] = account.hidden
    assert hidden.describe({"escalation_policies": {"PPOL15"}}) == (
        "the schedule Store systems shifts (PSHIFT01), named by the policy Store mailbox"
    )
    assert hidden.describe({"escalation_policies": {"PPOL01"}}) == "", "nothing in scope names it"


def test_the_peers_account_is_read_in_48_requests_and_in_64_over_six_zones(serve_source):
    for zones, budget in ((1, 48), (6, 64)):
        source = serve_source(build_crowd(Size(zones=zones), NOW))
        access = source.check()
        source.fetch(days=7, final_on_lists=access.final_on_lists)
        assert source.log["requests"] <= budget


def test_where_the_list_does_not_render_it_is_one_request_a_schedule_more(serve_source):
    size = Size(users=120, teams=4, schedules=110, policies=10, services=10)
    honest, silent = serve_source(build_crowd(size, NOW)), serve_source(build_crowd(size, NOW), final_on_lists=False)
    whole = [source.fetch(days=7, final_on_lists=source.check().final_on_lists) for source in (honest, silent)]
    assert whole[0].digest == whole[1].digest
    finals = [{id: s.final_schedule for id, s in each.account.schedules.items()} for each in whole]
    assert all(final.rendered_schedule_entries for final in finals[1].values())
    assert silent.log["requests"] <= honest.log["requests"] + 110
    without_connect = serve_source(build_crowd(size, NOW), final_on_lists=False)
    assert without_connect.fetch(days=7).digest == whole[0].digest


def test_a_window_that_the_list_does_not_render_is_asked_for_schedule_by_schedule(serve_source):
    """An answer without a rendering is no evidence that nobody is on call; a schedule that is gone shows nothing."""
    honest, silent = serve_source(company()), serve_source(company(), final_on_lists=False)
    ids = [*honest.fetch().account.all_schedules, "PGONE01"]
    shown = [source.client.read_renderings(NOW, NOW + timedelta(days=5), ids) for source in (honest, silent)]
    assert sorted(shown[0]) == sorted(shown[1]) == sorted(ids[:-1])
    entries = [{id: _list_turns(final) for id, final in each.items()} for each in shown]
    assert entries[0] == entries[1]
    assert any(entries[1].values())


def _list_turns(final):
    turns = final.get("rendered_schedule_entries") or []
    return [(datetime.fromisoformat(turn["start"]), turn["user"]["id"]) for turn in turns]
