"""JSON lines parsed by Arrow, a whole chunk at a time, where the outcome is what JSON says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from portrait import extras
from portrait.corpus.columns import locate
from portrait.corpus.formats.json_line import MAX_ROW_DEPTH
from portrait.corpus.formats.projection import join
from portrait.strict_json import nests_deeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.corpus.columns import Columns

#: Arrow types by the path to a column.
_Types: TypeAlias = dict[tuple[str, ...], Any]

#: The Arrow types of those Python values that Arrow's JSON and Python's never tell apart.
_ARROW_TYPES = {str: "large_string", int: "int64"}


class ParsedChunk(NamedTuple):
    """An Arrow array of texts, the values of each column to keep, and those of the optional ones by name."""

    texts: Any
    kept: tuple[list[Any], ...]
    optional: dict[str, list[Any]]


def parse_chunk(
    data: bytes, n_rows: int, columns: Columns, place: Callable[[int], str]
) -> ParsedChunk | None:
    """Parse JSON lines.

    Args:
        data: The lines.
        n_rows: The number of lines that are not blank.
        columns: The columns of text and those to keep.
        place: Names a row for an error message.

    Returns:
        The texts and values; ``None`` where a line may be wrong, or where Arrow might not give what JSON
        says.
    """
    table = _read(data, columns)
    if table is None or table[0].num_rows != n_rows:
        return None
    rows, types, optional = table
    values = [_column(rows, path) for path in types]
    # Arrow makes nulls of members that are missing, too.
    if any(column.null_count for column in values):
        return None
    n_texts, n_kept = len(columns.text), len(columns.keep)
    texts = join(values[:n_texts], columns.text, place)
    lists = [column.to_pylist() for column in values[n_texts:]]
    return ParsedChunk(texts, tuple(lists[:n_kept]), dict(zip(optional, lists[n_kept:], strict=True)))


def _read(data: bytes, columns: Columns) -> tuple[Any, _Types, list[str]] | None:
    """Return Arrow's table of the lines, the paths in it, and the optional columns among them.

    ``None`` where Arrow refuses or may err.
    """
    pa = extras.load("pyarrow", "build")
    arrow_json = extras.load("pyarrow.json", "build")
    # Arrow counts the bytes of a block in 32 bits.
    if len(data) >= 1 << 31:
        return None
    # Arrow's parser crashes if a chunk begins with null (apache/arrow#47409).
    if not data.lstrip().startswith(b"{"):
        return None
    try:
        typed = _types(data, columns)
        if typed is None:
            return None
        types, optional = typed
        options = arrow_json.ParseOptions(explicit_schema=_schema(types), unexpected_field_behavior="ignore")
        block = arrow_json.ReadOptions(use_threads=False, block_size=len(data))
        return arrow_json.read_json(pa.BufferReader(data), block, options), types, optional
    except (pa.ArrowInvalid, ValueError, RecursionError):
        return None


def _types(data: bytes, columns: Columns) -> tuple[_Types, list[str]] | None:
    """Return the columns' paths and types in the first line, and the optional ones that it has.

    ``None`` if Arrow cannot be trusted with them.

    Without columns to keep, rows may be nested as deeply as memory lasts.

    If they are elsewhere in another line, Arrow finds nulls there; a value of another type it refuses. Only
    texts and whole numbers are the same to Arrow and to JSON: left to itself, Arrow takes a text that looks
    like a date for one.
    """
    pa = extras.load("pyarrow", "build")
    if columns.plain and not columns.keep and not columns.optional:
        return {(name,): pa.large_string() for name in columns.text}, []
    # Whether a row is read must not depend on the rows beside it.
    if any(nests_deeper(line, MAX_ROW_DEPTH) for line in data.split(b"\n")):
        return None
    first = json.loads(data.lstrip().partition(b"\n")[0])
    types: _Types = {locate(name, first) or (name,): pa.large_string() for name in columns.text}
    optional = [name for name in columns.optional if locate(name, first)]
    for name in (*columns.keep, *optional):
        path = locate(name, first)
        value: Any = first
        for member in path or ():
            value = value[member]
        arrow_type = _ARROW_TYPES.get(type(value))
        if path is None or arrow_type is None:
            return None
        types[path] = getattr(pa, arrow_type)()
    # A column that is wanted twice, or together with a part of it, would be one column of the table.
    distinct = len(types) == len(columns.text) + len(columns.keep) + len(optional)
    disjoint = not any(one[: len(other)] == other for one in types for other in types if one is not other)
    return (types, optional) if distinct and disjoint else None


def _column(rows: Any, path: tuple[str, ...]) -> Any:
    first, *members = path
    column = rows.column(first).combine_chunks()
    return extras.load("pyarrow.compute", "build").struct_field(column, members) if members else column


def _schema(types: _Types) -> Any:
    """Return the schema in which each path leads to a value of its type."""
    pa = extras.load("pyarrow", "build")
    tree: dict[str, Any] = {}
    for path, type_ in types.items():
        *structs, last = path
        inner = tree
        for name in structs:
            inner = inner.setdefault(name, {})
        inner[last] = type_

    def arrow_type(inner: Any) -> Any:
        if not isinstance(inner, dict):
            return inner
        return pa.struct([(name, arrow_type(member)) for name, member in inner.items()])

    return pa.schema([(name, arrow_type(inner)) for name, inner in tree.items()])
