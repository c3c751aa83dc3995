"""Runs the notebooks with papermill, in order, and leaves a run's folder: pages, results, index.html, summary.json."""

import contextlib
import json
import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pdmigrate.runs.quick_start  # noqa: F401 - before papermill

# isort: split
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from pdmigrate import errors
from pdmigrate.errors import UsageError, describe_unwritable
from pdmigrate.runs.engine import ENGINE
from pdmigrate.runs.evidence import seal_run
from pdmigrate.runs.finish import write_trend
from pdmigrate.runs.kernels import Kernels
from pdmigrate.runs.measuring import keep_broken_run
from pdmigrate.runs.notebooks import NOTEBOOKS, notebook_of
from pdmigrate.runs.publish import check_published
from pdmigrate.runs.summary import Left, read_results, write_run
from pdmigrate.steps.job import find_journal, place_journal, read_clock
from pdmigrate.workspace.folder import STEPS, Workspace, make_folder, refuse_links, write_text
from pdmigrate.workspace.hold import hold, lent_tokens, make_token
from pdmigrate.workspace.settings import read_settings

log = logging.getLogger("pdmigrate")
STOPPED = {"KeyboardInterrupt": "InterruptedLoadError"}
"""What a notebook ends with that was stopped beside its step."""
GOES_ON_AFTER = {"load": (3, 5)}
"""Exit codes after which the steps that follow still make sense: verify says what a partial load left."""


@dataclass(frozen=True)
class RunOutcome:
    """What a headless run ended with."""

    exit_code: int
    summary: Left
    errors: tuple[str, ...]


class StopRequest:
    """A request to one run to stop between two steps. The notebooks of this run, and of no other, see its file.

    starting: a notebook comes up, which takes its time on a busy machine. Nothing of its step has begun: it is not waited for.
    """

    def __init__(self, workspace: Path):
        self.run = make_token()
        self.asked = self.starting = False
        self._file = Workspace(workspace).cancel_file(self.run)

    def ask(self) -> None:
        self.asked = True
        with contextlib.suppress(OSError):  # the disk is full: a second signal still breaks it off
            self._file.touch()

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)


def run_steps(
    workspace: Path,
    steps: Sequence[str],
    folder: Path,
    approve: str = "",
    describe: Callable[[str], None] = print,
    stop: StopRequest | None = None,
) -> RunOutcome:
    """Run the notebooks of `steps`. Every one leaves its page, or the index says why not; never raises for their errors.

    Raises WorkspaceHeldError where another run is under way.
    """
    place, stop = Workspace(workspace), stop or StopRequest(workspace)
    settings, purpose = read_settings(place.settings_file), f"run {', '.join(steps)}"
    held = hold(place_journal(place, settings), settings.name, place.folder, purpose, read_clock(), stop.run)
    with held, closing(Kernels(NOTEBOOKS, len(steps))) as kernels:
        place.drop_requests(lent_tokens())
        results: dict[str, Left] = {}
        for step in steps:
            result = _run_unless_stopped(step, workspace, folder, approve, describe, stop, kernels)
            if result is None:
                words = f"cancelled before {step}; the same command goes on from here"
                code = errors.InterruptedLoadError.exit_code
                results[step] = {"step": step, "status": "cancelled", "exit_code": code, "error": words, "seconds": 0.0}
                break
            results[step] = result
            figures = ", ".join(f"{f['label'].lower()} {f['value']}" for f in result.get("card", {}).get("figures", ()))
            describe(f"{step:<10} {result['status']:<8} {result['seconds']:6.1f} s  {figures}".rstrip())
            code = result["exit_code"]
            if code and code not in GOES_ON_AFTER.get(step, ()):
                break
            if step == "load" and code == 3:  # goes on only where a load before it has written something
                journal = find_journal(place, settings)
                if journal is None:
                    break
                with journal.opened():
                    if not journal.other_sources():
                        break
        if "verify" in steps and ("verify" not in results or not (folder / "results" / "verify.json").is_file()):
            last, left = list(results.items())[-1]
            why = f"the run ended with {last}: {left['error']}" if last != "verify" else left["error"]
            keep_broken_run(place, settings, folder, read_clock(), left["exit_code"], why)
            write_trend(place, settings, folder, read_clock())
        summary = write_run(settings.name, folder, results, read_clock())
        if "verify" in results:  # whose notebook replays what happened, where the settings say so
            left_beside = read_results(folder, beside=True)
            results |= {step: left_beside[step] for step in ("replay",) if step in left_beside}
        troubles = tuple(f"{step}: {result['error']}" for step, result in results.items() if result["error"])
        return RunOutcome(summary["exit_code"], summary, troubles)


