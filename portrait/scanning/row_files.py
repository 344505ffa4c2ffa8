"""Rows of a scan as JSON lines or as Parquet: made piece by piece, put together at the end."""

from __future__ import annotations

import base64
import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from portrait import extras
from portrait.answers.record import FIELDS, MATCHES, OF_MATCH, SOURCES
from portrait.errors import SpecError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.corpus.rows import Row

#: Rows in a group of a Parquet file.
_GROUP_ROWS = 1 << 14
#: Ahead of each piece of a Parquet file in the making: how many bytes follow.
_LENGTH_BYTES = 8
#: In a field's metadata: its values are JSON in text; it holds whole numbers that no double does.
_JSON, _WIDE = b"json", b"wide"
_EXACT = 1 << 53


class RowFile(Protocol):
    """A format for a scan's rows."""

    def encode(self, rows: Sequence[Row], kept: Sequence[Any], findings: Sequence[dict[str, Any]]) -> bytes:
        """Some rows; such pieces end to end are the file in the making.

        ``kept`` are the columns that the rows' ``values`` come from.
        """

    def finish(self, parts: Path, whole: Path) -> Path:
        """Where the file is that all pieces make: at ``whole``, or ``parts`` is that file."""


def of_name(name: str, keep: Sequence[str], *, matches: bool) -> RowFile:
    """The format that a file's name calls for. Raises :class:`SpecError` where it is none of them."""
    lower = name.lower()
    if lower.endswith((".jsonl", ".ndjson")):
        return JsonLines()
    if lower.endswith(".parquet"):
        return Parquet(tuple(keep), matches)
    raise SpecError(f"{name}: cannot tell the format: name the output .jsonl or .parquet")


class JsonLines:
    """An object a line: ``row``, ``place``, ``values`` if columns are kept, and the finding."""

    def encode(
        self,
        rows: Sequence[Row],
        kept: Sequence[Any],  # noqa: ARG002
        findings: Sequence[dict[str, Any]],
    ) -> bytes:
        """Some lines, in ASCII."""
        return "".join(
            _dumps(
                {
                    "row": row.number,
                    "place": row.place,
                    **({"values": row.values} if row.values else {}),
                    **found,
                }
            )
            + "\n"
            for row, found in zip(rows, findings, strict=True)
        ).encode()

    def finish(self, parts: Path, whole: Path) -> Path:  # noqa: ARG002
        """The pieces end to end are the file."""
        return parts


