"""The columns of an Arrow table as texts and kept values, for all readers of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.columns import SEPARATOR, locate, names
from portrait.corpus.shards import Batch
from portrait.errors import BadRowError, CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.file_shard import Preceding


class TableChunk:
    """A :class:`portrait.corpus.shards.Chunk` of consecutive rows of a table.

    Args:
        label: The table's name in messages.
        first: The number of the first row, counted from 0 and from the end of the ``preceding`` rows.
        rows: The rows as an Arrow record batch.
        columns: The columns of text and those to keep.
        read_bytes: How much was read for this chunk.
        preceding: The rows of the file that precede the part of it that ``first`` counts in.
        codec: How the file compresses its first column, if it is a Parquet file.
    """

    def __init__(
        self,
        label: str,
        first: int,
        rows: Any,
        columns: Columns,
        read_bytes: int,
        preceding: Preceding | None = None,
        codec: str = "",
    ) -> None:
        self._label, self._first, self._rows, self._columns = label, first, rows, columns
        self._preceding = preceding
        self.codec = codec
        self.n_rows: int = rows.num_rows
        self.read_bytes = read_bytes

    @property
    def rows(self) -> Any:
        """The rows as an Arrow record batch, with all columns that were read."""
        return self._rows

    def batch(self) -> Batch:
        """Return the rows' texts and kept values.

        Raises:
            CorpusError: A column is missing, is not text, or holds null beside other columns of text.
        """
        columns = self._columns
        # Without rows, no column need be of text.
        rows = self._rows if self._rows.num_rows else no_rows(columns)
        tree = require_columns(columns, rows.schema, self._label)
        texts = [text_array(_column(rows, name, tree), name, self._label) for name in columns.text]
        kept = tuple(_column(rows, name, tree) for name in columns.keep)
        optional = {name: _column(rows, name, tree) for name in columns.optional if locate(name, tree)}
        for text in texts:
            require_small(text, columns, self._place)
        text = join(texts, columns.text, self._place)
        require_small(text, columns, self._place)
        return Batch(text, self._place, self.read_bytes, kept, optional)

    def places(self) -> list[str]:
        """Return the file and number of each row."""
        first = self._number()
        return [f"{self._label}:{first + row + 1}" for row in range(self.n_rows)]

    def slice(self, start: int, stop: int) -> TableChunk:
        """Return the rows from ``start`` up to ``stop``."""
        rows = self._rows.slice(start, stop - start)
        return TableChunk(self._label, self._first + start, rows, self._columns, 0, self._preceding)

    def __getstate__(self) -> dict[str, Any]:
        # A stream holds these rows only; Arrow would pickle all of the memory that they are a slice of.
        pa = extras.load("pyarrow", "build")
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._rows.schema) as stream:
            stream.write_batch(self._rows)
        return {**self.__dict__, "_rows": sink.getvalue()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        with extras.load("pyarrow", "build").ipc.open_stream(state["_rows"]) as stream:
            self._rows = stream.read_next_batch()

    def _place(self, row: int) -> str:
        return f"{self._label}, row {self._number() + row + 1}"

    def _number(self) -> int:
        return self._first + (self._preceding.count() if self._preceding else 0)


def no_rows(columns: Columns) -> Any:
    """Return a record batch without rows, all of whose columns are text."""
    pa = extras.load("pyarrow", "build")
    return pa.RecordBatch.from_pylist([], pa.schema([(name, pa.string()) for name in columns.all]))


def require_columns(columns: Columns, schema: Any, where: str) -> dict[str, Any]:
    """Check that an Arrow schema has all columns, each once.

    Returns:
        The schema as nested mappings from names to types, as :func:`portrait.corpus.columns.locate` reads.

    Raises:
        CorpusError: A column is missing, or two have its name.
    """
    tree = _tree(schema)
    for name in columns.all:
        if locate(name, tree) is None:
            raise columns.missing(name, names(tree), where)
    for first in _top_level(columns, tree):
        if schema.names.count(first) > 1:
            raise CorpusError(f"{where}: there are two columns {first!r}: rename one")
    return tree


def wanted_columns(columns: Columns, schema: Any) -> list[int]:
    """Return the numbers of the schema's fields that hold the columns, all of which it has."""
    top_level = _top_level(columns, _tree(schema))
    return [i for i, name in enumerate(schema.names) if name in top_level]


def _top_level(columns: Columns, tree: dict[str, Any]) -> set[str]:
    return {path[0] for name in columns.readable if (path := locate(name, tree))}


