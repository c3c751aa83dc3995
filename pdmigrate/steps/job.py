"""A job: one workspace, opened. Reads its settings, starts its embedded sides, and holds both clients and the journal."""

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from pdmigrate.errors import InterruptedLoadError, PdmigrateError, SettingsError, StoppedRequestError, UnwritableError
from pdmigrate.harness.address import Address
from pdmigrate.harness.pacing import Limits, Quota, read_times
from pdmigrate.harness.project import open_project
from pdmigrate.harness.target import OWN, Place, Target, open_offered
from pdmigrate.pagerduty.access import check_subdomain
from pdmigrate.pagerduty.account import LINKED, Account, Snapshot
from pdmigrate.pagerduty.client import PagerDuty, make_client
from pdmigrate.pagerduty.evidence import read_renderings
from pdmigrate.pagerduty.secrets import strip_secrets
from pdmigrate.pagerduty.window import whole_seconds
from pdmigrate.plan.answers import Decisions
from pdmigrate.steps.cancel import Cancel
from pdmigrate.steps.under_way import TITLES, UnderWay, describe_stop
from pdmigrate.wire.counts import Counts
from pdmigrate.wire.json_text import read_json
from pdmigrate.wire.network import find_password
from pdmigrate.wire.progress import Progress
from pdmigrate.workspace import settings as settings_module
from pdmigrate.workspace.database import read_password
from pdmigrate.workspace.decisions import read_decisions
from pdmigrate.workspace.folder import Workspace, make_folder, refuse_links, stamp, unpack, write_json
from pdmigrate.workspace.hold import hold
from pdmigrate.workspace.journal import Journal
from pdmigrate.workspace.settings import Settings, read_chosen
from pdmigrate.workspace.snapshots import load_snapshot, save_snapshot
from pdmigrate.workspace.survey import load_survey

if TYPE_CHECKING:
    from pdmigrate.sandbox.server import Server

P = ParamSpec("P")
R = TypeVar("R")
Spent = dict[str, dict[str, int]]
"""Requests, retries and writes by side."""

EMBEDDED = {"account": "embedded", "org": "default", "project": "sre"}
EMBEDDED_TOKEN = "sandbox-pagerduty-token"  # noqa: S105 - opens the embedded PagerDuty only
EMBEDDED_KEY = f"pat.{EMBEDDED['account']}.sandbox.secret"
EMBEDDED_LIMITS = Limits(calls=1000)
"""The embedded Harness counts calls per key only; the real one also counts external ones, and takes fewer of those."""


def read_clock() -> datetime:
    """The one place that looks at the clock; everything else is given the time."""
    return datetime.now(UTC)


