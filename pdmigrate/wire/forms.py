"""The forms of what comes in: values that are checked once become typed ones, or one line that names the field."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pdmigrate.errors import shorten

T = TypeVar("T")


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
