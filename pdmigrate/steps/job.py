"""A job: one workspace, opened. Reads its settings, starts its embedded sides, and holds both clients and the journal."""

import functools
import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdmigrate.errors import InterruptedLoadError, PdmigrateError, SettingsError
from pdmigrate.harness.client import Harness
from pdmigrate.harness.client import make_client as make_harness
from pdmigrate.harness.pacing import Limits, Quota
from pdmigrate.pagerduty.access import check_subdomain
from pdmigrate.pagerduty.account import Snapshot
from pdmigrate.pagerduty.client import PagerDuty
from pdmigrate.pagerduty.client import make_client as make_pagerduty
from pdmigrate.pagerduty.secrets import strip_secrets
from pdmigrate.pagerduty.window import whole_seconds
from pdmigrate.plan.answers import Decisions
from pdmigrate.workspace import settings as settings_module
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace, write_json
from pdmigrate.workspace.hold import hold
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import Settings
from pdmigrate.workspace.snapshots import load_snapshot
from pdmigrate.workspace.survey import load_survey

if TYPE_CHECKING:
    from pdmigrate.sandbox.server import Server

EMBEDDED = {"account": "embedded", "org": "default", "project": "sre"}
EMBEDDED_TOKEN = "sandbox-pagerduty-token"  # noqa: S105 - opens the embedded PagerDuty only
EMBEDDED_KEY = f"pat.{EMBEDDED['account']}.sandbox.secret"
EMBEDDED_LIMITS = Limits(calls=1000)
"""The embedded Harness counts calls per key only; the real one also counts external ones, and takes fewer of those."""


def read_clock() -> datetime:
    """The one place that looks at the clock; everything else is given the time."""
    return datetime.now(UTC)


