"""What is to be built, and the way that its build takes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from portrait.building.in_memory import HeldBuild
from portrait.building.on_disk import SpooledBuild, plan
from portrait.building.reader import OnError, ReadOptions
from portrait.building.two_pass import PyBloomBuild
from portrait.corpus.columns import Columns
from portrait.corpus.resolve import DEFAULT_SOURCE, resolve
from portrait.errors import SpecError
from portrait.filters import kinds as filters
from portrait.filters import pybloom
from portrait.storage.workdir import WorkDir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.building.on_disk import ReadPlan
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter
    from portrait.corpus.shards import Format, Source
    from portrait.engines.execution import Execution
    from portrait.progress import Progress
    from portrait.spec import FilterSpec, WindowSpec

#: How a build goes: with all keys in memory; in memory, reading twice; with keys in files.
Way = Literal["memory", "twice", "spool"]

#: Less text than this is read by one process before others have started and read their share of it.
_SMALL_TEXT_BYTES = 250_000_000


class Making(Protocol):
    """A build under way: reads, then writes its layers."""

    def read(self) -> None:
        """Read the corpus. Raises :class:`CorpusError`."""

    def layers(self, writer: BundleWriter, max_piece_bytes: int) -> list[Layer]:
        """Build and write all layers, ordered by source."""

    def corpus(self) -> dict[str, Any]:
        """What the manifest says of it."""


class Request:
    """What is to be built: how texts are found, cut and recorded."""

    def __init__(
        self,
        windows: WindowSpec,
        filter: FilterSpec,  # noqa: A002
        column: str | Sequence[str] | Columns,
        source_column: str | None = None,
        format: Format = "auto",  # noqa: A002
        on_error: OnError = "fail",
    ) -> None:
        self.windows = windows
        self.filter = filter
        self.format = format
        self.reading = ReadOptions(windows, source_column, on_error)
        text = Columns.of(column).text
        self.columns = Columns(text, () if source_column is None else (source_column,), "source_column")

    def resolve(self, sources: Any) -> list[Source]:
        """The named sources. Raises :class:`CorpusError`, :class:`SpecError`."""
        found = resolve(sources, column=self.columns, format=self.format)
        named = [source.name for source in found if source.name != DEFAULT_SOURCE]
        if self.reading.source_column is not None and named:
            raise SpecError(
                f"source {named[0]!r} is named, and column {self.reading.source_column!r} is to name the "
                "sources: do one or the other"
            )
        return found

    def way(self, found: Sequence[Source], execution: Execution, out: Path) -> Way:
        """How the build of some sources goes. Raises :class:`SpecError` where it cannot be."""
        if self.filter.kind == pybloom.KIND:
            filters.require_windows(self.filter.kind, self.windows)
            if execution.spools:
                raise SpecError("a pybloom filter is built in memory: leave --engine and --work-dir out")
            return "twice"
        return "memory" if self._is_small(found, execution) and not execution.begun(out) else "spool"

    def divided(self, found: Sequence[Source]) -> ReadPlan:
        """The tasks of the build of some sources with keys in files."""
        return plan(found, self.reading, self.filter, self._fields())

    @contextmanager
    def build(
        self, found: Sequence[Source], execution: Execution, out: Path, progress: Progress
    ) -> Iterator[Making]:
        """The build of some sources as it is fastest: in memory where they are small.

        What it leaves behind to go on with is removed when the block is left without an error.
        """
        way = self.way(found, execution, out)
        if way == "twice":
            yield PyBloomBuild(found, self.reading, self.filter, progress)
        elif way == "memory":
            yield HeldBuild(found, self.reading, self.filter, progress)
        else:
            with self.spooled(found, execution, out, progress) as (made, work):
                yield made
                work.remove()

    @contextmanager
    def spooled(
        self,
        found: Sequence[Source],
        execution: Execution,
        out: Path,
        progress: Progress,
        *,
        shared: bool = False,
    ) -> Iterator[tuple[SpooledBuild, WorkDir]]:
        """The build of some sources in a work directory, which others may ``share``."""
        planned = self.divided(found)
        work = WorkDir(
            execution.work_path(out),
            planned.to_dict(),
            restart=execution.restart,
            shared=shared,
            lasting=planned.resumable,
        )
        with work:
            engine = execution.start()
            try:
                yield SpooledBuild(planned, work, engine, execution, progress), work
            finally:
                engine.close()

    def _is_small(self, found: Sequence[Source], execution: Execution) -> bool:
        """Whether the keys fit into memory, and reading is done before other processes have started."""
        if execution.spools:
            return False
        sizes = [source.text_bytes for source in found]
        if None in sizes:
            return False
        text_bytes = sum(size or 0 for size in sizes)
        n_keys = text_bytes // max(1, self.windows.stride)
        most = _SMALL_TEXT_BYTES if execution.n_workers > 1 else execution.held_keys * 8
        return text_bytes <= most and n_keys <= execution.held_keys

    def _fields(self) -> dict[str, Any]:
        return {"columns": list(self.columns.text), "format": self.format}
