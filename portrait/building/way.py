"""The way a build takes, and the build itself, ready to read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from portrait.building.in_memory import InMemoryBuild
from portrait.building.on_disk import OnDiskBuild
from portrait.building.read_plan import plan_reading
from portrait.building.two_pass import TwoPassBuild
from portrait.errors import SpecError
from portrait.filters import kinds as filters
from portrait.filters import pybloom
from portrait.storage.workdir import WorkDir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.building.request import Request
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter
    from portrait.corpus.shards import Source
    from portrait.engines.execution import Execution
    from portrait.progress import Progress

#: Where a build keeps its keys: in memory; in memory, while the corpus is read twice; in a work directory.
Way = Literal["memory", "two_pass", "disk"]

#: One process reads this much text before others have started and read their share of it.
_SMALL_TEXT_BYTES = 250_000_000


class Build(Protocol):
    """A build under way."""

    def read(self) -> None:
        """Read the corpus."""

    def layers(self, writer: BundleWriter) -> list[Layer]:
        """Build and write all layers, ordered by source."""

    def corpus(self) -> dict[str, Any]:
        """Return the manifest's record of the corpus."""


def way_of(request: Request, sources: Sequence[Source], execution: Execution, out: Path) -> Way:
    """Return the way of a build: in memory where the corpus is small and nothing is there to resume.

    Raises:
        SpecError: The kind of filter does not go with the windows or the execution.
    """
    if request.filter.kind == pybloom.KIND:
        filters.require_windows(request.filter.kind, request.windows)
        if execution.needs_work_dir:
            raise SpecError(
                "a pybloom filter is built in the memory of one process: leave out the engine and the work "
                "directory",
                parameter="work_dir" if execution.work_dir is not None else "engine",
            )
        return "two_pass"
    return "memory" if _is_small(request, sources, execution) and not execution.can_resume(out) else "disk"


@contextmanager
def open_build(
    request: Request, sources: Sequence[Source], execution: Execution, out: Path, progress: Progress
) -> Iterator[Build]:
    """Prepare the build of some sources, by the way that is fastest.

    What it keeps to resume from is removed when the block ends without an error.

    Args:
        request: What is to be built.
        sources: Its sources, from :meth:`Request.resolve`.
        execution: How it is carried out.
        out: Where the portrait will be.
        progress: Receives the progress.

    Raises:
        SpecError: The kind of filter does not go with the windows or the execution.
        OutputExistsError: The work directory belongs to another build.
        OutputError: The work directory cannot be written.
        WorkerError: The engine cannot be started.
    """
    way = way_of(request, sources, execution, out)
    if way == "two_pass":
        yield TwoPassBuild(sources, request, progress)
    elif way == "memory":
        yield InMemoryBuild(sources, request, progress)
    else:
        with open_on_disk(request, sources, execution, out, progress) as (build, work):
            yield build
            work.remove()


@contextmanager
def open_on_disk(
    request: Request,
    sources: Sequence[Source],
    execution: Execution,
    out: Path,
    progress: Progress,
    *,
    shared: bool = False,
) -> Iterator[tuple[OnDiskBuild, WorkDir]]:
    """Prepare the build of some sources in a work directory.

    Args:
        request: What is to be built.
        sources: Its sources, from :meth:`Request.resolve`.
        execution: How it is carried out.
        out: Where the portrait will be.
        progress: Receives the progress.
        shared: Whether other processes may read other shards meanwhile.

    Raises:
        OutputExistsError: The work directory belongs to another build.
        OutputError: The work directory cannot be written.
        WorkerError: The engine cannot be started.
    """
    plan = plan_reading(sources, request)
    work = WorkDir(
        execution.work_path(out),
        plan.to_json(),
        restart=execution.restart,
        shared=shared,
        lasting=plan.resumable,
    )
    with work:
        engine = execution.start()
        try:
            yield OnDiskBuild(plan, work, engine, execution, progress), work
        finally:
            engine.close()


def _is_small(request: Request, sources: Sequence[Source], execution: Execution) -> bool:
    """Whether the keys fit into memory, and reading is done before other processes have started."""
    if execution.needs_work_dir:
        return False
    sizes = [source.text_bytes for source in sources]
    if None in sizes:
        return False
    text_bytes = sum(size or 0 for size in sizes)
    n_keys = int(text_bytes * request.windows.density)
    max_text_bytes = _SMALL_TEXT_BYTES if execution.n_workers > 1 else execution.keys_in_memory * 8
    return text_bytes <= max_text_bytes and n_keys <= execution.keys_in_memory