class Job:
    """An open workspace. `folder` is where this run's pages and results go. Close it to stop the embedded sides."""

    def __init__(self, workspace: Workspace, settings: Settings, folder: Path, clock: Callable[[], datetime]):
        self.workspace = workspace
        self.settings = settings
        self.folder = folder
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.clock_requests = 0
        self._spent: dict[str, dict[str, dict[str, int]]] = {}
        self.oncall_requests = 0
        self._servers: list[Server] = []
        self._secrets: list[str] = []
        self._latest: tuple[Any, Snapshot] | None = None
        self._journal_place = place_journal(workspace, settings)
        self._secrets += [self._journal_place] if settings.journal else []
        self.source = self._open_source()
        self.target = self._open_target()

    @property
    def horizon(self) -> timedelta:
        return timedelta(days=self.settings.horizon_days)

    @property
    def subdomain(self) -> str:
        """The source account's name; a snapshot knows its own."""
        if self.settings.source.kind == "snapshot":
            return self.read_source_snapshot().subdomain
        return self._subdomain

    @property
    def secrets(self) -> list[str]:
        """Every secret that was resolved, for the scan of what is published."""
        return [secret for secret in self._secrets if secret]

    def read_choices(self) -> None:
        """Take over what was chosen in any notebook since the job was opened: scope and rules, never the sides."""
        fresh = _read_settings(self.workspace)
        self.settings = self.settings.model_copy(update={"scope": fresh.scope, "rules": fresh.rules})

    def decisions(self) -> Decisions:
        """decisions.yaml as it is now: another notebook may have written to it."""
        return read_decisions(self.workspace.decisions_file)

    def journal(self) -> Journal:
        return Journal(self._journal_place, self.subdomain, self.settings.name)

    def hold(self, purpose: str) -> AbstractContextManager[None]:
        """The workspace for this run alone. Raises WorkspaceHeldError that says who has it."""
        return hold(self._journal_place, self.settings.name, self.workspace.folder, purpose, self.clock())

    def read_source_snapshot(self) -> Snapshot:
        """The snapshot that `source.snapshot` names: a snapshot file, or a folder of recorded answers."""
        source = self.settings.source
        path = self.workspace.folder / Path(source.snapshot).expanduser()
        found = (
            _read_recorded(path, whole_seconds(self.clock()), self.horizon) if path.is_dir() else load_snapshot(path)
        )
        rows = found.rows if source.keep_keys else strip_secrets(found.rows)
        named = [row for kind in ("users", "services") for row in rows.get(kind) or []]
        subdomain = found.subdomain or check_subdomain(named, source.subdomain or "")
        return replace(found, rows=rows, subdomain=subdomain)

    def latest_snapshot(self) -> Snapshot:
        """What preview fetched last, with what PagerDuty has said since about changes of the clock.

        Every step asks for it several times: it is read once for as long as its files stay as they are.
        """
        path = self.workspace.snapshots / self.workspace.load_state("snapshot", "preview")["file"]
        files = (path, self.workspace.state_file("clock_windows"))
        seen = tuple((file, *_stamp(file)) for file in files)
        if self._latest is None or self._latest[0] != seen:
            self._latest = (seen, self._load_latest(path))
        return self._latest[1]

    def _load_latest(self, path: Path) -> Snapshot:
        snapshot = load_snapshot(path)
        asked = self.workspace.find_state("clock_windows") or {}
        if asked.get("file") != path.name:
            return snapshot
        return replace(snapshot, rows={**snapshot.rows, "renderings": asked["renderings"]})

    def counts(self) -> dict[str, dict[str, int]]:
        """Requests and retries to either side since the job was opened, and writes to the target. Each repeat is a request.

        What asking PagerDuty about changes of the clock took is counted apart, as `clock_requests`; what asking it about
        the levels of policies took, as `oncall_requests`.
        """
        sides = {"source": self.source, "target": self.target}
        counts = {side: client.transport.counts if client else None for side, client in sides.items()}
        numbers = {
            side: {"requests": c.requests if c else 0, "retries": c.retries if c else 0} for side, c in counts.items()
        }
        numbers["source"]["requests"] -= self.clock_requests
        numbers["source"]["clock_requests"] = self.clock_requests
        numbers["source"]["oncall_requests"] = self.oncall_requests
        numbers["target"]["writes"] = self.target.transport.counts.writes
        return numbers

    def leave_result(self, step: str, result: dict[str, Any]) -> None:
        """Write results/STEP.json, since papermill itself only says that something failed."""
        seconds = round(self.seconds.get(step, 0.0), 3)
        spent = self._count_own(step)
        write_json(self.folder / "results" / f"{step}.json", {"step": step, "seconds": seconds, **spent, **result})

    def _count_own(self, step: str) -> dict[str, dict[str, int]]:
        """What was sent for this step: all but what other steps have left as theirs, since a summary adds them up."""
        others = [spent for name, spent in self._spent.items() if name != step]
        self._spent[step] = {
            side: {name: number - sum(one[side][name] for one in others) for name, number in numbers.items()}
            for side, numbers in self.counts().items()
        }
        return self._spent[step]

    def close(self) -> None:
        for server in self._servers:
            server.stop()
        self._servers.clear()

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_source(self) -> PagerDuty | None:
        source = self.settings.source
        self._subdomain = (source.subdomain or "").lower()
        if source.kind == "snapshot":
            return None
        if source.kind == "embedded":
            return self._start_pagerduty()
        return make_pagerduty(source.base_url, source.region, self._resolve(source.token))

    def _start_pagerduty(self) -> PagerDuty:
        from pdmigrate.sandbox.pagerduty import start_pagerduty

        document = self._read_account()
        self._subdomain = document["subdomain"] or self._subdomain
        server = start_pagerduty(document, self.workspace.sandbox / "pagerduty.json", token=EMBEDDED_TOKEN)
        self._servers.append(server)
        self._secrets.append(EMBEDDED_TOKEN)
        return make_pagerduty(server.url, "us", EMBEDDED_TOKEN)

    def _read_account(self) -> dict:
        """The company, or the account that `source.snapshot` names: a rehearsal."""
        from pdmigrate.sandbox import accounts, company

        path = self.settings.source.snapshot
        if path is None:
            return company.build_company(self.clock())
        try:
            return accounts.load_account(self.workspace.folder / Path(path).expanduser())
        except ValueError as error:
            raise SettingsError(f"source.snapshot: {error}") from None

    def _open_target(self) -> Harness:
        target = self.settings.target
        if target.survey:
            return load_survey(self.workspace.folder / Path(target.survey).expanduser())
        if target.kind == "embedded":
            return self._start_harness()
        key = self._resolve(target.api_key)
        pace = self._make_quota(Limits())
        return make_harness(target.base_url, key, target.account, target.org, target.project, pace)

    def _start_harness(self) -> Harness:
        from pdmigrate.sandbox.company import build_harness_people
        from pdmigrate.sandbox.harness import build_target, new_document, start_harness

        home = self.settings.source.kind == "embedded" and not self.settings.source.snapshot
        document = build_target(build_harness_people()) if home else new_document(**EMBEDDED)
        server = start_harness(document, self.workspace.sandbox / "harness.json", api_key=EMBEDDED_KEY)
        self._servers.append(server)
        self._secrets.append(EMBEDDED_KEY)
        return make_harness(server.url, EMBEDDED_KEY, **EMBEDDED, pace=self._make_quota(EMBEDDED_LIMITS))

    def _make_quota(self, limits: Limits) -> Quota:
        """Invitations are limited per address on the network: earlier runs' stand in state/pace.json."""
        sent = read_times(self.workspace.state_file("pace"))
        return Quota(limits, sent, lambda times: self.workspace.save_state("pace", times))

    def _resolve(self, reference: str) -> str:
        secret = settings_module.resolve_secret(reference)
        self._secrets.append(secret)
        return secret