class Job:
    """An open workspace. `folder` is where this run's pages and results go. Close it to stop the embedded sides.

    Inside a step, decisions and the source's file are read once, so that all of the step sees the same; outside,
    whenever they are asked for. The latest snapshot is parsed again only when its file has changed.
    """

    def __init__(self, workspace: Workspace, settings: Settings, folder: Path, clock: Callable[[], datetime]):
        self.workspace = workspace
        self.settings = settings
        self.folder = folder
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.clock_requests = 0
        self._spent: dict[str, Spent] = {}
        self.oncall_requests = 0
        self._servers: list[Server] = []
        self._parsed: tuple[Any, Account] | None = None
        self._latest: tuple[Any, Account] | None = None
        self._journal_place = place_journal(workspace, settings)
        self._secrets: list[str] = [str(self._journal_place)] if settings.journal else []
        self._secrets.append(read_password(self._journal_place))
        self._step = threading.local()
        self._subdomain = (settings.source.subdomain or "").lower()
        self.network = settings_module.resolve_network(settings, workspace.folder)
        self._secrets.append(find_password(self.network.proxy))
        self.source = self._open_source()
        self.target = self._open_target()
        self.under_way = UnderWay()
        self.under_way.serve([self.source and self.source.transport, getattr(self.target, "transport", None)])

    @property
    def progress(self) -> Progress:
        """Where a step writes how far it is."""
        return self.under_way.progress

    @property
    def horizon(self) -> timedelta:
        return timedelta(days=self.settings.horizon_days)

    @property
    def secrets(self) -> list[str]:
        """Every secret that was resolved, for the scan of what is published."""
        return [secret for secret in self._secrets if secret]

    def read_subdomain(self) -> str:
        """The source account's name. Where the source is a file it is that of what preview read out of it."""
        if self.settings.source.kind != "snapshot":
            return self._subdomain
        latest = self._read_once("latest", lambda: self.workspace.find_state("snapshot") or {})
        return str(latest["subdomain"]) if "subdomain" in latest else self.read_source_snapshot().subdomain

    def read_choices(self) -> None:
        """Take over what was chosen in any notebook since the job was opened: scope and rules, never the sides."""
        fresh = read_chosen(self.workspace, self.decisions())
        self.settings = self.settings.model_copy(update={"scope": fresh.scope, "rules": fresh.rules})

    @contextmanager
    def begin_step(self) -> Iterator[None]:
        """Until it ends, this thread reads decisions and the source's file once. It begins with the choices as they are now."""
        self._step.read = {}
        try:
            self.read_choices()
            yield
        finally:
            del self._step.read

    def _read_once(self, name: str, read: Callable[[], R]) -> R:
        known: dict[str, Any] | None = getattr(self._step, "read", None)
        if known is None:
            return read()
        if name not in known:
            known[name] = read()
        found: R = known[name]
        return found

    def decisions(self) -> Decisions:
        """decisions.yaml as it is now, or was when the step began: notebooks write to it."""
        return self._read_once("decisions", lambda: read_decisions(self.workspace.decisions_file))

    def journal(self) -> Journal:
        return Journal(self._journal_place, self.read_subdomain(), self.settings.name)

    def hold(self, purpose: str) -> AbstractContextManager[None]:
        """The workspace for this run alone. Raises WorkspaceHeldError that says who has it."""
        return hold(self._journal_place, self.settings.name, self.workspace.folder, purpose, self.clock())

    def read_source_snapshot(self) -> Snapshot:
        """The snapshot that `source.snapshot` names: a snapshot file, or a folder of recorded answers."""
        return self._read_once("source", self._read_source)

    def _read_source(self) -> Snapshot:
        source = self.settings.source
        path = self._find_snapshot()
        if path.is_dir():
            now = whole_seconds(self.clock())
            document = _load_account(path)
            found = Snapshot(document["subdomain"], now, now, now + self.horizon, document)
        else:
            found = load_snapshot(path)
        rows = strip_secrets(found.rows, source.keep_keys)
        named = [row for kind in LINKED for row in rows.get(kind) or []]
        subdomain = found.subdomain or check_subdomain(named, source.subdomain or "")
        return replace(found, rows=rows, subdomain=subdomain)

    def latest_account(self) -> Account:
        """What preview fetched last, with what PagerDuty has said since about changes of the clock.

        It is parsed once for as long as its files stay as they are; the raw rows, and what was parsed before, are let go.
        """
        path = self._place_snapshot(self.workspace.load_state("snapshot", "preview")["file"])
        seen = (path, stamp(path))
        if self._parsed is None or self._parsed[0] != seen:
            self.forget_account()
            self._parsed = (seen, load_snapshot(path).account)
        windows = (seen, stamp(self.workspace.state_file("clock_windows")))
        if self._latest is None or self._latest[0] != windows:
            asked, account = self.workspace.find_state("clock_windows") or {}, self._parsed[1]
            shown = asked["renderings"] if asked.get("file") == path.name else None
            known = account if shown is None else account.show(renderings=read_renderings(shown))
            self._latest = (windows, known)
        return self._latest[1]

    def forget_account(self) -> None:
        """Let go of what was parsed: whoever asks next reads the file."""
        self._parsed = self._latest = None

    def read_account(self, name: str) -> Account:
        """One that an earlier preview left. name: of its file."""
        path = self._place_snapshot(name)
        known = self._parsed if self._parsed and self._parsed[0] == (path, stamp(path)) else None
        return known[1] if known else load_snapshot(path).account

    def _place_snapshot(self, name: str) -> Path:
        """Where a snapshot lies; its name is one of a file in that folder, whatever the state or the journal says."""
        return self.workspace.snapshots / Path(name).name

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Leave a snapshot in the workspace: it is the latest one from now on."""
        name = f"{snapshot.taken:%Y%m%dT%H%M%SZ}-{snapshot.digest[:12]}.json.gz"
        path = self.workspace.snapshots / name
        save_snapshot(refuse_links(path), snapshot)
        said = {"digest": snapshot.digest, "requests": snapshot.requests, "subdomain": snapshot.subdomain}
        self.workspace.save_state("snapshot", {"file": name, **said})
        self._parsed = ((path, stamp(path)), snapshot.account)

    def counts(self) -> Spent:
        """Requests and retries to either side since the job was opened, and writes to the target. Each repeat is a request.

        What asking PagerDuty about changes of the clock took is counted apart, as `clock_requests`; what asking it about
        the levels of policies took, as `oncall_requests`.
        """
        source, target = self.source.transport.counts if self.source else Counts(), self.target.counts
        return {
            "source": {
                "requests": source.requests - self.clock_requests,
                "retries": source.retries,
                "clock_requests": self.clock_requests,
                "oncall_requests": self.oncall_requests,
            },
            "target": {"requests": target.requests, "retries": target.retries, "writes": target.writes},
        }

    def leave_result(self, step: str, result: dict[str, Any], at: datetime | None = None) -> None:
        """Write results/STEP.json, since papermill itself only says that something failed."""
        seconds = round(self.seconds.get(step, 0.0), 3)
        # only what was sent for this step, and not what others have left as theirs: a summary adds them up
        others = [spent for name, spent in self._spent.items() if name != step]
        spent = self._spent[step] = {
            side: {name: number - sum(one[side][name] for one in others) for name, number in numbers.items()}
            for side, numbers in self.counts().items()
        }
        # to the microsecond: what came after it may have come within the same second
        when = (at or self.clock()).isoformat()
        said = {"step": step, "at": when, "seconds": seconds, **spent, **result}
        write_json(self.folder / "results" / f"{step}.json", said)

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
        if source.kind == "snapshot":
            return None
        if source.kind == "embedded":
            return self._start_pagerduty()
        return make_client(source.base_url, source.region, self.resolve(source.token, oauth=True), self.network)

    def _find_snapshot(self) -> Path:
        return self.workspace.folder / Path(self.settings.source.snapshot or "").expanduser()

    def _start_pagerduty(self) -> PagerDuty:
        """The company, or the account that `source.snapshot` names: a rehearsal."""
        from pdmigrate.sandbox.company import build_company
        from pdmigrate.sandbox.pagerduty import start_pagerduty

        named = self.settings.source.snapshot is not None
        document = _load_account(self._find_snapshot()) if named else build_company(self.clock())
        self._subdomain = document["subdomain"] or self._subdomain
        server = self._start(start_pagerduty, "pagerduty", document, token=EMBEDDED_TOKEN)
        return make_client(server.url, "us", EMBEDDED_TOKEN)

    def _start(self, start: Callable[..., "Server"], side: str, document: dict[str, Any], **key: str) -> "Server":
        """An embedded side knows none of our errors: what it says of its memory is told as one."""
        try:
            server = start(document, self._place_memory(side), **key)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        self._servers.append(server)
        self._secrets += key.values()
        return server

    def _place_memory(self, side: str) -> Path:
        """The file of an embedded side, and none of those beside it, is a link."""
        for ending in ("json", "new", "lock"):
            refuse_links(self.workspace.sandbox / f"{side}.{ending}")
        return make_folder(self.workspace.sandbox) / f"{side}.json"

    def _open_target(self) -> Target:
        target = self.settings.target
        if target.survey:
            return load_survey(self.workspace.folder / Path(target.survey).expanduser())
        if target.kind == "embedded":
            return self._start_harness()
        place = (target.account or "", target.org or "", target.project or "")
        if target.kind in OWN:
            return open_project(
                target.base_url, self.resolve(target.api_key), *place, self._make_quota(Limits()), self.network
            )
        key = settings_module.resolve_secret(target.api_key) if target.api_key else ""
        self._secrets.append(key)
        base_url = target.base_url if "base_url" in target.model_fields_set else ""
        return open_offered(
            target.kind, Place(Address(base_url, *place), key, self.workspace.folder, target.options, self.network)
        )

    def _start_harness(self) -> Target:
        from pdmigrate.sandbox.company import build_harness_people
        from pdmigrate.sandbox.harness import build_target, new_document, start_harness

        home = self.settings.source.kind == "embedded" and not self.settings.source.snapshot
        account, org, project = EMBEDDED.values()
        document = build_target(build_harness_people()) if home else new_document(account, org, project)
        server = self._start(start_harness, "harness", document, api_key=EMBEDDED_KEY)
        return open_project(server.url, EMBEDDED_KEY, **EMBEDDED, pace=self._make_quota(EMBEDDED_LIMITS), network=None)

    def _make_quota(self, limits: Limits) -> Quota:
        """Invitations are limited per address on the network: earlier runs' stand in state/pace.json."""
        sent = read_times(self.workspace.state_file("pace"))
        return Quota(limits, sent, lambda times: self.workspace.save_state("pace", times))

    def resolve(self, reference: str | None, oauth: bool = False) -> str:
        """The secret behind a reference; it is looked for in all that is published."""
        secret = settings_module.resolve_key(reference or "", oauth)
        self._secrets.append(secret.removeprefix("Bearer "))
        return secret


