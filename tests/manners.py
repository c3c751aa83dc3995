"""Manners of servers, keys and networks, and what a run of the six steps says under each: the table in docs/troubleshooting.md.

    python tests/manners.py

runs them all with `pdmigrate run` against embedded servers and writes the table.
"""

import html
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pdmigrate.sandbox.accounts import load_account
from pdmigrate.sandbox.gate import replace_faults
from pdmigrate.sandbox.harness import new_document, start_harness
from pdmigrate.sandbox.pagerduty import DEFAULT_TOKEN, start_pagerduty

ACCOUNT = Path(__file__).parent / "data" / "cases" / "team-hierarchy" / "account"
PAGE = Path(__file__).parent.parent / "docs" / "troubleshooting.md"
KEY = "pat.embedded.sandbox.secret"
RUN = "import sys; from pdmigrate.cli import main; sys.exit(main(sys.argv[1:]))"
STEPS = ("connect", "preview", "invite", "conflicts", "load", "verify")
BEGIN, END = "<!-- manners -->", "<!-- end of manners -->"


@dataclass(frozen=True)
class Manner:
    """A row. rule: (kind, path) of a fault of `side`. said: what is looked for on the pages of a run that goes through."""

    name: str
    rule: tuple[str, str] = ("", "")
    side: str = "PagerDuty"
    token: str = DEFAULT_TOKEN
    key: str = KEY
    settings: dict = field(default_factory=dict)
    scheme: str = ""
    host: str = ""
    said: str = ""


MANNERS = (
    Manner("The plan has no teams: `/teams` is 402", ("402", "/teams"), said=r"The account's plan has no teams[^.]*\."),
    Manner("The key may not read teams: 403", ("403", "/teams"), said=r"Without it no groups are made.*?teams\.read\."),
    Manner("The key may not read `/abilities`: 403", ("403", "/abilities"), said=r"not told: .*?abilities\.read\."),
    Manner("The key may not read a team's members: 403", ("403", "/teams/PT2/members")),
    Manner("The key may not read services: 403", ("403", "/services")),
    Manner("An OAuth token, `Bearer …`", token=f"Bearer {DEFAULT_TOKEN}", said="Both accounts answer"),
    Manner("A key with `Token token=` in front", token=f"Token token={DEFAULT_TOKEN}"),
    Manner("A key in typographic quotes", token=f"“{DEFAULT_TOKEN}”"),
    Manner("Harness's key with its header's name", key=f"x-api-key: {KEY}"),
    Manner("A key that is refused", token="another"),
    Manner("`https` to a port that does not speak it", scheme="https"),
    Manner("A CA bundle that is not there", settings={"ca_bundle": "gone.pem"}, host="https://pagerduty.invalid"),
    Manner("A proxy that does not answer", settings={"proxy": "http://127.0.0.1:9"}, host="http://pagerduty.invalid"),
    *(
        Manner(f"{side} sends on to another address: {code}", (str(code), path), side)
        for side, path in (("PagerDuty", "/abilities"), ("Harness", "/ng/api/user/currentUser"))
        for code in (301, 302, 307, 308)
    ),
    Manner("A list counts more than it gives", ("counts_more", "/teams")),
    Manner("A list gives half of its rows, and says that no more come", ("half", "/users")),
    Manner("A list says that more come, and gives none", ("more_of_nothing", "/services")),
    Manner("A list has a row twice", ("row_twice", "/users")),
    Manner("An answer without its list", ("without_rows", "/escalation_policies")),
    Manner("A team goes between the list and its members: 404", ("404", "/teams/PT2/members")),
    Manner("`errors` is a text", ("400_text", "/services")),
    Manner("Harness counts more than it gives", ("totals_more", "/ng/api/user/aggregate"), "Harness"),
    Manner("Harness's answer has no list", ("without_rows", "/ng/api/user-groups"), "Harness"),
)


class Pair:
    """Both servers, for all manners one after the other."""

    def __init__(self):
        self.pagerduty = start_pagerduty(load_account(ACCOUNT))
        self.harness = start_harness(new_document(), api_key=KEY)

    def stop(self):
        self.pagerduty.stop()
        self.harness.stop()

    def play(self, manner, folder):
        """Make the workspace, and have the servers behave so. Returns the environment that its secrets stand in."""
        with self.harness.app.config["STORE"].change() as document:
            document.clear()
            document.update(new_document())
        for side, server in (("PagerDuty", self.pagerduty), ("Harness", self.harness)):
            kind, path = manner.rule
            replace_faults(server.app, [{"kind": kind, "path": path}] if kind and side == manner.side else [])
        url = manner.host or self.pagerduty.url
        url = url.replace("http:", f"{manner.scheme}:") if manner.scheme else url
        place = {"account": "embedded", "org": "default", "project": "sre", "base_url": self.harness.url}
        written = {
            "name": "acme",
            "source": {"kind": "pagerduty", "token": "env:PD_TOKEN", "subdomain": "acme", "base_url": url},
            "target": {"kind": "harness", "api_key": "env:HARNESS_API_KEY", "rehearsal": True, **place},
            "rules": {"open_conflicts": "recommended"},
            **manner.settings,
        }
        folder.mkdir(parents=True)
        (folder / "migration.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
        return {"PD_TOKEN": manner.token, "HARNESS_API_KEY": manner.key}

    def shorten(self, text, folder):
        """The sentence as it stands in the table: without this machine's ports and folders."""
        for shown, name in ((self.pagerduty.url, "PAGERDUTY"), (self.harness.url, "HARNESS"), (str(folder), "DIR")):
            text = text.replace(shown, name).replace(shown.replace("http:", "https:"), f"https://{name}")
        return " ".join(text.replace("|", "/").split())


def write_row(manner, exit_code, sentence):
    return f"| {manner.name} | {exit_code} | {sentence} |"


def read_rows():
    """The table's rows, as they stand on the page."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(BEGIN) : text.index(END)].splitlines()[3:]


def find_said(folder, said):
    """The sentence on the pages of a run; what was looked for where it is not there."""
    pages = " ".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html")))
    text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", pages)))
    found = re.search(said, text)
    return found[0] if said and found else f"NOT SAID: {said}"


def run_manner(pair, manner, folder):
    """`pdmigrate run` under a manner: its exit code and its sentence."""
    secrets = pair.play(manner, folder)
    command = [sys.executable, "-c", RUN, "run", str(folder), "--approve", "all"]
    ran = subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True)
    left = sorted(folder.glob("reports/*/results/*.json"), key=lambda path: STEPS.index(path.stem))
    errors = [json.loads(path.read_text(encoding="utf-8"))["error"] for path in left]
    last = next(iter(reversed(ran.stderr.strip().splitlines())), "").removeprefix("pdmigrate: ")
    sentence = next(filter(None, errors), find_said(left[0].parent.parent, manner.said) if left else last)
    return ran.returncode, pair.shorten(sentence, folder)


def main():
    import tempfile

    pair = Pair()
    rows = []
    try:
        for number, manner in enumerate(MANNERS):
            with tempfile.TemporaryDirectory() as made:
                rows.append(write_row(manner, *run_manner(pair, manner, Path(made) / f"w{number}")))
    finally:
        pair.stop()
    text = PAGE.read_text(encoding="utf-8")
    table = "\n".join(
        [BEGIN, "| what the server, the key or the network does | exit | what is said |", "|---|---|---|", *rows]
    )
    PAGE.write_text(f"{text[: text.index(BEGIN)]}{table}\n{text[text.index(END) :]}", encoding="utf-8")


if __name__ == "__main__":
    main()
