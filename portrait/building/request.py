"""The options of a build that decide what it makes, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from portrait import presets
from portrait.building.reader import OnError, ReadOptions
from portrait.bundle.writer import DEFAULT_SHARD_BYTES, data_bytes
from portrait.corpus.columns import DEFAULT_MAX_DOCUMENT_BYTES, Columns
from portrait.corpus.resolve import DEFAULT_SOURCE, resolve
from portrait.errors import SpecError
from portrait.filters import pybloom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.corpus.shards import Format, Source
    from portrait.spec import DocumentKeys, FilterKind, FilterSpec, WindowSpec


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be built: how texts are found, cut and stored. Made by :meth:`of`.

    ``reading`` says how rows become keys, ``columns`` and ``format`` where rows are found, ``filter`` what
    the keys go into, ``max_piece_bytes`` how much data a file of the bundle holds.
    """

    reading: ReadOptions
    filter: FilterSpec
    columns: Columns
    format: Format
    max_piece_bytes: int

    @classmethod
    def of(
        cls,
        windows: WindowSpec | None = None,
        filter: FilterSpec | None = None,  # noqa: A002  # the field's word
        *,
        preset: str = "default",
        column: str | Sequence[str] | Columns = "text",
        source_column: str | None = None,
        format: Format = "auto",  # noqa: A002
        on_error: OnError = "fail",
        short_documents: bool = False,
        max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
        max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    ) -> Self:
        """Return the request that the keywords of :func:`portrait.build` describe.

        Raises:
            SpecError: A value is outside its range.
        """
        defaults = presets.preset(preset)
        spec = filter or defaults.filter
        keyed = document_keys(spec.kind, short_documents=short_documents)
        reading = ReadOptions(windows or defaults.windows, source_column, on_error, keyed)
        kept = () if source_column is None else (source_column,)
        columns = Columns(
            Columns.of(column).text, kept, "source_column", max_document_bytes=max_document_bytes
        )
        return cls(reading, spec, columns, format, data_bytes(max_shard_bytes))

    @property
    def windows(self) -> WindowSpec:
        """How texts are cut."""
        return self.reading.windows

    def resolve(self, sources: Any) -> list[Source]:
        """Return the sources that ``sources`` names.

        Raises:
            CorpusError: A source is not there or cannot be read.
            SpecError: A source has a name, and a column would name the sources, too.
        """
        resolved = resolve(sources, column=self.columns, format=self.format)
        names = [source.name for source in resolved if source.name != DEFAULT_SOURCE]
        if self.reading.source_column is not None and names:
            raise SpecError(
                f"source {names[0]!r} has a name, and column {self.reading.source_column!r} would name the "
                "sources, too: do one or the other",
                parameter="source_column",
            )
        return resolved


def document_keys(kind: FilterKind, *, short_documents: bool) -> DocumentKeys:
    """Return which documents have a key of their whole text in a filter of some kind."""
    if kind == pybloom.KIND:  # its format has windows only
        return "none"
    return "all" if short_documents else "long"