def open_job(workspace: Path | str = "", reports: Path | str = "", clock: Callable[[], datetime] = read_clock) -> Job:
    """Open a workspace; without a name the one in PDMIGRATE_WORKSPACE.

    `reports` is the run's folder; without it, pages of work by hand go to DIR/reports/by-hand. Raises SettingsError where
    there is no workspace, or its migration.yaml cannot be used.
    """
    named = str(workspace) or os.environ.get("PDMIGRATE_WORKSPACE", "")
    if not named:
        raise SettingsError("Name the workspace: set the parameter `workspace`, or the variable PDMIGRATE_WORKSPACE.")
    place = Workspace(named).check()
    settings = read_chosen(place, read_decisions(place.decisions_file))
    return Job(place, settings, place.place_run(reports) if str(reports) else place.by_hand, clock)


def place_journal(workspace: Workspace, settings: Settings) -> Path | str:
    """Where the journal is: the workspace's file, or the PostgreSQL URL that `journal:` refers to."""
    return settings_module.resolve_secret(settings.journal) if settings.journal else workspace.journal_file


def find_journal(workspace: Workspace, settings: Settings, source: str = "") -> Journal | None:
    """The journal for a look, of no source in particular; None where nothing was ever loaded."""
    place = place_journal(workspace, settings)
    return None if isinstance(place, Path) and not place.is_file() else Journal(place, source, settings.name)


