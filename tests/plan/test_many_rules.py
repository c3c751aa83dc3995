"""Accounts of thousands of services: what belongs to each is found without a look at what belongs to all the others."""

from test_handmade import SECOND, fields_of, service_state
from test_plan_three_way import make_wish

from pdmigrate.harness.records import AlertRule, Service, State
from pdmigrate.plan.answers import Decisions
from pdmigrate.plan.handmade import find_other_rules, group_rules
from pdmigrate.plan.planning import plan_actions
from pdmigrate.plan.questions import Questions

LOGGED = SECOND.model_copy(update={"identifier": "logged", "paging": False})
ELSEWHERE = SECOND.model_copy(update={"identifier": "else", "service": "other"})


class Counted(dict):
    """Counts how often somebody walks through all of it."""

    walks = 0

    def values(self):
        self.walks += 1
        return super().values()


def test_only_rules_that_page_for_the_service_beside_its_own_are_others():
    wish = make_wish("services", "P1", "k", "K", fields_of("services"), ("P1",))
    state = service_state(SECOND, LOGGED, ELSEWHERE)
    assert [rule.identifier for rule in find_other_rules(wish, group_rules(state))] == ["night"]
    policy = make_wish("escalation_policies", "P1", "k", "K", {}, ("P1",))
    assert find_other_rules(policy, group_rules(state)) == []


def test_the_rules_are_walked_through_once_for_all_services():
    rules = Counted({f"k{n}": AlertRule(identifier=f"k{n}", name="k", service=f"k{n}", paging=True) for n in range(50)})
    services = {name: Service(identifier=name, **fields_of("services")) for name in rules}
    state = State(oncall=True, services=services).model_copy(update={"alert_rules": rules})
    wishes = [make_wish("services", f"P{n}", f"k{n}", "K", fields_of("services"), (f"P{n}",)) for n in range(50)]
    planned = plan_actions(wishes, [], state, {}, "preserve", Questions(Decisions(), "stop"))
    assert len(planned.actions) == 50
    assert rules.walks == 1
