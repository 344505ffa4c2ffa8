"""Messages: counts with their nouns, why pydantic refused a value in our own words, and lines of the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import ValidationError

_REASONS = {
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object",
    "extra_forbidden": "is not known here",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_type": "must be a whole number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "path_type": "must be a path",
    "string_type": "must be a string",
    "string_unicode": "must be Unicode",
    "too_long": "must have at most {max_length}",
    "too_short": "must have at least {min_length}",
    "tuple_type": "must be a list",
}


class Complaint(NamedTuple):
    """What is wrong with one value: the path to it, empty for the whole, and the reason."""

    where: str
    reason: str


class OneLineFormatter(logging.Formatter):
    """Formats each message as one line that a terminal can show: names of files may hold anything."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name that logging calls
        """Return the line, with escapes in place of line feeds and other characters that are not shown."""
        line = super().formatMessage(record)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun: ``1 character``, ``29,999 characters``.

    Args:
        n: How many.
        singular: The noun for one.
        plural: The noun for any other number; ``singular`` with an ``s`` if not given.
    """
    return f"{n:,} {singular if n == 1 else plural or f'{singular}s'}"


def complaints(error: ValidationError) -> Iterator[Complaint]:
    """Yield what pydantic found wrong, in our words and without repeating the input.

    Names of alternatives, which are in parentheses, are left out of the places.
    """
    for detail in error.errors(include_url=False, include_input=False):
        where = ".".join(place for place in map(str, detail["loc"]) if not place.startswith("("))
        yield Complaint(where, _reason(detail["type"], detail.get("ctx", {})))


def _reason(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    limits = {
        name: counted(int(value), "item") if name.endswith("_length") else _number(value)
        for name, value in context.items()
        if isinstance(value, int | float)
    }
    return _REASONS.get(kind, "is not valid").format_map(limits)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"
