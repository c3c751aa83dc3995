"""PagerDuty's own OpenAPI file as the judge: of every request that we send, and of every answer of the embedded one.

The file is not right everywhere: tests/pagerduty/openapi_deviations.yaml lists where it is known to be wrong, each with a
reason. What we keep of it are its GET paths, without their prose: tests/data/cut_openapi.py.
"""

import gzip
import json
import re
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import requests
import yaml
from flask import request
from openapi_schema_validator import OAS30ReadValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4
from source_http import DATA, NOW, Source, company

from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN

DEVIATIONS = yaml.safe_load((Path(__file__).parent / "openapi_deviations.yaml").read_text())
ROOT = "urn:pagerduty"


@cache
def read_file():
    file = json.loads(gzip.decompress((DATA / "pagerduty-openapi.json.gz").read_bytes()))
    schemas = file["components"]["schemas"]
    # Where it contradicts itself nothing could fit: every channel has several of the shapes of which it must have one, and
    # an acknowledgement's line must have two names at once. Its timeout may be null, as the words beside it say.
    del schemas["Channel"]["oneOf"]
    acknowledged = schemas["AcknowledgeLogEntry"]["allOf"][1]["properties"]
    acknowledged["type"]["enum"], acknowledged["acknowledgement_timeout"]["nullable"] = ["acknowledge_log_entry"], True
    return file


@cache
def make_registry():
    return Registry().with_resource(ROOT, Resource.from_contents(read_file(), default_specification=DRAFT4))