def open_job(workspace: Path | str = "", reports: Path | str = "", clock: Callable[[], datetime] = read_clock) -> Job:
    """Open a workspace; without a name the one in PDMIGRATE_WORKSPACE.

    `reports` is the run's folder; without it, pages of work by hand go to DIR/reports/desk. Raises SettingsError where
    there is no workspace, or its migration.yaml cannot be used.
    """
    named = str(workspace) or os.environ.get("PDMIGRATE_WORKSPACE", "")
    if not named:
        raise SettingsError("Name the workspace: set the parameter `workspace`, or the variable PDMIGRATE_WORKSPACE.")
    place = Workspace(named).check()
    settings = _read_settings(place)
    return Job(place, settings, Path(reports).resolve() if str(reports) else place.desk, clock)


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one after each change of a file; () where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def place_journal(workspace: Workspace, settings: Settings) -> Path | str:
    """Where the journal is: the workspace's file, or the PostgreSQL URL that `journal:` refers to."""
    return settings_module.resolve_secret(settings.journal) if settings.journal else workspace.journal_file


def find_journal(workspace: Workspace, settings: Settings) -> Journal | None:
    """The journal for a look, of no source in particular; None where nothing was ever loaded."""
    place = place_journal(workspace, settings)
    return None if isinstance(place, Path) and not place.is_file() else Journal(place, "", settings.name)


def _read_settings(place: Workspace) -> Settings:
    """migration.yaml, with the choices of decisions.yaml in place of what it says."""
    choices = {choice.setting: choice.value for choice in read_decisions(place.decisions_file).choices}
    return settings_module.read_settings(place.settings_file, choices)


def records_step(step: str) -> Callable:
    """A step leaves its result even when it fails: the error in one line, and the exit code that it means."""

    def wrap(run: Callable) -> Callable:
        @functools.wraps(run)
        def recorded(job: Job, *args: Any, **kwargs: Any) -> Any:
            started = time.monotonic()
            try:
                job.read_choices()
                return run(job, *args, **kwargs)
            except KeyboardInterrupt:
                stopped = InterruptedLoadError(f"{step} was cancelled: run it again, it goes on from there.")
                _leave_failure(job, step, started, stopped)
                raise stopped from None
            except Exception as error:
                _leave_failure(job, step, started, error)
                raise
            finally:
                job.seconds[step] = job.seconds.get(step, 0.0) + time.monotonic() - started

        return recorded

    return wrap


def _leave_failure(job: Job, step: str, started: float, error: Exception) -> None:
    code = error.exit_code if isinstance(error, PdmigrateError) else 1
    words = str(error) if isinstance(error, PdmigrateError) else f"{type(error).__name__}: {error}"
    job.seconds[step] = time.monotonic() - started
    status = {4: "refused", 7: "cancelled"}.get(code, "failed")
    job.leave_result(step, {"status": status, "exit_code": code, "error": words})


def read_times(path: Path) -> list[float]:
    """The times of earlier invitations; a damaged file is as good as none, since a 429 is survived too."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [float(at) for at in found if isinstance(at, int | float)] if isinstance(found, list) else []


def _read_recorded(path: Path, now: datetime, horizon: timedelta) -> Snapshot:
    from pdmigrate.sandbox.accounts import load_account

    try:
        document = load_account(path)
    except ValueError as error:
        raise SettingsError(f"source.snapshot: {error}") from None
    return Snapshot(document["subdomain"], now, now, now + horizon, document)
