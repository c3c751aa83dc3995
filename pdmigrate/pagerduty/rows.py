"""The form of an account's raw rows, of a snapshot or of answers: lists by kind, and what is told beside them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from pdmigrate.pagerduty.arrivals import KINDS
from pdmigrate.pagerduty.not_carried import INVENTORY
from pdmigrate.wire.forms import FormError, read_form

Row = dict[str, Any]


class _Beside(BaseModel):
    """What is no list of rows. A list that is null was not read, as one that is absent."""

    model_config = ConfigDict(extra="allow")
    team_members: dict[str, list[Any] | None] | None = None
    handoff_rules: dict[str, list[Any]] | list[Any] | None = None
    unread: dict[str, str] | None = None
    renderings: dict[str, list[Row]] | None = None


_BESIDE = TypeAdapter(_Beside)


def check_rows(rows: Any) -> None:
    """Raise FormError, with the kind and the number of the row, unless these are an account's rows.

    A row of a kind that is carried over may be of any form: one that is none becomes a problem of the account.
    """
    read_form(_BESIDE, rows)
    for kind in (*KINDS, *INVENTORY):
        listed = rows.get(kind)
        if listed is None or (kind == "handoff_rules" and isinstance(listed, dict)):
            continue
        if not isinstance(listed, list):
            raise FormError(f"{kind} is no list")
        number = next((n for n, row in enumerate(listed) if kind in INVENTORY and not isinstance(row, dict)), None)
        if number is not None:
            raise FormError(f"{kind}.{number} is no object")