class Parquet:
    """A table of the same columns, ``values`` being a struct.

    A kept column has the type that it has in the source; one of JSON lines that of its values: where these
    are of several types, objects or arrays, they are written as JSON. Before it is finished, such
    a file is a sequence of Arrow streams, each with its length ahead of it.
    """

    def __init__(self, keep: tuple[str, ...], matches: bool) -> None:
        self.keep, self.matches = keep, matches

    def encode(self, rows: Sequence[Row], kept: Sequence[Any], findings: Sequence[dict[str, Any]]) -> bytes:
        """Some rows as an Arrow stream."""
        pa = extras.load("pyarrow", "build")
        columns: dict[str, Any] = {
            "row": pa.array([row.number for row in rows], "int64"),
            "place": pa.array([printable(row.place) for row in rows], "string"),
        }
        if self.keep:
            fields, arrays = [], []
            for name, column in zip(self.keep, kept, strict=True):
                array, marks = _array(pa, column) if isinstance(column, list) else (_plain(pa, column), {})
                fields.append(pa.field(printable(name), array.type, metadata=marks))
                arrays.append(array)
            columns["values"] = pa.StructArray.from_arrays(arrays, fields=fields)
        for name, kind in self._types(pa).items():
            columns[name] = pa.array([found[name] for found in findings], kind)
        batch = pa.record_batch(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        data: bytes = sink.getvalue().to_pybytes()
        return len(data).to_bytes(_LENGTH_BYTES, "little") + data

    def _types(self, pa: Any) -> dict[str, Any]:
        types: dict[str, Any] = {name: pa.type_for_alias(kind) for name, kind in FIELDS.items()}
        types[SOURCES] = pa.list_(pa.string())
        if self.matches:
            match = pa.struct([(name, pa.type_for_alias(kind)) for name, kind in OF_MATCH.items()])
            types[MATCHES] = pa.list_(match)
        return types

    def finish(self, parts: Path, whole: Path) -> Path:
        """Give all pieces one type, and write them as groups of rows."""
        pa = extras.load("pyarrow", "build")
        parquet = extras.load("pyarrow.parquet", "build")
        schema = pa.schema({"row": pa.int64(), "place": pa.string()})
        kinds = [_one_kind(pa, fields) for fields in self._fields(pa, parts)] if self.keep else []
        if self.keep:
            names = [printable(name) for name in self.keep]
            values = [pa.field(name, kind or pa.string()) for name, kind in zip(names, kinds, strict=True)]
            schema = schema.append(pa.field("values", pa.struct(values)))
        for name, kind in self._types(pa).items():
            schema = schema.append(pa.field(name, kind))
        with parquet.ParquetWriter(whole, schema, compression="zstd") as writer:
            for group in _groups(
                pa, (self._unified(pa, batch, schema, kinds) for batch in _batches(pa, parts))
            ):
                writer.write_table(group, row_group_size=_GROUP_ROWS)
        return whole

    def _fields(self, pa: Any, parts: Path) -> list[list[Any]]:
        """For each kept column, the different fields that it has in the pieces."""
        found: list[dict[Any, Any]] = [{} for _ in self.keep]
        for batch in _batches(pa, parts):
            kind = batch.schema.field("values").type
            for i, fields in enumerate(found):
                field = kind.field(i)
                fields[field.type, tuple(field.metadata or ())] = field
        return [list(fields.values()) for fields in found]

    def _unified(self, pa: Any, batch: Any, schema: Any, kinds: list[Any]) -> Any:
        """A piece's rows in the types of the whole."""
        columns = [batch.column(i) for i in range(batch.num_columns)]
        if self.keep:
            i = schema.get_field_index("values")
            fields = batch.schema.field(i).type
            arrays = [
                _as_kind(pa, columns[i].field(j), fields.field(j), kind) for j, kind in enumerate(kinds)
            ]
            columns[i] = pa.StructArray.from_arrays(arrays, fields=list(schema.field(i).type))
        return pa.Table.from_arrays(columns, schema=schema)


def _batches(pa: Any, parts: Path) -> Iterator[Any]:
    with parts.open("rb") as file:
        while length := file.read(_LENGTH_BYTES):
            with pa.ipc.open_stream(file.read(int.from_bytes(length, "little"))) as stream:
                yield from stream


def _groups(pa: Any, tables: Iterator[Any]) -> Iterator[Any]:
    """The same rows in tables of one size, so that how they came in pieces leaves no trace."""
    waiting: list[Any] = []
    n_rows = 0
    for table in tables:
        waiting.append(table)
        n_rows += table.num_rows
        while n_rows >= _GROUP_ROWS:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, _GROUP_ROWS)
            waiting = [whole.slice(_GROUP_ROWS)]
            n_rows -= _GROUP_ROWS
    if n_rows:
        yield pa.concat_tables(waiting)


def _plain(pa: Any, array: Any) -> Any:
    """A column decoded, where its text is encoded."""
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _array(pa: Any, values: list[Any]) -> tuple[Any, dict[bytes, bytes]]:
    """Values as an Arrow array, and marks on it; as JSON where they are of no one simple type."""
    kinds = {type(value) for value in values} - {type(None)}
    if (len(kinds) <= 1 or kinds == {int, float}) and not kinds & {list, dict}:
        wide = any(abs(value) > _EXACT for value in values if type(value) is int)
        with suppress(pa.ArrowException, UnicodeEncodeError, OverflowError):
            return pa.array(values), {_WIDE: b""} if wide else {}
    return pa.array([None if value is None else _dumps(value) for value in values], "string"), {_JSON: b""}


def _one_kind(pa: Any, fields: Sequence[Any]) -> Any:
    """The type that holds all of these; nothing where only JSON does."""
    kinds = {field.type for field in fields} - {pa.null()}
    marks = {mark for field in fields for mark in field.metadata or ()}
    if _JSON in marks:
        return None
    if not kinds:
        return pa.string()
    if len(kinds) == 1:
        return kinds.pop()
    return pa.float64() if kinds == {pa.int64(), pa.float64()} and _WIDE not in marks else None


def _as_kind(pa: Any, array: Any, field: Any, kind: Any) -> Any:
    if kind is not None:
        return pa.nulls(len(array), kind) if pa.types.is_null(array.type) else array.cast(kind)
    if _JSON in (field.metadata or ()):
        return array
    return pa.array([None if value is None else _dumps(value) for value in array.to_pylist()], "string")


def _simple(value: Any) -> Any:
    """What JSON has no word for, of the things that tables hold."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _finite(value: Any) -> Any:
    """A value in which null stands for the numbers that JSON does not have."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {str(name): _finite(member) for name, member in value.items()}
        case list() | tuple():
            return [_finite(member) for member in value]
    return value


#: Made once: ``json.dumps`` would make one for every value.
_ENCODER = json.JSONEncoder(allow_nan=False, default=_simple)


def _dumps(value: Any) -> str:
    try:
        return _ENCODER.encode(value)
    except (ValueError, TypeError):
        return _ENCODER.encode(_finite(value))
