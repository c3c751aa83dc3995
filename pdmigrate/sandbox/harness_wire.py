"""What an embedded Harness puts on the wire: its envelope, its pages, its three shapes of an error."""

import math
import re
import uuid
from collections.abc import Callable
from typing import Any

from flask import Response, request

from pdmigrate.sandbox.gate import RefusedRequestError, answer
from pdmigrate.sandbox.store import Json

APOLOGY = "Oops, something went wrong on our end. Please contact Harness Support."


def success(data: Any, status: int = 200) -> Response:
    return answer({"status": "SUCCESS", "data": data, "metaData": None, "correlationId": str(uuid.uuid4())}, status)


def failure(errors: list[tuple[str, str]], code: str = "INVALID_REQUEST", status: int = 400) -> RefusedRequestError:
    """Shape A: a request that did not pass validation. `errors` are pairs of a field and what is wrong with it."""
    message = ", ".join(f"{field}: {error}" for field, error in errors)
    listed = [{"fieldId": field, "error": error} for field, error in errors]
    body = {"status": "FAILURE", "code": code, "message": message}
    return RefusedRequestError(status, body | {"correlationId": str(uuid.uuid4()), "errors": listed})


def absent(message: str, status: int = 400) -> RefusedRequestError:
    """Shape A for what is not there; Harness says it with 400 or with 404."""
    body = {"status": "FAILURE", "code": "RESOURCE_NOT_FOUND_EXCEPTION", "message": message}
    return RefusedRequestError(status, body | {"correlationId": str(uuid.uuid4()), "errors": []})


def error(code: str, message: str, status: int = 400) -> RefusedRequestError:
    """Shape B: a business refusal."""
    return RefusedRequestError(status, _error_body(code, message))


def denied(permission: str, resource: str, principal: str, scope: Json) -> RefusedRequestError:
    """Shape C: the key may not do this."""
    lacking = f"Missing permission {permission} on {resource.lower()}"
    message = f"Principal of type USER with identifier {principal} : {lacking}"
    check = {"resourceScope": scope, "resourceType": resource, "resourceIdentifier": None, "resourceAttributes": None}
    body = _error_body("NG_ACCESS_DENIED", message)
    return RefusedRequestError(403, body | {"failedPermissionChecks": [check | {"permission": permission}]})


def _error_body(code: str, message: str) -> Json:
    told: Json = {"code": code, "level": "ERROR", "message": message, "exception": None, "failureTypes": []}
    body = {"status": "ERROR", "code": code, "message": message, "correlationId": str(uuid.uuid4())}
    return body | {"detailedMessage": None, "responseMessages": [told], "metadata": None}


def read_body() -> Json:
    """The JSON body; an absent one reads as an empty object."""
    if not request.get_data():
        return {}
    if not request.is_json:
        raise failure([("Content-Type", "Media type is not supported")], code="MEDIA_NOT_SUPPORTED", status=415)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise failure([("body", "Unable to process JSON")])
    return body


def page_of(
    rows: list[Json],
    show: Callable[[Json], Json],
    index_name: str = "pageIndex",
    size_name: str = "pageSize",
    size: int = 50,
) -> Json:
    """The page of `rows` that the query asks for, in Harness's frame; only what is on it is made to be shown."""
    index = read_number(index_name, 0, 0)
    size = read_number(size_name, size, 1)
    content = [show(row) for row in rows[index * size : (index + 1) * size]]
    counts = {"totalPages": math.ceil(len(rows) / size), "totalItems": len(rows), "pageItemCount": len(content)}
    place = {"pageSize": size, "content": content, "pageIndex": index, "empty": not content, "pageToken": None}
    return counts | place


def read_number(name: str, default: int, least: int, most: int | None = None) -> int:
    """A whole number of the query, or its default. Refuses what is out of bounds."""
    text = request.args.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise failure([(name, f"must be greater than or equal to {least}")])
    if most is not None and int(text) > most:
        raise failure([(name, f"must be less than or equal to {most}")])
    return int(text)


def read_pattern(text: str | None, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    """A search term as Harness takes it: a live regular expression. A broken one is its error 500."""
    try:
        return re.compile(text or "", flags)
    except re.error:
        raise error("UNKNOWN_ERROR", APOLOGY, 500) from None
