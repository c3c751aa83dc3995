"""The demo: a company carried over, then what changed in it, then nothing, since nothing changed."""

import shutil
from pathlib import Path

from pdmigrate import __version__
from pdmigrate.errors import worst_code
from pdmigrate.plan.answers import Decision
from pdmigrate.runs.headless import run_steps, seal
from pdmigrate.steps.job import EMBEDDED_KEY, EMBEDDED_TOKEN, read_clock
from pdmigrate.workspace.decisions import save_answers
from pdmigrate.workspace.folder import STEPS, Workspace, make_folder
from pdmigrate.workspace.settings import make_workspace

ACTS = (
    "The company as it is",
    "Somebody left, a rotation got a member, a service was added",
    "Nothing changed",
)
NUMBERS = (
    *("PCM2402", "PCM2403", "PCM2502", "PCM2503", "PCM2702", "PCM2703"),  # +49
    *("PCM3602", "PCM3603", "PCM3702", "PCM3703", "PCM3802", "PCM3803"),  # +61, +81
)
"""Each number that stays behind: an answer to `all` would be to every number that pdmigrate may ever ask about, too."""
SERVED_LATER = "email and the app reach them until Harness serves the country"
DECISIONS = (
    *(("phone_country", number, "leave_out", SERVED_LATER) for number in NUMBERS),
    ("round_robin", "all", "everyone", "better two people than the wrong one"),
    (
        "service_urgency",
        "all",
        "no_page",
        "low urgency and support hours never woke anybody; a rule of their own follows",
    ),
    ("acknowledgement_timeout", "all", "accept", "whoever acknowledges stays with it; the leads have been told"),
    ("deleted_participant", "all", "empty_place", "those turns are empty today"),
    ("shared_mailbox", "all", "invite", "the desk of the shop reads it, and keeps one login for all"),
    ("user_not_found", "PUSER39", "invite", "an observer in PagerDuty who takes her turns all the same"),
)
"""What the demo's consultant decided. Everything else takes the recommended option, which changes nobody's pages."""


def run_demo(folder: Path) -> int:
    """Make a workspace on the embedded pair and run it three times. Returns the worst exit code."""
    _clear(folder)
    make_demo_workspace(folder)
    codes = []
    for number, title in enumerate(ACTS, 1):
        if number == 2:
            change_source(Workspace(folder))
        print(f"Run {number}: {title}")
        reports = (folder / "reports" / str(number)).resolve()
        outcome = run_steps(folder.resolve(), STEPS, reports, approve="all", describe=lambda line: print(f"  {line}"))
        seal(folder, reports, (EMBEDDED_TOKEN, EMBEDDED_KEY), __version__)
        for error in outcome.errors:
            print(f"  {error}")
        target = outcome.summary.get("target", {})
        print(f"  writes {target.get('writes', 0)}, exit code {outcome.exit_code}: {reports / 'index.html'}")
        codes.append(outcome.exit_code)
    print(f"The pages: {folder / 'reports' / '1' / 'index.html'}")
    return worst_code(codes)


def make_demo_workspace(folder: Path) -> None:
    """A workspace on the embedded pair in which every question is answered."""
    make_workspace(folder, {"name": "acme", "open_conflicts": "recommended"})
    file, at = Workspace(folder).decisions_file, read_clock().isoformat(timespec="seconds")
    given = ({"conflict": a, "object": id, "choice": choice, "why": why} for a, id, choice, why in DECISIONS)
    save_answers(file, *(Decision(**one, by="demo", at=at) for one in given))


def change_source(workspace: Workspace) -> None:
    """Let the embedded company live on."""
    from pdmigrate.sandbox import company
    from pdmigrate.sandbox.store import Store

    with Store(workspace.sandbox / "pagerduty.json", dict).change() as account:
        company.change_company(account)


def _clear(folder: Path) -> None:
    """A demo starts afresh; only a folder that a demo made is cleared, and only what a workspace holds."""
    workspace = Workspace(folder)
    marker = folder / ".demo"
    if workspace.settings_file.exists() and not marker.exists():
        return
    if marker.exists():
        for path in (workspace.reports, workspace.sandbox, workspace.snapshots, folder / "state"):
            shutil.rmtree(path, ignore_errors=True)
        for path in (workspace.settings_file, workspace.decisions_file, workspace.journal_file):
            path.unlink(missing_ok=True)
    make_folder(folder)
    marker.touch()
