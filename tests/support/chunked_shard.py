"""A shard whose chunks, sizes and format are the test's choice: for what depends on where a reader stops."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from portrait.corpus.formats.plain import PlainChunk
from portrait.corpus.shards import COMPRESSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import FileRecord, Format, Shard, Stamp


@dataclass(frozen=True)
class ChunkedShard:
    """A shard of equal documents, one a chunk.

    Args:
        n_documents: The number of documents.
        text: The text of each.
        document_bytes: How much of the shard is read for each.
        label: The name of its file, whose suffix tells the compression.
        kind: The format.
        is_sized: Whether the size of the shard is known.
        extra_bytes: How much larger the shard is than what is read for its documents, or smaller.
        first: The number of the first document.
    """

    n_documents: int
    text: str = "x" * 100
    document_bytes: int = 100
    label: str = "a.jsonl"
    kind: Format = "jsonl"
    is_sized: bool = True
    extra_bytes: int = 0
    first: int = 0
    files: list[FileRecord] = field(default_factory=list)
    read_once: bool = False

    @property
    def n_bytes(self) -> int | None:
        """The size of the shard, if it is known."""
        return self.n_documents * self.document_bytes + self.extra_bytes if self.is_sized else None

    def chunks(self) -> Iterator[PlainChunk]:
        """Yield the documents, one at a time."""
        for i in range(self.first, self.first + self.n_documents):
            yield PlainChunk([self.text.encode()], [f"{self.label}:{i}"], self.document_bytes)

    def split(self, n_bytes: int) -> list[Shard]:
        """Divide the shard into parts of whole documents that take ``n_bytes``, unless it is compressed."""
        assert n_bytes > 0
        if Path(self.label).suffix in COMPRESSIONS:
            return [self]
        step = max(1, n_bytes // self.document_bytes)
        return [
            replace(self, first=self.first + i, n_documents=min(step, self.n_documents - i))
            for i in range(0, self.n_documents, step)
        ]

    def excerpt(self, n_bytes: int) -> ChunkedShard:
        """Return this shard: no document is a file."""
        return self

    def with_columns(self, columns: Columns) -> ChunkedShard:
        """Return this shard: it has no columns."""
        return self

    def stamps(self) -> list[Stamp]:
        """Return no stamps: there is nothing to change."""
        return []

    def digests(self) -> dict[str, str]:
        """Return no digests: there are no files."""
        return {}
