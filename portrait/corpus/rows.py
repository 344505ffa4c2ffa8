"""Rows of any source, one by one: their text, where they stand, and the columns carried along."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from portrait.corpus.columns import DEFAULT_COLUMN, Columns
from portrait.corpus.resolve import DEFAULT_SOURCE, resolve
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.shards import Batch, Chunk, Format, Source


class Row(NamedTuple):
    """A row of a source.

    ``place`` is for people and error messages: file and line or row, counted from 1
    (``data.jsonl:12``), or the file alone where it is one document. ``number`` counts the rows of
    all sources from 0. ``values`` are the kept columns, by the names they were asked for with.
    """

    place: str
    number: int
    text: str
    values: dict[str, Any]


class Rows(NamedTuple):
    """Some rows, and how many bytes of the sources were read for them."""

    rows: list[Row]
    read_bytes: int


class Reading:
    """Sources to be read once from beginning to end, by iterating over it.

    ``shards`` are its chunks in order. ``n_bytes`` is how much there is to read, ``None`` where that
    is not known; ``files`` are the sources' paths and sizes.
    """

    def __init__(self, sources: Sequence[Source], columns: Columns) -> None:
        self.shards = [shard for source in sources for shard in source.shards]
        self.columns = columns
        sizes = [source.n_bytes for source in sources]
        self.n_bytes = None if None in sizes else sum(size for size in sizes if size is not None)
        self.files = [file for shard in self.shards for file in shard.files]

    def chunks(self) -> Iterator[tuple[int, Chunk]]:
        """What was read before it is unpacked, each chunk with the number of its first row."""
        number = 0
        for shard in self.shards:
            for chunk in shard.chunks():
                yield number, chunk
                number += chunk.n_rows

    def __iter__(self) -> Iterator[Rows]:
        for number, chunk in self.chunks():
            rows, _ = unpack(chunk, number, self.columns)
            yield Rows(rows, chunk.read_bytes)


def read(
    data: Any,
    *,
    columns: Sequence[str] = (DEFAULT_COLUMN,),
    keep: Sequence[str] = (),
    optional: Sequence[str] = (),
    whole: bool = False,
    format: Format = "auto",  # noqa: A002
) -> Reading:
    """The rows of ``data``, which is read when the result is iterated over, in bounded memory.

    ``data`` is one or several of: a file (``.txt``: one row; ``.jsonl``, ``.csv``, ``.tsv``,
    also ``.gz`` or ``.zst``; ``.parquet``, ``.arrow``, ``.feather``), a directory or glob of
    them, ``-`` for standard input, ``hf://datasets/…``, a dataset or stream of the ``datasets`` library;
    they are read in this order, a directory's text files behind its others, and a file that is named twice
    is read once. Several ``columns`` make one text, each on a line of its own; those in ``keep`` are
    carried along unchanged, and so are those in ``optional`` wherever all rows of a chunk have them. All may
    be paths into structs: ``meta.text``. With ``whole``, the chunks of Parquet files have all columns.

    Raises :class:`CorpusError` for what is not there. Iterating raises it for what cannot be read, a
    column that is missing, a null, what is no text: it names the file and the row.
    """
    wanted = Columns(tuple(columns), tuple(keep), optional=tuple(optional), whole=whole)
    sources = resolve({DEFAULT_SOURCE: data}, column=wanted, format=format)
    return Reading(sources, wanted)


def unpack(chunk: Chunk, number: int, columns: Columns) -> tuple[list[Row], tuple[Any, ...]]:
    """The rows of a chunk, the first of which has this ``number``, and the columns that are kept.

    Raises :class:`CorpusError`.
    """
    batch = chunk.batch()
    texts = _texts(batch)
    kept = [_kept(batch, values, name) for values, name in zip(batch.kept, columns.keep, strict=True)]
    names = list(columns.keep)
    for name, column in batch.optional.items():
        with suppress(BadRowError):
            kept.append(_kept(batch, column, name))
            names.append(name)
    values: Iterator[dict[str, Any]] = (
        (dict(zip(names, row, strict=True)) for row in zip(*kept, strict=True))
        if names
        else ({} for _ in texts)
    )
    numbers = range(number, number + len(texts))
    return list(map(Row, chunk.places(), numbers, texts, values)), batch.kept


def _kept(batch: Batch, column: Any, name: str) -> list[Any]:
    """A column's values. Raises :class:`BadRowError` naming the row whose value Python cannot hold."""
    if isinstance(column, list):
        return column
    row = -1
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        try:
            for row in range(len(column)):
                column[row].as_py()
        except (ValueError, OverflowError) as error:
            raise BadRowError(
                f"{batch.place(row)}: column {name!r} cannot be carried along: {error}"
            ) from error
        raise


def _texts(batch: Batch) -> list[str]:
    """A batch's texts. Raises :class:`BadRowError` naming the row that is null or not UTF-8."""
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