@contextmanager
def stopping_between_steps(workspace: Path) -> Iterator[StopRequest]:
    """The first Ctrl-C or SIGTERM lets the step under way come to a stop between two writes; the second breaks it off.

    A step whose notebook only comes up is broken off at once. What it yields is for run_steps: the request is to that run, and another run never sees it.
    """
    stop = StopRequest(workspace)

    def ask(*_: object) -> None:
        again = stop.asked
        stop.ask()
        if again or stop.starting:
            raise KeyboardInterrupt
        log.warning("Stopping between two steps; once more breaks it off.")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.forget()


def choose_steps(named: Sequence[str], until: str | None) -> list[str]:
    """The steps to run, in their order. Raises UsageError for one that is none."""
    unknown = [step for step in [*named, *([until] if until else [])] if step not in STEPS]
    if unknown:
        raise UsageError(f"There is no step {', '.join(unknown)}: the steps are {', '.join(STEPS)}.")
    chosen = [step for step in STEPS if not named or step in named]
    return chosen[: chosen.index(until) + 1] if until in chosen else chosen


def _run_unless_stopped(
    step: str,
    workspace: Path,
    folder: Path,
    approve: str,
    describe: Callable[[str], None],
    stop: StopRequest,
    kernels: Kernels,
) -> Left | None:
    """What it left. None where the stop came before its first cell."""
    try:
        stop.starting = True
        return None if stop.asked else _run_one(step, workspace, folder, approve, describe, stop, kernels)
    except KeyboardInterrupt:
        if not stop.starting:
            raise
        return None
    finally:
        stop.starting = False


def _run_one(
    step: str,
    workspace: Path,
    folder: Path,
    approve: str,
    describe: Callable[[str], None],
    stop: StopRequest,
    kernels: Kernels,
) -> Left:
    source, result = notebook_of(step), folder / "results" / f"{step}.json"
    output = folder / "notebooks" / source.name
    make_folder(refuse_links(output).parent)
    parameters = {"workspace": str(workspace), "reports": str(folder)}
    parameters |= {"approve": approve} if step == "load" else {}
    unknown = set(parameters) - set(papermill.inspect_notebook(source))
    if unknown:  # of which papermill would only write a line in its log, and go on with the default
        raise UsageError(f"{source.name} has no parameter {', '.join(sorted(unknown))}.")
    result.unlink(missing_ok=True)
    started = time.monotonic()
    trouble = _execute(source, output, parameters, describe, stop, kernels)
    if result.is_file():
        found: Left = json.loads(result.read_text(encoding="utf-8"))
    else:  # it broke before its step began: exit codes of errors by name, else a bug
        name, _, words = trouble.partition(": ")
        code = getattr(getattr(errors, STOPPED.get(name, name), None), "exit_code", 1)
        words = words or "the notebook left no result"
        found = {"step": step, "status": "failed", "exit_code": code, "error": words}
    return {**found, "seconds": round(time.monotonic() - started, 2)}


class Passed:
    """What a notebook prints, which is how far its step is: passed on line by line, as a file that papermill writes to."""

    def __init__(self, describe: Callable[[str], None]):
        self._describe = describe

    def write(self, text: str) -> None:
        for line in text.splitlines():
            self._describe(line)

    def flush(self) -> None:
        """Nothing is held back."""


def _execute(
    source: Path,
    output: Path,
    parameters: dict[str, str],
    describe: Callable[[str], None],
    stop: StopRequest,
    kernels: Kernels,
) -> str:
    """The error of the notebook, or ""."""

    def begin(**_: object) -> None:
        stop.starting = False
        kernels.prepare()

    try:
        with kernels.take() as kernel:
            papermill.execute_notebook(
                source,
                output,
                parameters,
                engine_name=ENGINE,
                kernel=kernel,
                stdout_file=Passed(describe),
                on_cell_start=begin,
                cwd=str(source.parent),
            )
    except PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    except OSError as error:
        return f"UnwritableError: {describe_unwritable(error)}"
    except (DeadKernelError, RuntimeError) as error:  # jupyter_client's own, of a kernel that does not come up
        words = "its kernel died" if isinstance(error, DeadKernelError) else f"its kernel does not start ({error})"
        return (
            f"InterruptedLoadError: {source.name}: {words}, for want of memory or ended from outside; what was done is kept: "
            "make room, then the same command goes on from there."
        )
    finally:
        if _is_whole(output):  # without what papermill and the widgets keep beside the cells: parameters, widget state
            notebook = json.loads(output.read_text(encoding="utf-8"))
            for metadata in (notebook["metadata"], *(cell["metadata"] for cell in notebook["cells"])):
                metadata.pop("papermill", None)
            notebook["metadata"].pop("widgets", None)
            write_text(output, json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False))
    return ""


def _is_whole(notebook: Path) -> bool:
    """What papermill could not write to its end is taken away."""
    try:
        json.loads(notebook.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError:
        notebook.unlink()
        return False
    return True


def seal(workspace: Path, folder: Path, secrets: Sequence[str], version: str) -> None:
    """The end of a run: nothing secret in it, and a manifest over all of it."""
    check_published(folder, secrets)
    seal_run(Workspace(workspace), folder, read_clock(), version)
