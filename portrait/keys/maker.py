"""From batches of text to the keys of a layer, by the kernel."""

from __future__ import annotations

import sys
from array import array
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from portrait._native import Keys as Keys
from portrait._native import PyBloomBits, RowError, Sketch, unicode_version
from portrait._native import Windows as NativeWindows
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from typing_extensions import Buffer

    from portrait.corpus.shards import Batch
    from portrait.spec import DocumentKeys, WindowSpec

#: The Unicode version that the normalisers follow.
UNICODE_VERSION = unicode_version()
KEY_BYTES = 8


@dataclass(slots=True)
class Counts:
    """The counts of some documents.

    ``short_documents`` are those that store no window, ``windows`` the stored windows with repetitions,
    ``text_bytes`` the bytes of UTF-8 as given.
    """

    documents: int = 0
    short_documents: int = 0
    windows: int = 0
    text_bytes: int = 0

    def keyed_documents(self, documents: DocumentKeys) -> int:
        """Return how many of the documents have a key of their whole text."""
        if documents == "none":
            return 0
        return self.documents - (self.short_documents if documents == "long" else 0)

    def add(self, other: Counts) -> None:
        """Add the counts of other documents."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def to_dict(self) -> dict[str, int]:
        """Return the counts as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, counts: dict[str, Any]) -> Self:
        """Return the counts of :meth:`to_dict`."""
        return cls(**counts)


class BatchSink:
    """A sink of one source's documents: puts them into a collection of the kernel, and counts them."""

    def __init__(self, spec: WindowSpec, into: Keys | PyBloomBits) -> None:
        self._windows = NativeWindows(
            spec.normalizer, spec.unit, spec.width, spec.sampling.name, spec.sampling.gap
        )
        self._into = into
        self.counts = Counts()

    def add(self, batch: Batch) -> None:
        """Add a batch, all of it or nothing.

        Raises:
            BadRowError: A text is null or not UTF-8; the message names its row.
        """
        texts = batch.texts
        if texts.null_count:
            row = texts.is_null().index(True).as_py()
            raise BadRowError(f"{batch.place(row)}: null instead of a text")
        if len(texts) == 0:
            return
        validity, offsets, data = texts.buffers()
        # Arrow leaves the data out where all texts are empty.
        offset_bytes = 8 if str(texts.type).startswith("large_") else 4
        try:
            counts = self._into.add_batch(
                self._windows, offsets, offset_bytes, data or b"", validity, texts.offset, len(texts)
            )
        except RowError as error:
            row, message = error.args
            raise BadRowError(
                f"{batch.place(row)}: {message}: convert the text to UTF-8 or leave it out"
            ) from None
        self.counts.add(Counts(*counts))


class KeyMaker(BatchSink):
    """A sink that collects keys.

    Args:
        spec: How texts are cut into windows.
        documents: Which documents add a key of their whole text to those of their windows.
    """

    def __init__(self, spec: WindowSpec, *, documents: DocumentKeys = "long") -> None:
        self.keys = Keys(documents=documents)
        super().__init__(spec, self.keys)


def keys_within(keys: Keys | Buffer, first_key: int, last_key: int) -> Keys:
    """Return the keys from ``first_key`` to ``last_key``, both included."""
    chosen = Keys()
    chosen.extend(keys, first_key, last_key)
    return chosen


def smallest_keys(keys: Iterable[Keys | Buffer], k: int) -> Sequence[int]:
    """Return the ``k`` smallest distinct keys, or all if there are fewer, in ascending order."""
    sketch = Sketch(k)
    for some in keys:
        sketch.add(some)
    smallest = array("Q")
    smallest.frombytes(sketch.smallest())
    if sys.byteorder == "big":
        smallest.byteswap()
    return smallest
