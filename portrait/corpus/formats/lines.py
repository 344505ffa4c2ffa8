"""Chunks of JSON lines.

Arrow parses whole chunks; only when a chunk does not come out right is it gone through line by
line, to say which line is wrong and how.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from portrait import extras
from portrait.corpus.columns import SEPARATOR, locate, names
from portrait.corpus.formats.projection import join
from portrait.corpus.shards import Batch
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.file import Before


#: What Arrow takes for the values that Python's JSON gives, if nothing can differ.
_ARROW_TYPES = {str: "large_string", int: "int64"}


class Lines:
    """A chunk of whole lines; a :class:`portrait.corpus.shards.Chunk`.

    ``line`` is the number of the first, from 1, not counting the lines ``before`` a part of a file.
    """

    def __init__(
        self,
        label: str,
        chunk: bytes,
        line: int,
        columns: Columns,
        read_bytes: int,
        before: Before | None = None,
    ) -> None:
        self.label, self.chunk, self.columns = label, chunk, columns
        self.read_bytes = read_bytes
        self._line, self._before = line, before

    @property
    def first_line(self) -> int:
        """The number of the first line in its file. Raises :class:`UnreadableFileError`."""
        return self._line + (self._before.count() if self._before else 0)

    @cached_property
    def n_rows(self) -> int:
        """How many lines are not blank."""
        # A regular expression for blank lines would take longer than Arrow takes to parse them all.
        return sum(1 for line in self.chunk.split(b"\n") if line.strip())

    def lines(self) -> list[bytes]:
        """The lines as they stand in the file, without their ends."""
        return [line for _, line in self._rows()]

    def slice(self, start: int, stop: int) -> Lines:
        """The objects from ``start`` up to ``stop``."""
        lines = self.chunk.split(b"\n")
        at = [i for i, line in enumerate(lines) if line.strip()][start:stop]
        first, last = (at[0], at[-1] + 1) if at else (0, 0)
        chunk = b"\n".join(lines[first:last])
        return Lines(self.label, chunk, self._line + first, self.columns, 0, self._before)

    def batch(self) -> Batch:
        """The columns. Raises :class:`CorpusError`, naming the line."""
        parsed = self._parsed()
        if parsed is not None:
            texts, kept, optional = parsed
            return Batch(texts, self.place, self.read_bytes, kept, optional)
        pa = extras.load("pyarrow", "build")
        rows = [self._row(_Place(self, i), line) for i, line in self._rows()]
        kept = tuple([values[i] for _, values, _ in rows] for i in range(len(self.columns.keep)))
        optional = {
            name: [values[name] for *_, values in rows]
            for name in self.columns.optional
            if all(name in values for *_, values in rows)
        }
        texts = pa.array([text for text, *_ in rows], pa.large_string())
        return Batch(texts, self.place, self.read_bytes, kept, optional)

    def place(self, row: int) -> str:
        """The file and line of the chunk's ``row``-th object."""
        for i, (line, _) in enumerate(self._rows()):
            if i == row:
                return str(_Place(self, line))
        return self.label

    def places(self) -> list[str]:
        """The file and line of each object."""
        n_lines = self.chunk.count(b"\n") + (not self.chunk.endswith(b"\n"))
        first = self.first_line
        if n_lines == self.n_rows:  # none is blank
            return [f"{self.label}:{line}" for line in range(first, first + n_lines)]
        return [f"{self.label}:{first + i}" for i, _ in self._rows()]

    def _parsed(self) -> tuple[Any, tuple[list[Any], ...], dict[str, list[Any]]] | None:
        """The texts, the kept and the optional values as Arrow parses them all at once.

        Nothing where something may be wrong with them, or where Arrow would not give what JSON says.
        """
        pa = extras.load("pyarrow", "build")
        arrow_json = extras.load("pyarrow.json", "build")
        # Arrow's parser crashes where a chunk begins with null (apache/arrow#47409).
        if not self.chunk.lstrip().startswith(b"{"):
            return None
        try:
            typed = self._types(pa)
            if typed is None:
                return None
            types, optional = typed
            table = arrow_json.read_json(
                pa.BufferReader(self.chunk),
                read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(self.chunk)),
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=_schema(pa, types), unexpected_field_behavior="ignore"
                ),
            )
        except (pa.ArrowInvalid, ValueError, RecursionError):
            return None
        if table.num_rows != self.n_rows:
            return None
        found = []
        for first, *path in types:
            column = table.column(first).combine_chunks()
            if path:
                column = extras.load("pyarrow.compute", "build").struct_field(column, path)
            # Null is what Arrow makes of a member that is not there, too.
            if column.null_count:
                return None
            found.append(column)
        n_texts = len(self.columns.text)
        texts = join(found[:n_texts], self.columns.text, self.place)
        values = [column.to_pylist() for column in found[n_texts:]]
        n_kept = len(self.columns.keep)
        return texts, tuple(values[:n_kept]), dict(zip(optional, values[n_kept:], strict=True))

    def _types(self, pa: Any) -> tuple[dict[tuple[str, ...], Any], list[str]] | None:
        """Where the columns are, and of which type, in the first line, and which optional ones are there.

        Nothing if Arrow cannot be trusted.

        If they are elsewhere in another line, Arrow finds nulls there; a value of another type it
        refuses. Only texts and whole numbers are the same to Arrow and to JSON: left to itself, Arrow
        takes a text that looks like a date for one.
        """
        if self.columns.plain and not self.columns.keep and not self.columns.optional:
            return {(name,): pa.large_string() for name in self.columns.text}, []
        first = json.loads(self.chunk.lstrip().partition(b"\n")[0])
        types = {locate(name, first) or (name,): pa.large_string() for name in self.columns.text}
        optional = [name for name in self.columns.optional if locate(name, first)]
        for name in (*self.columns.keep, *optional):
            path = locate(name, first)
            value: Any = first
            for member in path or ():
                value = value[member]
            known = _ARROW_TYPES.get(type(value))
            if path is None or known is None:
                return None
            types[path] = getattr(pa, known)()
        # A column that is wanted twice, or with a part of it, would be one in the table.
        several = len(types) == len(self.columns.text) + len(self.columns.keep) + len(optional)
        apart = not any(one[: len(other)] == other for one in types for other in types if one is not other)
        return (types, optional) if several and apart else None

    def _rows(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not blank, each with how many lines of the chunk are before it."""
        for i, line in enumerate(self.chunk.split(b"\n")):
            if line.strip():
                yield i, line

    def _row(self, where: _Place, data: bytes) -> tuple[str, list[Any], dict[str, Any]]:
        """The text of one line, the values that are kept, and the optional ones that are there."""
        try:
            row = json.loads(data.decode())
        except UnicodeDecodeError as error:
            raise BadRowError(
                f"{where}: not UTF-8 at byte {error.start} of the line: convert it to UTF-8"
            ) from error
        except (ValueError, RecursionError) as error:
            raise BadRowError(
                f"{where}: not JSON: {error}: pass --format txt if this is plain text"
            ) from error
        if not isinstance(row, dict):
            raise BadRowError(f"{where}: a JSON {_kind(row)} instead of an object")
        texts = [_text(self._value(row, name, where), name, where) for name in self.columns.text]
        text = texts[0] if len(texts) == 1 else SEPARATOR.join(texts)
        kept = [self._value(row, name, where) for name in self.columns.keep]
        there = [name for name in self.columns.optional if locate(name, row)]
        return text, kept, {name: self._value(row, name, where) for name in there}

    def _value(self, row: dict[str, Any], name: str, where: _Place) -> Any:
        path = locate(name, row)
        if path is None:
            raise self.columns.missing(name, names(row), where, BadRowError)
        value: Any = row
        for member in path:
            value = value[member]
        return value


class _Place(NamedTuple):
    """Where a line stands: found out only when it is said, for lines before it may have to be counted."""

    chunk: Lines
    line: int

    def __str__(self) -> str:
        return f"{self.chunk.label}, line {self.chunk.first_line + self.line}"


def _schema(pa: Any, types: dict[tuple[str, ...], Any]) -> Any:
    """The schema in which every path leads to a value of its type."""
    tree: dict[str, Any] = {}
    for path, type_ in types.items():
        *outer, last = path
        inner = tree
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = type_

    def kind(inner: Any) -> Any:
        if not isinstance(inner, dict):
            return inner
        return pa.struct([(name, kind(member)) for name, member in inner.items()])

    return pa.schema([(name, kind(inner)) for name, inner in tree.items()])


def _text(value: Any, name: str, where: _Place) -> str:
    if isinstance(value, list):
        return SEPARATOR.join(_string(one, f"{name}[{i}]", where) for i, one in enumerate(value))
    return _string(value, name, where)


def _string(value: Any, name: str, where: _Place) -> str:
    if not isinstance(value, str):
        raise BadRowError(f"{where}: column {name!r} holds {_kind(value)}, not text")
    try:
        # Of texts in ASCII Python knows that they can be encoded, and need not try.
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError as error:
        raise BadRowError(
            f"{where}: column {name!r} has a lone surrogate at character {error.start}"
        ) from error
    return value


def _kind(value: Any) -> str:
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
