"""What the doors share: how each form is written, and how a broken one gets where it is read."""

import csv
import gzip
import io
import json
import re

import yaml
from breakage import break_form
from werkzeug.wrappers import Request, Response

from pdmigrate.workspace.yaml_lists import DUMPER


def write_json_text(data):
    return json.dumps(data, ensure_ascii=False)


def write_yaml_text(data):
    return yaml.dump(data, Dumper=DUMPER, sort_keys=False, allow_unicode=True, default_flow_style=None)


def write_csv_text(data):
    """Rows of cells; what is no list of lists is written as it is."""
    out = io.StringIO()
    rows = data if isinstance(data, list) else [data]
    csv.writer(out).writerows([row if isinstance(row, list) else [row] for row in rows])
    return out.getvalue()


def pack(whole):
    return gzip.compress(whole, 1)


def choose_source(folder, name):
    settings = folder / "migration.yaml"
    text = re.sub("snapshot:[^\n]*", f"snapshot: {name}", settings.read_text())
    settings.write_text(text.replace("kind: embedded", "kind: snapshot", 1))


def spoil(app, paths, trial, writes=False):
    """From now on answers to these paths arrive broken, each request's in the same way whenever it is asked again."""
    wanted, seed, inner = trial.random.choice(paths), trial.random.random(), app.wsgi_app

    def answer(environ, start_response):
        told = Response.from_app(inner, environ, buffered=True)
        request = Request(environ)
        if wanted in request.path and told.is_json and (not writes or request.method != "GET"):
            dice = type(trial.random)(f"{seed}{request.path}")
            told.set_data(break_form(dice, trial.kind, told.get_json(), write_json_text))
        return told(environ, start_response)

    app.wsgi_app = answer
