"""The on-call contract in words, as an OpenAPI file and as it is served are one and the same."""

import json
import re
from pathlib import Path

import yaml
from openapi_schema_validator import OAS30Validator

from pdmigrate.sandbox.harness import create_app, new_document

DOCS = Path(__file__).parents[2] / "docs"
CONTRACT = yaml.safe_load((DOCS / "oncall-contract.yaml").read_text(encoding="utf-8"))
PAGE = (DOCS / "oncall-contract.md").read_text(encoding="utf-8")


def blank(path, holes):
    return re.sub(holes, "*", path)


def list_served():
    rules = [rule for rule in create_app(new_document()).url_map.iter_rules() if "pdmigrate-oncall" in rule.rule]
    pairs = [(method, rule) for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}]
    return {(method, blank(rule.rule.split("<project>")[1], "<[^>]*>")) for method, rule in pairs}


def test_every_documented_path_is_served_and_every_served_one_is_documented():
    pairs = [(method, path) for path, entry in CONTRACT["paths"].items() for method in entry if method != "parameters"]
    written = {(method.upper(), blank(path, "{[^}]*}")) for method, path in pairs}
    told = re.findall(r"`([A-Z /]+) (/[^`?]+)[^`]*`", PAGE)
    said = {(method, blank(path, "{[^}]*}")) for methods, path in told for method in methods.split(" / ")}
    assert list_served() == written == said


def test_the_examples_of_the_page_fit_their_schemas():
    examples = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    names = {"schedule": "Schedule", "policy": "Policy", "service": "Service", "alert_rule": "AlertRule"}
    names |= {"contact_details": "ContactDetails", "notification_rule": "NotificationRule"}
    assert examples.keys() == names.keys()
    for kind, example in examples.items():
        schema = {"$ref": f"#/components/schemas/{names[kind]}", "components": CONTRACT["components"]}
        OAS30Validator(schema).validate(example)
