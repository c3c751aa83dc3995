"""What an embedded PagerDuty says on the wire: its errors, its pages, its references."""

from flask import Response, request

REFERENCE_FIELDS = ("id", "type", "summary", "self", "html_url")
REACHABLE = 10_000  # no list is read beyond this, however it is cut into pages
HTML_BAD_GATEWAY = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<h1>502 Bad Gateway</h1>\r\n</body>\r\n</html>\r\n"


class RefusalError(Exception):
    """A request that is answered with an error in PagerDuty's shape."""

    def __init__(self, status: int, message: str, code: int, *errors: str):
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "code": code, "errors": list(errors)}}


def invalid(*errors: str) -> RefusalError:
    return RefusalError(400, "Invalid Input Provided", 2001, *errors)


def unauthorized() -> RefusalError:
    return RefusalError(401, "Unauthorized", 2006, "The token is not known, or it was revoked.")


def forbidden() -> RefusalError:
    return RefusalError(403, "Access Denied", 2010, "This API key is read-only.")


def not_found() -> RefusalError:
    return RefusalError(404, "Not Found", 2100)


def too_many() -> RefusalError:
    return RefusalError(429, "Rate Limit Exceeded", 2020)


def answer_refusal(refusal: RefusalError) -> tuple[dict, int]:
    """The answer to a refused request. The v3 endpoints have their errors by field, not in a list."""
    body = refusal.body["error"]
    if request.path.startswith("/v3/"):
        body = {**body, "errors": {"base": body["errors"]}}
    return {"error": body}, refusal.status


def bad_gateway() -> Response:
    return Response(HTML_BAD_GATEWAY, status=502, mimetype="text/html")


def paged(records: list, plural: str, limit: int = 25, most: int = 100) -> dict:
    """The page of `records` that the request asks for."""
    limit, offset = min(_number("limit", limit, least=1), most), _number("offset", 0, least=0)
    if offset + limit > REACHABLE:
        raise invalid(f"Offset plus limit must not exceed {REACHABLE}.")
    total = len(records) if asked("total") else None
    more = offset + limit < len(records)
    return {plural: records[offset : offset + limit], "limit": limit, "offset": offset, "more": more, "total": total}


def asked(name: str) -> bool:
    """Is the flag of that name true in the request?"""
    return request.args.get(name, "").lower() == "true"


def included(name: str) -> bool:
    """Does the request ask to include this?"""
    return name in request.args.getlist("include[]")


def as_reference(record: dict) -> dict:
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
