"""The forms of what comes in: values that are checked once become typed ones, or one line that names the field."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, TypeAdapter, ValidationError

from pdmigrate.errors import shorten

T = TypeVar("T")


def _check_moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None and 1970 <= moment.year < 5000:  # so that it is one in every zone, too
            return text
    except ValueError:
        pass
    raise ValueError("is no moment with its zone, as 2026-11-23T12:00:00+00:00")


MomentText = Annotated[str, AfterValidator(_check_moment)]
"""A moment in ISO 8601 with its zone, as text."""
MaybeMoment = Annotated[str, AfterValidator(lambda text: text and _check_moment(text))]


def _check_file_name(text: str) -> str:
    if (
        text in ("", ".", "..")
        or not set(text).isdisjoint("/\\\0")
        or len(text.encode("utf-8", "replace")) > LONGEST_FILE
    ):
        raise ValueError("is no name of a file")
    return text


LONGEST_FILE = 255
"""Bytes: no system takes a longer name."""
FileName = Annotated[str, AfterValidator(_check_file_name)]
"""The name of one file, and no way to another folder."""
MaybeFileName = Annotated[str, AfterValidator(lambda text: text and _check_file_name(text))]


class FormError(ValueError):
    """Something has another form. The message names the field and can follow a name and a colon; it repeats no value."""


def read_form(form: TypeAdapter[T], data: Any) -> T:
    """The data as values of the form. Raises FormError that names the first field that does not fit."""
    try:
        return form.validate_python(data)
    except ValidationError as error:
        raise FormError(describe_form(error)) from None


def describe_form(error: ValidationError) -> str:
    """The first thing that does not fit, in words, and how many more there are."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(shorten(str(part)) for part in first["loc"]) or "the whole"
    more = f", and {error.error_count() - 1} more" if error.error_count() > 1 else ""
    if first["type"] in ("missing", "missing_argument"):
        return f"{place} is missing{more}"
    words = first["msg"].removeprefix("Value error, ")
    return f"{place}: {shorten(words[0].lower() + words[1:])}{more}"
