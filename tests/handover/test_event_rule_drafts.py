"""Event rules of PagerDuty as drafts for a person: a file for each service, and a line of the checklist that names it."""

import pytest
import yaml
from jsonschema import Draft202012Validator
from small_company import cut_down

from pdmigrate import approve, conflicts, finish, load, preview
from pdmigrate.handover.objects import SCHEMA
from pdmigrate.handover.ticks import read_items
from pdmigrate.sandbox.company import build_company
from pdmigrate.steps.job import read_clock
from pdmigrate.workspace.folder import write_json


@pytest.fixture
def handed(job):
    """A corner's job after a load whose handover was written; orchestrations of services are read too."""
    whole = build_company(read_clock())
    rules = {kind: whole[kind] for kind in ("event_orchestrations", "rulesets", "paths_of_services")}
    write_json(job.workspace.sandbox / "pagerduty.json", cut_down(whole, ("PSERV05", "PSERV10")) | rules)
    source = job.settings.source.model_copy(update={"service_orchestrations": True})
    job.settings = job.settings.model_copy(update={"source": source})
    preview(job)
    decided = conflicts(job)
    finish(job, decided)
    approve(job, decided.plan.digest, by="pytest")
    finish(job, load(job))
    return job


def test_each_service_with_event_rules_has_its_file_and_its_line(handed):
    items = read_items(handed.workspace)
    mine = {item.key: item for item in items if item.kind == "event_rules"}
    assert set(mine) == {"event_rules:PSERV05", "event_rules:PSERV10", "event_rules:any"}
    card, rest = mine["event_rules:PSERV05"], mine["event_rules:any"]
    assert "2 keep quiet what would page: When summary contains 'invoice'" in card.expected
    document = yaml.safe_load((handed.folder / "handover" / card.file).read_text())
    Draft202012Validator(SCHEMA).validate(document)
    assert document["rules"][0]["in_words"] == "When event.source matches 'card': goes to the service Card payments."
    assert [rule["pages_nobody"] for rule in document["rules"]] == [False, True, True, False]
    assert "event.summary matches 'nightly'" in (handed.folder / "handover" / rest.file).read_text()
