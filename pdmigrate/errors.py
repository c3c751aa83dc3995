"""All errors, one tree. Each message is one line: what happened, to which object, and what to do next.

PdmigrateError                     1  a bug, if it is not one of those below
├─ UsageError                      2  wrong usage
│  └─ SettingsError                2  migration.yaml, decisions.yaml or a secret's reference cannot be used
├─ PersonNeededError               3  a person has to do something
│  ├─ OpenConflictsError           3  questions without an answer
│  └─ UnapprovedPlanError          3  a plan that nobody has approved
├─ RefusedError                    4  pdmigrate will not go on, by its own rules
│  ├─ TargetMovedError             4  Harness has changed since the plan was approved
│  ├─ PlanMovedError               4  the approved digest is not the plan's any more
│  ├─ WorkspaceHeldError           4  another run holds the workspace
│  ├─ UnwritableError              4  a file or the journal cannot be written: disk full, read-only, no permission
│  ├─ SecretFoundError             4  a secret stands in what would be published
│  └─ EvidenceError                4  a sealed run is not as it was
├─ PartialLoadError                5  some of the plan was not loaded
├─ UnexplainedDifferenceError      5  verify found a difference that no decision explains
├─ SideError                       6  a side cannot be used
│  ├─ UnreachableError             6  no answer, or none that can be understood
│  │  └─ SlowAnswerError           6  one answer does not come in time; less at a time may
│  ├─ KeyRefusedError              6  the key is refused
│  ├─ WrongAccountError            6  the account is not the one that was named
│  ├─ AnswerError                  6  the side refused one request
│  └─ IncompleteFetchError         6  a list could not be read whole
│     └─ TooLongError              6  it has more rows than the side ever shows; a part of it may do
└─ InterruptedLoadError            7  cancelled between two steps; the same command goes on
"""

import difflib
import errno
import re
from collections.abc import Iterable

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys and does not show: control characters (0x9b is one too), and signs that turn the direction."""


def strip_controls(text: str) -> str:
    """The text as a terminal can be trusted with it, whoever wrote it: without control characters but line ends and tabs."""
    return _CONTROL.sub("", text)


LONGEST_LINE = 2_000
"""Signs of a message."""


class PdmigrateError(Exception):
    """The root. `exit_code` is what the command line ends with."""

    exit_code = 1

    def __str__(self) -> str:
        """One line, whatever names stand in it, and no longer than a person reads: a name may be a megabyte."""
        said = strip_controls(" ".join(super().__str__().split("\n")))
        return said if len(said) <= LONGEST_LINE else f"{said[:LONGEST_LINE]}…"

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this: in a notebook the error is one line too."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(PdmigrateError):
    exit_code = 2


class SettingsError(UsageError):
    pass


class PersonNeededError(PdmigrateError):
    exit_code = 3


class OpenConflictsError(PersonNeededError):
    pass


class UnapprovedPlanError(PersonNeededError):
    pass


class RefusedError(PdmigrateError):
    exit_code = 4


class TargetMovedError(RefusedError):
    pass


class PlanMovedError(RefusedError):
    pass


class WorkspaceHeldError(RefusedError):
    pass


class UnwritableError(RefusedError):
    pass


class SecretFoundError(RefusedError):
    pass


class EvidenceError(RefusedError):
    pass


class PartialLoadError(PdmigrateError):
    exit_code = 5


class UnexplainedDifferenceError(PdmigrateError):
    exit_code = 5


class SideError(PdmigrateError):
    exit_code = 6


class UnreachableError(SideError):
    """No answer to one request. `status` is what the side said last, 0 where it said nothing at all."""

    def __init__(self, message: str, status: int = 0):
        super().__init__(message)
        self.status = status


class SlowAnswerError(UnreachableError):
    pass


class KeyRefusedError(SideError):
    pass


class WrongAccountError(SideError):
    pass


class AnswerError(SideError):
    """The side answered one request with an error. `status` is the HTTP status, `code` the side's own word for it."""

    def __init__(self, message: str, status: int, code: str = ""):
        super().__init__(message)
        self.status = status
        self.code = code


class IncompleteFetchError(SideError):
    pass


class TooLongError(IncompleteFetchError):
    pass


class InterruptedLoadError(PdmigrateError):
    exit_code = 7


class StoppedRequestError(InterruptedLoadError):
    """A request was given up since somebody stopped the step; what the step has kept, the step says."""


WORST_FIRST = (1, 2, 6, 7, 4, 3, 5, 0)
"""When several exit codes hold, the first of these is the run's."""


def worst_code(codes: list[int]) -> int:
    """The exit code of a whole run from those of its steps; 0 where there is none."""
    return min(codes, key=WORST_FIRST.index, default=0)


ALIKE = 0.85
"""How near addresses of one domain must be to be taken for one another: the domain alone makes them half alike."""
LONGEST = 80
"""Signs of a word that somebody else wrote, in a message of one line."""
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""What the system says where nothing can be written, whoever tries."""


def describe_unwritable(error: OSError, path: object = "") -> UnwritableError:
    """The same in one line: which file, why, and what to do."""
    where = path or error.filename or "a file"
    return UnwritableError(
        f"{where} cannot be written: {error.strerror or type(error).__name__}. What was there is as it was: make room or give "
        "the permission, then run the same command again."
    )


def shorten(word: str) -> str:
    """The word for a message: no more than LONGEST signs of it, and none that ends the line."""
    return " ".join((word if len(word) <= LONGEST else f"{word[:LONGEST]}…").split())


def find_nearest(word: str, words: Iterable[str], alike: float = 0.6) -> str:
    """The nearest of the right words in brackets, or ""."""
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=alike)
    return f" (did you mean {near[0]}?)" if near else ""


def hint(word: str, words: Iterable[str]) -> str:
    """The nearest right word, or all that there are."""
    known = list(words)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
