"""What every step's result knows of itself, so that nothing needs to ask of which type it is."""

from typing import Any, ClassVar

from pdmigrate.errors import PdmigrateError
from pdmigrate.mapping.draft import Draft

STATUSES = {0: "done", 3: "waiting", 4: "refused", 5: "partial"}
"""Exit codes to the words of a page and of summary.json."""


class Result:
    """What a step found. `step` is its name, and that of its page. FRAMES: what of it is a data frame (docs/frames.md)."""

    step: ClassVar[str]
    FRAMES: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        """Short, and without anybody's data: a notebook shows it wherever a cell ends with the result."""
        frames = f" Data frames: {', '.join(self.FRAMES)}." if self.FRAMES else ""
        return f"<{self.step}: {self.status}.{frames} Its page, by parts: look(...).>"

    @property
    def error(self) -> PdmigrateError | None:
        """What stops the run after this step, if anything does."""
        return None

    @property
    def status(self) -> str:
        return STATUSES[self.error.exit_code if self.error else 0]

    def summarise(self) -> dict[str, Any]:
        """The step's part of summary.json."""
        return {}


def summarise_draft(draft: Draft, landed: bool = False) -> dict[str, Any]:
    """What becomes of the source, in numbers. landed: after the load, by what Harness has."""
    return {
        "kinds": draft.count_kinds(landed),
        "fields": draft.count_fields(),
        "out_of_scope": draft.count_out_of_scope(),
        "inventory": draft.account.inventory,
        "conflicts": draft.count_conflicts(),
        "snapshot_digest": draft.account.digest,
    }
