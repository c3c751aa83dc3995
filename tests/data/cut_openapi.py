"""Make pagerduty-openapi.json.gz anew: python tests/data/cut_openapi.py FILE, with PagerDuty's own OpenAPI file as JSON.

Kept are the paths that can be read, and every schema, parameter and answer; prose and examples go.
"""

import gzip
import json
import sys
from pathlib import Path

PROSE = {"description", "summary", "example", "examples", "externalDocs", "x-pd-requires-scope"}
NAMED = {"properties", "parameters", "schemas", "responses", "headers", "requestBodies", "content"}
"""What stands in these is keyed by names, and a name may be that of prose: a field is called summary."""


def cut(document):
    """The parts of an OpenAPI document that a client which only reads can be judged by."""
    reading = {
        path: {name: operations[name] for name in ("parameters", "get") if name in operations}
        for path, operations in document["paths"].items()
        if "get" in operations
    }
    kept = {"openapi": document["openapi"], "paths": reading, "components": document["components"]}
    return {name: without_prose(part) for name, part in kept.items()}


def without_prose(value, named=False):
    """The same, but for prose; `named` where the keys are names."""
    if isinstance(value, list):
        return [without_prose(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_prose(one, named=not named and name in NAMED)
        for name, one in value.items()
        if named or name not in PROSE
    }


if __name__ == "__main__":
    text = json.dumps(cut(json.loads(Path(sys.argv[1]).read_text())), separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name("pagerduty-openapi.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
