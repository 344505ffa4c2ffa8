"""The rows of a corpus, one by one: their text, their place, and the columns carried along."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from portrait.corpus.columns import DEFAULT_COLUMN, DEFAULT_MAX_DOCUMENT_BYTES, Columns
from portrait.corpus.resolve import DEFAULT_SOURCE, resolve
from portrait.corpus.shards import Source, total_bytes
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.shards import Batch, Chunk, FileRecord, Format, Shard, Stamp


class Row(NamedTuple):
    """A row of a corpus.

    Args:
        place: For people and error messages: the file and the line or row, counted from 1
            (``data.jsonl:12``), or the file alone if it is one document.
        number: Its number among the rows of all sources, counted from 0.
        text: Its text.
        values: The values of the columns to keep, by name.
    """

    place: str
    number: int
    text: str
    values: dict[str, Any]


class RowBatch(NamedTuple):
    """Consecutive rows, and how many bytes of the sources were read for them."""

    rows: list[Row]
    read_bytes: int


class RowSource:
    """Sources that were found once, whose rows can be read by iterating over this object.

    No method or property looks for files or contacts a hub a second time. Iterating again reads the rows
    again, unless a shard is ``read_once``.

    Args:
        sources: The sources.
        columns: The columns of text and those to keep.
    """

    def __init__(self, sources: Sequence[Source], columns: Columns) -> None:
        self.sources = list(sources)
        self.columns = columns

    @property
    def shards(self) -> list[Shard]:
        """All shards, in the order in which they are read."""
        return [shard for source in self.sources for shard in source.shards]

    @property
    def n_bytes(self) -> int | None:
        """How much there is to read, if known."""
        return total_bytes(source.n_bytes for source in self.sources)

    @property
    def files(self) -> list[FileRecord]:
        """The paths and sizes of all files, in the order in which they are read."""
        return [file for shard in self.shards for file in shard.files]

    @property
    def revisions(self) -> dict[str, dict[str, Any]]:
        """For each dataset on a hub, by location, the commit, configuration and splits that are read."""
        return {location: one for source in self.sources for location, one in source.revisions.items()}

    @property
    def read_once(self) -> bool:
        """Whether reading uses up some of it, as it does a pipe."""
        return any(shard.read_once for shard in self.shards)

    def stamps(self) -> list[Stamp]:
        """Look up the present state of every input; those that cannot be recognised have none.

        Raises:
            CorpusError: A file is gone.
        """
        return [stamp for shard in self.shards for stamp in shard.stamps()]

    def with_columns(self, columns: Sequence[str], keep: Sequence[str] = ()) -> RowSource:
        """Return the same sources with other columns.

        Args:
            columns: The columns of text, as for :func:`read`.
            keep: The columns to carry along.

        Raises:
            CorpusError: A dataset lacks a column.
            SpecError: A name is empty or given twice.
        """
        limit = self.columns.max_document_bytes
        wanted = Columns(tuple(columns), tuple(keep), max_document_bytes=limit)
        sources = [
            Source(
                source.name,
                list(source.locations),
                [shard.with_columns(wanted) for shard in source.shards],
                dict(source.revisions),
            )
            for source in self.sources
        ]
        return RowSource(sources, wanted)

    def chunks(self) -> Iterator[tuple[int, Chunk]]:
        """Read the chunks without decoding them, each with the number of its first row.

        Raises:
            CorpusError: A source cannot be read.
        """
        number = 0
        for shard in self.shards:
            for chunk in shard.chunks():
                yield number, chunk
                number += chunk.n_rows

    def __iter__(self) -> Iterator[RowBatch]:
        for number, chunk in self.chunks():
            rows, _ = unpack(chunk, number, self.columns)
            yield RowBatch(rows, chunk.read_bytes)


def read(
    data: Any,
    *,
    columns: Sequence[str] = (DEFAULT_COLUMN,),
    keep: Sequence[str] = (),
    optional: Sequence[str] = (),
    whole: bool = False,
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
    format: Format = "auto",  # noqa: A002
) -> RowSource:
    """Find some data, whose rows are read in bounded memory when the result is iterated over.

    Args:
        data: One or several of: a file (``.txt``: one row; ``.jsonl``, ``.csv``, ``.tsv``, also compressed;
            ``.parquet``, ``.arrow``, ``.feather``), a directory or glob of them, a URL of these, ``-`` for
            standard input, ``hf://datasets/…``, a dataset or stream of the ``datasets`` library. They are
            read in this order, the text files of a directory after its others, and a file that is named
            twice is read once.
        columns: The columns that make the text, each on a line of its own. Names may be paths into structs:
            ``meta.text``.
        keep: The columns to carry along unchanged.
        optional: The columns to carry along wherever all rows of a chunk have them.
        whole: Whether the chunks of Parquet files have all columns.
        max_document_bytes: The size of the largest text.
        format: The format of all files, or ``auto`` to judge each by its suffix.

    Raises:
        CorpusError: Something is not there. Iterating raises it for a file that cannot be read, a missing
            column, null, or a value that is not text; the message names the file and the row.
        SpecError: The format is unknown, a column's name is empty or given twice, or the limit is no limit.
    """
    wanted = Columns(
        tuple(columns),
        tuple(keep),
        optional=tuple(optional),
        whole=whole,
        max_document_bytes=max_document_bytes,
    )
    return RowSource(resolve({DEFAULT_SOURCE: data}, column=wanted, format=format), wanted)


def unpack(chunk: Chunk, number: int, columns: Columns) -> tuple[list[Row], tuple[Any, ...]]:
    """Decode a chunk.

    Args:
        chunk: The chunk.
        number: The number of its first row.
        columns: The columns that it was read with.

    Returns:
        The rows, and the values of each column to keep: an Arrow array, or a list of JSON values.

    Raises:
        CorpusError: A row is bad; the message names the file and the row.
    """
    batch = chunk.batch()
    texts = _texts(batch)
    kept = [_kept_values(batch, values, name) for values, name in zip(batch.kept, columns.keep, strict=True)]
    names = list(columns.keep)
    for name, column in batch.optional.items():
        with suppress(BadRowError):
            kept.append(_kept_values(batch, column, name))
            names.append(name)
    values: Iterator[dict[str, Any]] = (
        (dict(zip(names, row, strict=True)) for row in zip(*kept, strict=True))
        if names
        else ({} for _ in texts)
    )
    numbers = range(number, number + len(texts))
    return list(map(Row, chunk.places(), numbers, texts, values)), batch.kept


def _kept_values(batch: Batch, column: Any, name: str) -> list[Any]:
    """Return a column's values, or raise :class:`BadRowError` for a value that Python cannot represent."""
    if isinstance(column, list):
        return column
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        for row in range(len(column)):
            try:
                column[row].as_py()
            except (ValueError, OverflowError) as error:
                raise BadRowError(
                    f"{batch.place(row)}: column {name!r} cannot be carried along: {error}",
                ) from error
        raise


def _texts(batch: Batch) -> list[str]:
    """Return a batch's texts, or raise :class:`BadRowError` for a row that is null or not UTF-8."""
    try:
        texts = [text.decode() if isinstance(text, bytes) else text for text in batch.texts.to_pylist()]
    except UnicodeDecodeError:
        texts = [_text(batch, row) for row in range(len(batch.texts))]
    if batch.texts.null_count:
        raise BadRowError(f"{batch.place(texts.index(None))}: null instead of a text")
    return texts


def _text(batch: Batch, row: int) -> str | None:
    try:
        text = batch.texts[row].as_py()
        return text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise BadRowError(
            f"{batch.place(row)}: not UTF-8 at byte {error.start}: convert the text to UTF-8 or leave it out"
        ) from error
