"""Batches of text → the keys of a layer, by the kernel."""

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
    from portrait.spec import WindowSpec

#: The Unicode version that the normalisers follow.
UNICODE_VERSION = unicode_version()
KEY_BYTES = 8


@dataclass(slots=True)
class Counts:
    """What some documents amount to.

    ``short_documents`` of the ``documents`` store no window, ``windows`` are stored windows with
    repetitions, ``text_bytes`` bytes of UTF-8 as given.
    """

    documents: int = 0
    short_documents: int = 0
    windows: int = 0
    text_bytes: int = 0

    def add(self, other: Counts) -> None:
        """Count those of another, too."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def to_dict(self) -> dict[str, int]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, counts: dict[str, Any]) -> Self:
        """What :meth:`to_dict` gave."""
        return cls(**counts)


class BatchSink:
    """Puts one source's documents into something of the kernel's, and counts what went in."""

    def __init__(self, spec: WindowSpec, into: Keys | PyBloomBits) -> None:
        self._windows = NativeWindows(spec.normalizer, spec.unit, spec.width, spec.stride)
        self._into = into
        self.counts = Counts()

    def add(self, batch: Batch) -> None:
        """Add a batch, all of it or nothing.

        Raises :class:`BadRowError` naming the row that is null or not UTF-8.
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
    """Collects the keys of one source's documents; those of whole documents, too, if ``documents``."""

    def __init__(self, spec: WindowSpec, *, documents: bool = True) -> None:
        self.keys = Keys(documents=documents)
        super().__init__(spec, self.keys)


def keys_within(keys: Keys | Buffer, first_key: int, last_key: int) -> Keys:
    """Those of some keys that lie in a range."""
    own = Keys()
    own.extend(keys, first_key, last_key)
    return own


def smallest_keys(keys: Iterable[Keys | Buffer], k: int) -> Sequence[int]:
    """The ``k`` smallest different keys of some, or all, in ascending order."""
    sketch = Sketch(k)
    for some in keys:
        sketch.add(some)
    found = array("Q")
    found.frombytes(sketch.smallest())
    if sys.byteorder == "big":
        found.byteswap()
    return found
