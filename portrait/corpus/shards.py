"""What a corpus is made of: sources of shards, read as chunks, decoded into batches of text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from portrait.corpus.columns import Columns

Format = Literal["auto", "txt", "jsonl", "parquet", "arrow", "csv", "tsv"]
FORMATS: tuple[str, ...] = get_args(Format)

#: Suffixes of compressed files.
COMPRESSIONS = {".gz", ".zst", ".bz2", ".xz"}
#: Bytes of text in a byte of a file, by its format or compression.
_EXPANSIONS: dict[str, float] = {"parquet": 3, ".gz": 3.5, ".zst": 4, ".bz2": 5, ".xz": 5}


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of a corpus, as the manifest records it.

    Args:
        path: The file's path or URL.
        n_bytes: Its size, if known.
        etag: A server's mark of its content, if there is one.
    """

    path: str
    n_bytes: int | None = None
    etag: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's record, which leaves out what is unknown."""
        facts = {"path": self.path, "bytes": self.n_bytes, "etag": self.etag}
        return {name: value for name, value in facts.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Stamp:
    """One state of an input: if it differs from an earlier stamp, the input may have changed.

    Args:
        path: The file's path or URL, or the name of a dataset.
        state: What changes with the content, as JSON values: a file's size in bytes and its time of
            modification in nanoseconds; a remote file's size and its checksum or time of modification; a
            dataset's commit, or its number of rows.
    """

    path: str
    state: tuple[str | int | None, ...]

    def to_json(self) -> list[str | int | None]:
        """Return the path and the state in one list."""
        return [self.path, *self.state]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Self:
        """Return the stamp that :meth:`to_json` wrote."""
        path, *state = values
        return cls(path, tuple(state))


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of text.

    Args:
        texts: An Arrow array of string, large_string, binary or large_binary; the latter two should hold
            UTF-8.
        place: Names a row, counted from 0, for an error message.
        read_bytes: How much of the shard's ``n_bytes`` was read for this batch.
        kept: The values of each column that is carried along: an Arrow array, or a list of JSON values.
        optional: The values of each optional column that all of the rows have, by its name.
    """

    texts: Any
    place: Callable[[int], str]
    read_bytes: int
    kept: tuple[Any, ...] = ()
    optional: Mapping[str, Any] = field(default_factory=dict)


class Chunk(Protocol):
    """Rows that have been read and not yet decoded.

    A chunk pickles, so that another process can decode it.
    """

    @property
    def n_rows(self) -> int:
        """The number of rows, bad ones included."""

    @property
    def read_bytes(self) -> int:
        """How much of the shard's ``n_bytes`` was read for this chunk."""

    def batch(self) -> Batch:
        """Decode the rows.

        Raises:
            CorpusError: A row is bad; the message names the file and the row.
        """

    def places(self) -> list[str]:
        """Return each row's place: ``file:line``, ``file:row``, or the file."""

    def slice(self, start: int, stop: int) -> Chunk:
        """Return the rows from ``start`` up to ``stop``; their ``read_bytes`` are 0."""


class Shard(Protocol):
    """A part of a corpus that is read from beginning to end.

    A shard pickles, so that another process can read it, unless it is ``read_once``.
    """

    @property
    def kind(self) -> Format:
        """The format of its files; ``auto`` if it is not made of files."""

    @property
    def label(self) -> str:
        """Its name in messages."""

    @property
    def files(self) -> list[FileRecord]:
        """The files that the manifest records; of the parts of one file, only the first part records it."""

    @property
    def n_bytes(self) -> int | None:
        """How much there is to read, if known."""

    @property
    def read_once(self) -> bool:
        """Whether reading uses it up, as it does a pipe."""

    def chunks(self) -> Iterator[Chunk]:
        """Read the rows, in order.

        Raises:
            CorpusError: The shard cannot be read; the message names the file and, if known, the row.
        """

    def split(self, n_bytes: int) -> list[Shard]:
        """Divide the shard into parts of about ``n_bytes`` that together yield the same rows in order.

        Each part can be read by itself, in another process. A shard that cannot be divided is its only part.
        """

    def excerpt(self, n_bytes: int) -> Shard:
        """Return this shard, reading no more than about ``n_bytes`` of each document that is a file."""

    def with_columns(self, columns: Columns) -> Shard:
        """Return this shard with other columns, without looking up its files again.

        Raises:
            CorpusError: The shard's data is at hand and lacks a column.
        """

    def stamps(self) -> list[Stamp]:
        """Return the present state of each file that it reads, of a divided file in every part.

        What is not a file and cannot be recognised has no stamp.

        Raises:
            CorpusError: A file is gone.
        """

    def digests(self) -> dict[str, str]:
        """Return the XXH3-128 of each of its ``files``, by path, in 32 hexadecimal digits.

        They are complete once ``chunks`` has been read to its end.

        Raises:
            CorpusError: A file cannot be read.
        """


@dataclass(slots=True)
class Source:
    """A named part of the corpus.

    Args:
        name: The source's name.
        locations: What the caller named, without passwords.
        shards: The shards, in the order in which they are read.
        revisions: For each location whose content can change under its name, what exactly is read: the
            ``commit``, ``date``, ``config`` and ``split`` of a dataset on a hub.
    """

    name: str
    locations: list[str] = field(default_factory=list)
    shards: list[Shard] = field(default_factory=list)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int | None:
        """How much there is to read, if known."""
        return total_bytes(shard.n_bytes for shard in self.shards)

    @property
    def text_bytes(self) -> int | None:
        """About how much text there is, if the size of its shards is known."""
        total = 0.0
        for shard in self.shards:
            if shard.n_bytes is None:
                return None
            total += shard.n_bytes * expansion(shard)
        return round(total)

    @property
    def files(self) -> list[FileRecord]:
        """The files of all shards, sorted by path."""
        return sorted((file for shard in self.shards for file in shard.files), key=lambda file: file.path)


def total_bytes(sizes: Iterable[int | None]) -> int | None:
    """Return the sum of some sizes, ``None`` if one of them is unknown."""
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total


def expansion(shard: Shard) -> float:
    """Return about how many bytes of text a byte of a shard holds, judged by its format."""
    if shard.kind in _EXPANSIONS:
        return _EXPANSIONS[shard.kind]
    # The label of several files has no suffix.
    name = shard.files[0].path if shard.files else shard.label
    return _EXPANSIONS.get(Path(name).suffix.lower(), 1.0)