def records_step(step: str) -> Callable[[Callable[Concatenate[Job, P], R]], Callable[Concatenate[Job, P], R]]:
    """A step leaves its result even when it fails: the error in one line, and the exit code that it means."""

    def wrap(run: Callable[Concatenate[Job, P], R]) -> Callable[Concatenate[Job, P], R]:
        @functools.wraps(run)
        def recorded(job: Job, /, *args: P.args, **kwargs: P.kwargs) -> R:
            started = time.monotonic()
            job.under_way.cancel = Cancel(job.workspace)
            try:
                with job.begin_step(), job.under_way.watch(TITLES.get(step, step), step != "load"):
                    return run(job, *args, **kwargs)
            except (KeyboardInterrupt, StoppedRequestError):  # whichever is first
                stopped = InterruptedLoadError(describe_stop(step))
                _leave_failure(job, step, started, stopped)
                raise stopped from None
            except Exception as error:
                _leave_failure(job, step, started, error)
                raise
            finally:
                job.under_way.resume()
                job.seconds[step] = job.seconds.get(step, 0.0) + time.monotonic() - started

        return recorded

    return wrap


def _leave_failure(job: Job, step: str, started: float, error: Exception) -> None:
    code = error.exit_code if isinstance(error, PdmigrateError) else 1
    words = str(error) if isinstance(error, PdmigrateError) else f"{type(error).__name__}: {error}"
    job.seconds[step] = time.monotonic() - started
    status = {4: "refused", 7: "cancelled"}.get(code, "failed")
    with contextlib.suppress(UnwritableError):  # what went wrong is told all the same
        job.leave_result(step, {"status": status, "exit_code": code, "error": words})


def _load_account(path: Path) -> dict[str, Any]:
    """A snapshot file or a folder of recorded answers, as the embedded PagerDuty takes it."""
    from pdmigrate.sandbox.accounts import load_account

    try:
        return load_account(path, lambda raw: read_json(unpack(raw) if raw[:2] == b"\x1f\x8b" else raw))
    except ValueError as error:
        raise SettingsError(f"source.snapshot: {error}") from None
