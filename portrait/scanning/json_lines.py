"""The rows of a scan as JSON lines."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from portrait.corpus.rows import Row


class JsonLines:
    """An object a line: ``row``, ``place``, ``values`` if columns are kept, and the record's fields."""

    def encode(
        self,
        rows: Sequence[Row],
        kept: Sequence[Any],  # noqa: ARG002
        records: Sequence[dict[str, Any]],
    ) -> bytes:
        """Return some rows as lines, in ASCII. See :meth:`RowFile.encode`."""
        return "".join(
            to_json(
                {
                    "row": row.number,
                    "place": row.place,
                    **({"values": row.values} if row.values else {}),
                    **record,
                }
            )
            + "\n"
            for row, record in zip(rows, records, strict=True)
        ).encode()

    def finish(self, parts: Path, whole: Path, *, facts: Mapping[str, str]) -> Path:  # noqa: ARG002
        """Return ``parts``: the pieces end to end are the file."""
        return parts


def _simple(value: Any) -> Any:
    """Return a value of a table that JSON has no type for as a string."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _finite(value: Any) -> Any:
    """Return a value with null in place of the numbers that JSON does not have."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {str(name): _finite(member) for name, member in value.items()}
        case list() | tuple():
            return [_finite(member) for member in value]
    return value


#: ``json.dumps`` would make an encoder for every value.
_ENCODER = json.JSONEncoder(allow_nan=False, default=_simple)


def to_json(value: Any) -> str:
    """Return a value of a row as JSON.

    Dates and times become ISO 8601, bytes become base64, and numbers that JSON does not have become null.
    """
    try:
        return _ENCODER.encode(value)
    except (ValueError, TypeError):
        return _ENCODER.encode(_finite(value))
