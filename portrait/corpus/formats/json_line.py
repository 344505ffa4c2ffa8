"""One line of JSON, parsed by Python, with an error for whatever is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from portrait.corpus.columns import SEPARATOR, locate, names
from portrait.errors import BadRowError
from portrait.strict_json import nests_deeper

if TYPE_CHECKING:
    from portrait.corpus.columns import Columns


#: How deep the arrays and objects of a row may stand in each other where Python parses it, whose own limit
#: depends on its version and on what else is on the stack, and is at least twice as large.
MAX_ROW_DEPTH = 400


class JsonRow(NamedTuple):
    """The text of a line, the values of the columns to keep, and those of the optional ones it has."""

    text: str
    kept: list[Any]
    optional: dict[str, Any]


def parse_line(line: bytes, columns: Columns, place: object) -> JsonRow:
    """Parse a line.

    Args:
        line: The line.
        columns: The columns of text and those to keep.
        place: The file and line, printed only in errors.

    Raises:
        BadRowError: The line is not an object, lacks a column, or a column of text is not text.
    """
    row = _object(line, place)
    texts = [_text(_value(row, name, columns, place), name, place) for name in columns.text]
    text = texts[0] if len(texts) == 1 else SEPARATOR.join(texts)
    kept = [_value(row, name, columns, place) for name in columns.keep]
    present = [name for name in columns.optional if locate(name, row)]
    return JsonRow(text, kept, {name: _value(row, name, columns, place) for name in present})


def _object(line: bytes, place: object) -> dict[str, Any]:
    if nests_deeper(line, MAX_ROW_DEPTH):
        raise BadRowError(f"{place}: JSON nested more than {MAX_ROW_DEPTH} deep: flatten it or leave it out")
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise BadRowError(
            f"{place}: not UTF-8 at byte {error.start} of the line: convert it to UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadRowError(
            f"{place}: not JSON: {error}: if this is plain text, say so by its format", parameter="format"
        ) from error
    if not isinstance(row, dict):
        raise BadRowError(f"{place}: a JSON {_kind(row)} instead of an object")
    return row


def _value(row: dict[str, Any], name: str, columns: Columns, place: object) -> Any:
    path = locate(name, row)
    if path is None:
        raise columns.missing(name, names(row), place, BadRowError)
    value: Any = row
    for member in path:
        value = value[member]
    return value


def _text(value: Any, name: str, place: object) -> str:
    if isinstance(value, list):
        return SEPARATOR.join(_string(one, f"{name}[{i}]", place) for i, one in enumerate(value))
    return _string(value, name, place)


def _string(value: Any, name: str, place: object) -> str:
    if not isinstance(value, str):
        raise BadRowError(f"{place}: column {name!r} holds {_kind(value)}, not text")
    try:
        # Python knows of ASCII strings that they can be encoded, and need not try.
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError as error:
        raise BadRowError(
            f"{place}: column {name!r} has a lone surrogate at character {error.start}"
        ) from error
    return value


def _kind(value: Any) -> str:
    """Return what JSON calls a value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
