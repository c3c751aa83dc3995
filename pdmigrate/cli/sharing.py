"""What a run left, for others: `evidence` checks it, `publish` copies it."""

import argparse
from pathlib import Path

from pdmigrate.errors import EvidenceError
from pdmigrate.runs.evidence import check_evidence
from pdmigrate.runs.publish import find_run, publish
from pdmigrate.steps.job import open_job


def add_evidence(evidence: argparse.ArgumentParser) -> None:
    evidence.add_argument("folder", type=Path, metavar="DIR", help="a workspace, or one run's folder")
    evidence.set_defaults(run=run_evidence)


def run_evidence(options: argparse.Namespace) -> int:
    """Print each sealed run and its problems. Raises EvidenceError where there are any."""
    checked = check_evidence(options.folder)
    for run in checked:
        print(f"{run.folder.name}: {run.files} files, manifest {run.digest[:12]}, plan {run.plan[:12] or 'none'}")
        whole = f"its files are as they were sealed; {run.apart}" if run.apart else "as it was sealed"
        print(f"  approved by {run.approved or 'nobody'}; " + ("; ".join(run.problems) or whole))
    if any(run.problems for run in checked):
        raise EvidenceError("The evidence is not what was sealed: see the lines above, and compare with a copy.")
    return 0


def add_publish(command: argparse.ArgumentParser) -> None:
    command.add_argument("workspace", type=Path, metavar="DIR")
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--run", dest="run_name", default="", metavar="RUN", help="default: the newest with a report")
    command.add_argument("--mask", action="store_true", help="make emails and phone numbers unusable")
    command.set_defaults(run=run_publish)


def run_publish(options: argparse.Namespace) -> int:
    """Copy the pages, and print where they are."""
    with open_job(options.workspace) as job:
        secrets, reports = job.secrets, job.workspace.reports
    run = find_run(reports, options.run_name)
    written = publish(run, options.to, secrets, options.mask)
    print(f"{len(written)} files of the run {run.name}{', masked' * options.mask}: {options.to / 'stakeholders.html'}")
    return 0
