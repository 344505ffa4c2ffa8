"""JSON of large answers, written in steps, so that other threads get the interpreter in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How many items of a list are written without a break.
_STEP = 500


def encode(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, followed by a line feed."""
    return "".join([*_pieces(value), "\n"]).encode()


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _joined("{", ((_dump(name) + ":", item) for name, item in value.items()), "}")
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        yield from _joined("[", (("", item) for item in value), "]")
    elif isinstance(value, list) and len(value) > _STEP:
        # A part of a list is written as a list, without its brackets.
        parts = (value[start : start + _STEP] for start in range(0, len(value), _STEP))
        yield "["
        for n, part in enumerate(parts):
            yield ("," if n else "") + _dump(part)[1:-1]
        yield "]"
    else:
        yield _dump(value)


def _joined(opening: str, items: Iterator[tuple[str, Any]], closing: str) -> Iterator[str]:
    yield opening
    for n, (name, item) in enumerate(items):
        yield ("," if n else "") + name
        yield from _pieces(item)
    yield closing


def _dump(value: Any) -> str:
    # Escapes would make texts in most languages several times as long.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
