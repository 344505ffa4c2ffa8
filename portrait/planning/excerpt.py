"""The first rows of a shard, and how much of the shard they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.corpus.formats.lines import OversizedLine
from portrait.corpus.shards import COMPRESSIONS, FileRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.shards import Chunk, FileRecord, Shard

#: A decoder's output is read so far beyond the limit, at most, to learn how much text its input gave.
_MAX_AHEAD_BYTES = 1 << 26


class Excerpt:
    """The first rows of a shard: about ``limit`` bytes of text, up to where the bytes read are known.

    It stands for the shard in everything except its files: it has none, so that it is read in one piece.
    """

    def __init__(self, shard: Shard, limit: int) -> None:
        self.files: list[FileRecord] = []
        self._shard = shard
        self._limit = limit
        self._text_bytes = 0
        self._ended = False
        self.read_bytes = 0
        self.label = shard.label
        # A decoder reads ahead. Only when it reads on is it known how much text its earlier input gave.
        suffix = Path(shard.label).suffix.lower()
        self._buffered = shard.kind != "txt" and suffix in COMPRESSIONS
        self._spans_inputs = suffix == ".zst"

    def count(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:  # noqa: ARG002
        """Count the text read since the last call, as a progress callback."""
        self._text_bytes += text_bytes

    @property
    def whole(self) -> bool:
        """Whether all of the shard was read."""
        n_bytes = self._shard.n_bytes
        all_read = n_bytes is not None and self.read_bytes >= n_bytes
        if self._shard.kind == "txt":  # the excerpt may end within a document
            return all_read
        return self._ended or (all_read and not self._buffered)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the chunks up to the limit."""
        most = self._limit + (_MAX_AHEAD_BYTES if self._buffered else 0)
        for chunk in self._shard.chunks():
            if self._buffered and self._text_bytes >= self._limit and chunk.read_bytes:
                # A decoder of members gives the text of all earlier input before it reads on.
                if self._spans_inputs:
                    yield from self._last(chunk)
                return
            self.read_bytes += chunk.read_bytes
            yield chunk
            # The rest of a line that is too long may be longer than any sample.
            if self._text_bytes >= most or isinstance(chunk, OversizedLine):
                return
        self._ended = True

    def _last(self, chunk: Chunk) -> Iterator[Chunk]:
        """Yield the chunk for which the decoder read on: about half of it came of its earlier input."""
        before = self._text_bytes
        yield chunk
        self.read_bytes = round(self.read_bytes * self._text_bytes / ((before + self._text_bytes) / 2))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shard, name)
