"""What may go wrong with a build, in sentences."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from portrait.disclosure import density_warning
from portrait.markup.numbers import count, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.building.reader import OnError
    from portrait.planning.sample import Sample
    from portrait.spec import WindowSpec

#: A read task of no more than this does not delay the build.
LONG_TASK_SECONDS = 2.0
#: The number of long tasks to name, at most.
_MAX_NAMED = 5


def dense_windows(windows: WindowSpec) -> Iterator[str]:
    """Warn of windows from which text can be rebuilt."""
    if (warning := density_warning(windows)) is not None:
        yield warning


def unread_shards(sample: Sample) -> Iterator[str]:
    """Warn of files of which nothing was read, and of sources that only they may hold."""
    n_read, n_shards = sample.n_shards
    if n_read < n_shards:
        n_sources = len(sample.counts)
        yield (
            f"the sample saw {count(n_read)} of {counted(n_shards, 'file')} and rows of "
            f"{counted(n_sources, 'source')}: there may be others; a larger sample sees more"
        )


def bad_rows(sample: Sample, on_error: OnError) -> Iterator[str]:
    """Warn of rows that cannot be read."""
    n_bad = sample.n_bad_rows
    if n_bad:
        n_rows = n_bad + sum(one.documents for one in sample.counts.values())
        then = (
            "the build stops there, unless it is told to skip such rows"
            if on_error == "fail"
            else "they are left out"
        )
        yield (
            f"{count(n_bad)} of {counted(n_rows, 'row')} of the sample cannot be read "
            f"({sample.first_bad_row}): {then}"
        )


def long_tasks(task_seconds: Sequence[tuple[str, float]], n_workers: int) -> Iterator[str]:
    """Warn of shards whose reading all other workers wait for."""
    # A single worker's share is all of the corpus: no task is more.
    share = sum(seconds for _, seconds in task_seconds) / n_workers
    for label, seconds in sorted(task_seconds, key=lambda task: -task[1])[:_MAX_NAMED]:
        if seconds > max(share, LONG_TASK_SECONDS):
            yield (
                f"{label}: cannot be divided, and is more than a worker's share of the corpus: "
                f"{count(n_workers)} workers will wait for one; divide the file"
            )


def too_little_memory(needed_bytes: int, allowed_bytes: int) -> Iterator[str]:
    """Warn of a filter that is built in memory and needs more than is allowed."""
    if needed_bytes > allowed_bytes:
        yield (
            f"a pybloom filter is built in memory: about {_mb(needed_bytes)}, and {_mb(allowed_bytes)} are "
            "allowed: allow more"
        )


def full_disks(needs: Sequence[tuple[Path, int, str]]) -> Iterator[str]:
    """Warn of disks with too little space.

    Args:
        needs: Directories, which need not exist, the bytes needed in each, and what for.
    """
    by_device: dict[int, tuple[Path, int, str]] = {}
    for path, n_bytes, what in needs:
        directory = next(one for one in (path, *path.absolute().parents) if one.exists())
        device = directory.stat().st_dev
        _, before, names = by_device.get(device, (directory, 0, ""))
        by_device[device] = (directory, before + n_bytes, f"{names} and {what}" if names else what)
    for directory, n_bytes, what in by_device.values():
        free = shutil.disk_usage(directory).free
        if n_bytes > free:
            yield (
                f"{directory}: {what} take about {_mb(n_bytes)} there, and {_mb(free)} are free: make room, "
                "or choose another place"
            )


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"