def _tree(fields: Any) -> dict[str, Any]:
    types = extras.load("pyarrow", "build").types
    return {
        field.name: _tree(field.type) if types.is_struct(field.type) else field.type
        for field in (fields.field(i) for i in range(_n_fields(fields)))
    }


def _n_fields(fields: Any) -> int:
    """Return the number of fields of a schema or of a struct type."""
    return fields.num_fields if hasattr(fields, "num_fields") else len(fields)


def _column(rows: Any, name: str, tree: dict[str, Any]) -> Any:
    first, *path = locate(name, tree) or (name,)
    column = rows.column(first)
    return extras.load("pyarrow.compute", "build").struct_field(column, path) if path else column


def text_array(column: Any, name: str, where: str) -> Any:
    """Return a column of text as an Arrow array of strings: dictionaries decoded, lists of strings joined.

    Raises:
        CorpusError: The column is not text.
    """
    pa = extras.load("pyarrow", "build")
    types = pa.types
    kind = column.type
    if _is_list(types, kind):
        texts = pa.large_string()
        inner = kind.value_type
        if types.is_string(inner) or types.is_large_string(inner) or types.is_string_view(inner):
            # A list that contains null becomes null: a missing text is an error, not an empty line.
            join_lists = extras.load("pyarrow.compute", "build").binary_join
            return join_lists(column.cast(pa.large_list(texts)), pa.scalar(SEPARATOR, texts))
    if types.is_dictionary(kind) or types.is_string_view(kind):
        kind = kind.value_type if types.is_dictionary(kind) else kind
        if types.is_string_view(kind) and types.is_dictionary(column.type):
            # Arrow cannot decode a dictionary of views.
            values = column.dictionary.cast(pa.large_string())
            column = pa.DictionaryArray.from_arrays(column.indices, values)
        if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
            column = column.cast(pa.large_string())
            kind = column.type
    if not (types.is_string(kind) or types.is_large_string(kind)):
        raise CorpusError(f"{where}: column {name!r} is {kind}, not text: choose another", parameter="column")
    return column


def require_small(texts: Any, columns: Columns, place: Callable[[int], str]) -> None:
    """Check that no text is larger than the limit.

    Args:
        texts: An Arrow array of strings or binary data.
        columns: The columns, and the limit.
        place: Names a row, counted from 0, for an error message.

    Raises:
        BadRowError: A text is larger.
    """
    limit = columns.max_document_bytes
    if texts.nbytes <= limit:
        return
    compute = extras.load("pyarrow.compute", "build")
    too_large = compute.greater(compute.binary_length(texts), limit)
    if (row := too_large.index(True).as_py()) >= 0:
        raise columns.too_large(place(row))


def longest_shared_value(rows: Any) -> int:
    """Return the bytes of the longest text that several rows of a record batch may share; 0 if none may.

    Rows share the values of a dictionary, and a view's bytes, until the texts are written out.
    """
    return max((_longest_shared(column) for column in rows.columns), default=0)


def _longest_shared(column: Any) -> int:
    types = extras.load("pyarrow", "build").types
    compute = extras.load("pyarrow.compute", "build")
    if types.is_struct(column.type):
        return max((_longest_shared(column.field(i)) for i in range(column.type.num_fields)), default=0)
    values = column.dictionary if types.is_dictionary(column.type) else column
    if types.is_string_view(values.type):
        # Nothing states their lengths but the views themselves: 16 bytes each, of which the first 4.
        views = memoryview(values.buffers()[1] or b"").cast("B").cast("I")[::4]
        return max(views[values.offset : values.offset + len(values)], default=0)
    if not types.is_dictionary(column.type) or not (
        types.is_string(values.type) or types.is_large_string(values.type)
    ):
        return 0
    return compute.max(compute.binary_length(values)).as_py() or 0


def _is_list(types: Any, kind: Any) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def join(texts: Sequence[Any], columns: Sequence[str], place: Any) -> Any:
    """Join columns of text row by row with line feeds; a single column is returned as it is, with its nulls.

    Args:
        texts: The columns, as Arrow arrays.
        columns: Their names.
        place: Names a row, counted from 0, for an error message.

    Raises:
        BadRowError: One of several columns is null.
    """
    if len(texts) == 1:
        return texts[0]
    pa = extras.load("pyarrow", "build")
    compute = extras.load("pyarrow.compute", "build")
    for text, name in zip(texts, columns, strict=True):
        if text.null_count:
            row = text.is_null().index(True).as_py()
            raise BadRowError(f"{place(row)}: column {name!r} holds null, not text")
    kind = pa.large_string()
    return compute.binary_join_element_wise(*(text.cast(kind) for text in texts), pa.scalar(SEPARATOR, kind))
