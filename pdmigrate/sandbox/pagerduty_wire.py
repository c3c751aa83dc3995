"""What an embedded PagerDuty says on the wire: its errors, its pages, its references."""

from flask import request

from pdmigrate.sandbox.gate import RefusedRequestError, has_manner
from pdmigrate.sandbox.store import Json

REFERENCE_FIELDS = ("id", "type", "summary", "self", "html_url")
REACHABLE = 10_000  # no list is read beyond this, however it is cut into pages
COUNTS_MORE = "counts_more"
"""The manner of a list that counts one more than it gives."""


def refusal(status: int, message: str, code: int, *errors: str) -> RefusedRequestError:
    """An error in PagerDuty's shape. The v3 endpoints have their errors by field, not in a list."""
    listed = {"base": list(errors)} if request.path.startswith("/v3/") else list(errors)
    return RefusedRequestError(status, {"error": {"message": message, "code": code, "errors": listed}})


def invalid(*errors: str) -> RefusedRequestError:
    return refusal(400, "Invalid Input Provided", 2001, *errors)


def forbidden(reason: str) -> RefusedRequestError:
    return refusal(403, "Access Denied", 2010, reason)


def not_found() -> RefusedRequestError:
    return refusal(404, "Not Found", 2100)


def payment_required(ability: str) -> RefusedRequestError:
    """What an account says of what its plan does not have."""
    return refusal(402, f"Account does not have the following ability: {ability}", 2014)


def error_as_text(words: str) -> RefusedRequestError:
    """A refusal whose `errors` is a text, no list."""
    return RefusedRequestError(400, {"error": {"message": "Invalid Input Provided", "code": 2001, "errors": words}})


def paged(records: list[Json], plural: str, limit: int = 25, most: int = 100) -> Json:
    """The page of `records` that the request asks for."""
    limit, offset = min(_number("limit", limit, least=1), most), _number("offset", 0, least=0)
    if offset + limit > REACHABLE:
        raise invalid(f"Offset plus limit must not exceed {REACHABLE}.")
    total = len(records) + has_manner(COUNTS_MORE) if asked("total") else None
    more = offset + limit < len(records)
    return {plural: records[offset : offset + limit], "limit": limit, "offset": offset, "more": more, "total": total}


def asked(name: str) -> bool:
    """Is the flag of that name true in the request?"""
    return request.args.get(name, "").lower() == "true"


def included(name: str) -> bool:
    """Does the request ask to include this?"""
    return name in request.args.getlist("include[]")


def as_reference(record: Json) -> Json:
    """A short form of a record; what is a reference already stays as it is."""
    kind = record.get("type") or ""
    if kind.endswith("_reference"):
        return record
    return {field: record.get(field) for field in REFERENCE_FIELDS} | {"type": f"{kind}_reference"}


def _number(name: str, default: int, least: int) -> int:
    text = request.args.get(name, str(default))
    if not text.lstrip("-").isdigit() or int(text) < least:
        raise invalid(f"{name.capitalize()} must be a whole number, {least} or more.")
    return int(text)
