"""Batches of text → the keys of a layer, by the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait import _native
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from portrait.corpus import Batch
    from portrait.spec import WindowSpec

#: The Unicode version that the normalisers follow.
UNICODE_VERSION = _native.unicode_version()


class BatchSink:
    """Puts one source's documents into something of the kernel's, and counts what went in."""

    def __init__(self, spec: WindowSpec, into: _native.Keys | _native.PyBloomBits) -> None:
        self._windows = _native.Windows(spec.normalizer, spec.unit, spec.width, spec.stride)
        self._into = into
        self.documents = 0
        self.short_documents = 0
        self.windows = 0
        self.text_bytes = 0

    def add(self, batch: Batch) -> None:
        """Add a batch. Raises :class:`BadRowError` naming the row that is null or not UTF-8."""
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
        except _native.RowError as error:
            row, message = error.args
            raise BadRowError(
                f"{batch.place(row)}: {message}: convert the text to UTF-8 or leave it out"
            ) from None
        self.documents += counts[0]
        self.short_documents += counts[1]
        self.windows += counts[2]
        self.text_bytes += counts[3]


class KeyMaker(BatchSink):
    """Collects the keys of one source's documents; those of whole documents, too, if ``documents``."""

    def __init__(self, spec: WindowSpec, *, documents: bool = True) -> None:
        self.keys = _native.Keys(documents=documents)
        super().__init__(spec, self.keys)