def resolve(node):
    """What a $ref stands for."""
    while "$ref" in node:
        target = read_file()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[int(part) if isinstance(target, list) else part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def find_operation(path):
    """The file's path and operation for a path that was asked; a path without a parameter goes first."""
    fits = [known for known in read_file()["paths"] if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", known), path)]
    assert fits, f"PagerDuty has no {path}"
    known = min(fits, key=lambda one: one.count("{"))
    return known, read_file()["paths"][known]


@cache
def make_validator(schema):
    """schema: as JSON."""
    absolute = json.loads(schema.replace('"#/', f'"{ROOT}#/'))
    return OAS30ReadValidator(absolute, registry=make_registry())


def complain(schema, value):
    """The complaints of the validator: 'where: what'."""
    return _complain(json.dumps(schema), json.dumps(value))


@cache
def _complain(schema, value):
    """Both as JSON: the same answer is judged once."""
    return [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
        for error in make_validator(schema).iter_errors(json.loads(value))
        for e in _leaves(error)
    ]


def _leaves(error):
    return [leaf for part in error.context for leaf in _leaves(part)] if error.context else [error]


def is_known(path, said):
    return any(
        re.fullmatch(known["path"], path) and re.search(known["said"], said) for known in DEVIATIONS["deviations"]
    )


@pytest.fixture(scope="module")
def traffic():
    """Every request of connect, of a fetch with everything and of a plain one where the list does not render; with its answer."""
    seen = []
    for options in ({}, {"final_on_lists": False}):
        source = Source(company(), history={"until": "2025-10-06T22:57:00Z"}, **options)
        source.server.app.after_request(lambda answer: _keep(seen, answer))
        try:
            access = source.check()
            extras = () if options else ("handoffs", "service_orchestrations", "dependents", "service_dependencies")
            source.fetch(final_on_lists=access.final_on_lists, **dict.fromkeys(extras, True))
            if not options:
                ask_what_happened(source.server)
        finally:
            source.server.stop()
    return seen


def ask_what_happened(server):
    """Incidents, one of them open; logs that have each kind of line between them; notifications.

    With references only: of what include[] puts in their place the file knows nothing.
    """
    headers = {"Authorization": f"Token token={DEFAULT_TOKEN}", "Accept": "application/vnd.pagerduty+json;version=2"}
    span = {"since": "2025-09-01T00:00:00Z", "until": "2025-10-07T00:00:00Z"}

    def ask(path, **asked):
        found = requests.get(
            server.url + path, asked, headers=headers | {"Content-Type": "application/json"}, timeout=600
        )
        assert found.status_code == 200, found.text
        return found.json()

    ask("/incidents", limit=100, **span)
    [open_one] = ask("/incidents", **{"statuses[]": ["triggered", "acknowledged"]})["incidents"]
    ask(f"/incidents/{open_one['id']}")
    ask(f"/incidents/{open_one['id']}/log_entries", is_overview="true")
    of_kind = {entry.kind: place for entry, place in server.app.config["HISTORY"].entries}
    lines = [
        line for place in of_kind.values() for line in ask(f"/incidents/{1001 + place}/log_entries")["log_entries"]
    ]
    assert len({line["type"] for line in lines}) == 12
    ask("/log_entries", limit=10, **span, **{"include[]": ["channels"]})
    ask(f"/log_entries/{lines[0]['id']}")
    ask("/notifications", limit=100, **span)


@pytest.fixture(scope="module")
def complaints(traffic):
    """Of each answer: (the file's path, the path that was asked, what the schema says against it)."""
    return [
        (find_operation(path)[0], path, said) for _, path, _, _, answer in traffic for said in _complaints(path, answer)
    ]


def _keep(seen, answer):
    arguments = {name: request.args.getlist(name) for name in request.args}
    seen.append((request.method, request.path, arguments, dict(request.headers), answer.get_json()))
    return answer


def read_argument(schema, texts):
    """The value that a query parameter means, by its schema."""
    kind = schema.get("type")
    if kind == "array":
        return texts
    [text] = texts
    return {"integer": lambda: int(text), "boolean": lambda: {"true": True, "false": False}[text]}.get(
        kind, lambda: text
    )()


def test_every_request_is_one_that_pagerduty_documents(traffic):
    wrong = []
    for method, path, arguments, headers, _ in traffic:
        known, operations = find_operation(path)
        parameters = [resolve(p) for p in operations.get("parameters", []) + operations[method.lower()]["parameters"]]
        wrong += [f"{known}: {said}" for said in _judge_request(parameters, arguments, headers)]
    assert not [said for said in sorted(set(wrong)) if not is_known(said.split(": ")[0], said)]


def _judge_request(parameters, arguments, headers):
    by_name = {p["name"]: p for p in parameters if p["in"] == "query"}
    yield from (f"there is no parameter {name}" for name in arguments if name not in by_name)
    yield from (f"{name} is missing" for name, p in by_name.items() if p.get("required") and name not in arguments)
    for name, texts in arguments.items():
        if name in by_name:
            schema = _items_schema(by_name[name])
            yield from (f"{name}: {said}" for said in complain(schema, read_argument(schema, texts)))
    yield from (
        f"the header {p['name']} is missing"
        for p in parameters
        if p["in"] == "header" and p.get("required") and p["name"] not in headers
    )


def _items_schema(parameter):
    """The file writes the enum of a repeated parameter as that of one string."""
    schema = resolve(parameter["schema"])
    if parameter["name"].endswith("[]") and schema.get("type") != "array":
        return {"type": "array", "items": {k: v for k, v in schema.items() if k != "uniqueItems"}}
    return schema


def test_every_answer_of_the_embedded_pagerduty_fits_its_schema(complaints):
    wrong = {}
    for known, path, said in complaints:
        if not is_known(known, said):
            wrong.setdefault(f"{known}: {re.sub(r'[0-9]+', 'N', said)[:300]}", path)
    assert not wrong, "\n".join(wrong)


def test_every_deviation_has_a_reason_and_is_still_needed(traffic, complaints):
    assert all(len(one["reason"]) > 20 for one in DEVIATIONS["deviations"])
    said = [(known, line) for known, _, line in complaints]
    said += [
        (find_operation(path)[0], f"{find_operation(path)[0]}: {line}")
        for method, path, arguments, headers, _ in traffic
        for line in _judge_request(
            [resolve(p) for p in find_operation(path)[1]["get"]["parameters"]], arguments, headers
        )
    ]
    idle = [
        one["said"]
        for one in DEVIATIONS["deviations"]
        if not any(re.fullmatch(one["path"], path) and re.search(one["said"], line) for path, line in said)
    ]
    assert not idle, "no longer needed"


def _complaints(path, answer):
    schema = (
        resolve(find_operation(path)[1]["get"]["responses"]["200"])
        .get("content", {})
        .get("application/json", {})
        .get("schema")
    )
    return complain(schema, answer) if schema else []


def test_windows_are_whole_seconds(traffic):
    times = {
        text for _, _, arguments, _, _ in traffic for name in ("since", "until") for text in arguments.get(name, ())
    }
    assert times
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) for text in times)
    assert f"{NOW + timedelta(days=28):%Y-%m-%dT%H:%M:%SZ}" in times
