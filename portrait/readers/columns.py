"""Checks that all columnar readers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable


def text_chunks(column: Any, name: str, where: str) -> list[Any]:
    """The Arrow arrays of a text column, decoded to plain strings where they are encoded.

    Raises :class:`CorpusError` where the column's type is not text.
    """
    pa = extras.load("pyarrow", "build")
    types = pa.types
    kind = column.type
    if types.is_dictionary(kind) or types.is_string_view(kind):
        kind = kind.value_type if types.is_dictionary(kind) else kind
        if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
            column = column.cast(pa.large_string())
            kind = column.type
    if not (types.is_string(kind) or types.is_large_string(kind)):
        raise CorpusError(f"{where}: column {name!r} is {kind}, not text: choose another with --column")
    return list(column.chunks) if isinstance(column, pa.ChunkedArray) else [column]


def require_column(name: str, columns: Iterable[str], where: str) -> None:
    """Raise :class:`CorpusError` unless ``name`` is one of ``columns``."""
    columns = list(columns)
    if name not in columns:
        there = ", ".join(columns[:20]) or "none"
        raise CorpusError(f"{where}: no column {name!r}, only {there}: choose one with --column")
