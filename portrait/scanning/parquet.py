"""The rows of a scan as a Parquet file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.answers.record import FIELDS, MATCH_FIELDS, MATCHES, PORTRAIT_FIELDS, PORTRAITS, SOURCES
from portrait.errors import printable
from portrait.scanning.json_lines import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from portrait.corpus.rows import Row

#: Rows in a row group.
_GROUP_ROWS = 1 << 14
#: Each piece of an unfinished file begins with its length, in so many bytes.
_LENGTH_BYTES = 8
#: Marks in a field's metadata: the values are JSON as text; they hold whole numbers that no double holds.
_JSON, _WIDE = b"json", b"wide"
_EXACT = 1 << 53


class Parquet:
    """A table with the columns of the JSON lines; ``values`` is a struct.

    A kept column has its type in the source. A column of JSON lines has the type of its values; values of
    several types, objects and arrays become JSON as text. The unfinished file is a sequence of Arrow
    streams, each preceded by its length.

    Args:
        keep: The names of the kept columns.
        matches: Whether the records list matches.
        several: Whether the records list what each of several portraits says.
    """

    def __init__(self, keep: tuple[str, ...], matches: bool, several: bool) -> None:
        self.keep, self.matches, self.several = keep, matches, several

    def encode(self, rows: Sequence[Row], kept: Sequence[Any], records: Sequence[dict[str, Any]]) -> bytes:
        """Return some rows as an Arrow stream. See :meth:`RowFile.encode`."""
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
            columns[name] = pa.array([record[name] for record in records], kind)
        batch = pa.record_batch(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        data: bytes = sink.getvalue().to_pybytes()
        return len(data).to_bytes(_LENGTH_BYTES, "little") + data

    def _types(self, pa: Any) -> dict[str, Any]:
        """Return the Arrow types of a record's fields."""
        types: dict[str, Any] = {name: pa.type_for_alias(kind) for name, kind in FIELDS.items()}
        types[SOURCES] = pa.list_(pa.string())
        for is_listed, list_name, fields in (
            (self.several, PORTRAITS, PORTRAIT_FIELDS),
            (self.matches, MATCHES, MATCH_FIELDS),
        ):
            if is_listed:
                member = pa.struct([(name, pa.type_for_alias(kind)) for name, kind in fields.items()])
                types[list_name] = pa.list_(member)
        return types

    def finish(self, parts: Path, whole: Path, *, facts: Mapping[str, str]) -> Path:
        """Give all pieces the same types, and write them as row groups. See :meth:`RowFile.finish`.

        The facts become the schema's metadata.
        """
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
        with parquet.ParquetWriter(whole, schema.with_metadata(facts), compression="zstd") as writer:
            for group in _groups(
                pa, (self._unified(pa, batch, schema, kinds) for batch in _batches(pa, parts))
            ):
                writer.write_table(group, row_group_size=_GROUP_ROWS)
        return whole

    def _fields(self, pa: Any, parts: Path) -> list[list[Any]]:
        """Return, for each kept column, the different fields that it has in the pieces."""
        columns: list[dict[Any, Any]] = [{} for _ in self.keep]
        for batch in _batches(pa, parts):
            kind = batch.schema.field("values").type
            for i, fields in enumerate(columns):
                field = kind.field(i)
                fields[field.type, tuple(field.metadata or ())] = field
        return [list(fields.values()) for fields in columns]

    def _unified(self, pa: Any, batch: Any, schema: Any, kinds: list[Any]) -> Any:
        """Return a piece's rows in the types of the whole file."""
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
    """Read the pieces of an unfinished file."""
    with parts.open("rb") as file:
        while length := file.read(_LENGTH_BYTES):
            with pa.ipc.open_stream(file.read(int.from_bytes(length, "little"))) as stream:
                yield from stream


def _groups(pa: Any, tables: Iterator[Any]) -> Iterator[Any]:
    """Yield the same rows in tables of one size, so that the pieces' sizes leave no trace."""
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
    """Return a column with its dictionary, if it has one, decoded."""
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _array(pa: Any, values: list[Any]) -> tuple[Any, dict[bytes, bytes]]:
    """Return values as an Arrow array with its marks: as JSON unless they are of one simple type."""
    kinds = {type(value) for value in values} - {type(None)}
    if (len(kinds) <= 1 or kinds == {int, float}) and not kinds & {list, dict}:
        wide = any(abs(value) > _EXACT for value in values if type(value) is int)
        with suppress(pa.ArrowException, UnicodeEncodeError, OverflowError):
            return pa.array(values), {_WIDE: b""} if wide else {}
    return pa.array([None if value is None else to_json(value) for value in values], "string"), {_JSON: b""}


def _one_kind(pa: Any, fields: Sequence[Any]) -> Any:
    """Return the type that holds the values of all fields, or ``None`` if only JSON does."""
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
    """Return an array as ``kind``, or as JSON if that is ``None``."""
    if kind is not None:
        return pa.nulls(len(array), kind) if pa.types.is_null(array.type) else array.cast(kind)
    if _JSON in (field.metadata or ()):
        return array
    return pa.array([None if value is None else to_json(value) for value in array.to_pylist()], "string")
