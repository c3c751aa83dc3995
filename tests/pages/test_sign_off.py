"""A go stands for its plan only, and against something open with a reason only; a no-go stands."""

from dataclasses import replace

from pdmigrate import conflicts, load, verify
from pdmigrate.pages.readiness import read_readiness
from pdmigrate.pages.teams import make_page
from pdmigrate.plan.answers import Decisions, SignOff


def test_what_a_go_stands_for(small):
    conflicts(small)
    load(small, "all")
    ready = read_readiness(small, verify(small))
    team = next(team for team in ready.teams if team.troubles)

    def say(**said):
        answer = SignOff(team=team.id, by="ann", **said)
        told = replace(ready, decisions=Decisions(sign_offs=(answer,)))
        return (told.sign_off(team.id) or told.lapsed(team.id)), make_page(told, team).status

    known = {"plan": ready.plan_digest}
    assert say(choice="go", **known) == ("go, without a reason",) * 2
    assert say(choice="go", plan="f" * 64, why="we know") == ("go, for another plan",) * 2
    assert say(choice="go", why="we know") == ("go, for another plan",) * 2
    assert say(choice="go", why="we know", **known)[1] == "go"
    assert say(choice="no_go")[1] == "no-go"
