"""What a corpus is made of: sources of shards, which are read in chunks, which become batches of text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Format = Literal["auto", "txt", "jsonl", "parquet", "arrow", "csv", "tsv"]
FORMATS: tuple[str, ...] = get_args(Format)

#: Suffixes of compressed files.
COMPRESSIONS = {".gz", ".zst", ".bz2", ".xz"}
#: Bytes of text in a byte of a file, by its format or how it is compressed.
_EXPANSIONS: dict[str, float] = {"parquet": 3, ".gz": 3.5, ".zst": 4, ".bz2": 5, ".xz": 5}


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of text.

    ``texts`` is an Arrow array of string, large_string, binary or large_binary, the latter two
    meant to hold UTF-8. ``place`` names a row (from 0) for an error message; ``read_bytes`` is how
    much of the shard's ``n_bytes`` was read for this batch. ``kept`` has the values of each column
    that is carried along: an Arrow array, or a list of what JSON holds.
    """

    texts: Any
    place: Callable[[int], str]
    read_bytes: int
    kept: tuple[Any, ...] = ()
    #: The values of each optional column that all of the rows have, by its name.
    optional: Mapping[str, Any] = field(default_factory=dict)


class Chunk(Protocol):
    """Some rows as they were read: a batch to be.

    It pickles, so that the work of unpacking it can be left to another process.
    """

    @property
    def n_rows(self) -> int:
        """How many rows there are, if they are what they should be."""

    @property
    def read_bytes(self) -> int:
        """How much of the shard's ``n_bytes`` was read for this chunk."""

    def batch(self) -> Batch:
        """The rows. Raises :class:`CorpusError`, naming the file and the row."""

    def places(self) -> list[str]:
        """Where each row stands: ``file:line``, ``file:row``, or the file."""

    def slice(self, start: int, stop: int) -> Chunk:
        """The rows from ``start`` up to ``stop``, in their places; its ``read_bytes`` are 0."""


class Shard(Protocol):
    """A chunk of a corpus that is read from its beginning to its end.

    It pickles, unless it is to be read once, so that another process can read it.
    """

    @property
    def kind(self) -> Format:
        """What its files are; ``auto``: it is no file."""

    @property
    def label(self) -> str:
        """What messages call it."""

    @property
    def files(self) -> list[dict[str, Any]]:
        """For the manifest: the files' paths and sizes in bytes.

        Of a divided file only the first part has the record.
        """

    @property
    def n_bytes(self) -> int | None:
        """How much there is to read, if that is known."""

    @property
    def read_once(self) -> bool:
        """Whether it is used up when it has been read, as a pipe is."""

    def chunks(self) -> Iterator[Chunk]:
        """The shard's rows, in order. Raises :class:`CorpusError`, naming the file and the row."""

    def split(self, n_bytes: int) -> list[Shard]:
        """Parts of about ``n_bytes`` each that one after the other yield the same rows.

        Each can be read by itself, in another process. The shard alone where it cannot be divided.
        """

    def stamps(self) -> list[list[Any]]:
        """For each of its files, also of a part of it: path, size in bytes, time of modification.

        They are JSON values as of now; where one has changed, so may have the file. None of what is no
        file. Raises :class:`CorpusError` for a file that is gone.
        """

    def digests(self) -> dict[str, str]:
        """The XXH3-128 of each of its ``files``, in 32 hexadecimal digits, by path.

        To be asked for when ``chunks`` has been read to its end. Raises :class:`CorpusError`.
        """


@dataclass(slots=True)
class Source:
    """A named part of the corpus."""

    name: str
    locations: list[str] = field(default_factory=list)
    shards: list[Shard] = field(default_factory=list)
    #: For each location that can change under its name: what exactly was read.
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int | None:
        """How much there is to read, if that is known."""
        sizes = [shard.n_bytes for shard in self.shards]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def text_bytes(self) -> int | None:
        """About how much text there is, if the size of what holds it is known."""
        sizes = [None if shard.n_bytes is None else shard.n_bytes * expansion(shard) for shard in self.shards]
        return None if None in sizes else round(sum(size for size in sizes if size is not None))

    def record(self) -> dict[str, Any]:
        """What the manifest says of the source, whatever the order it was given in."""
        files = sorted((file for shard in self.shards for file in shard.files), key=lambda file: file["path"])
        return {"location": sorted(self.locations), "revision": self.revisions or None, "files": files}


def expansion(shard: Shard) -> float:
    """About how many bytes of text a byte of a shard holds: what is usual for its format."""
    if shard.kind in _EXPANSIONS:
        return _EXPANSIONS[shard.kind]
    # Several files have a label that no suffix can be read off.
    name = shard.files[0]["path"] if shard.files else shard.label
    return _EXPANSIONS.get(Path(name).suffix.lower(), 1.0)
