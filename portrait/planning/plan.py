"""The plan of a build, from its files' sizes and a sample of their text."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from portrait import presets
from portrait.answers.judge import DEFAULT_EVALUE
from portrait.building.reader import require_text
from portrait.building.request import Request
from portrait.building.way import way_of
from portrait.corpus.columns import DEFAULT_MAX_DOCUMENT_BYTES
from portrait.engines.execution import Execution
from portrait.errors import SpecError
from portrait.evidence import significant_chain
from portrait.filters import kinds as filters
from portrait.planning.caveats import (
    bad_rows,
    dense_windows,
    full_disks,
    long_tasks,
    too_little_memory,
    unread_shards,
)
from portrait.planning.forecast import Forecast
from portrait.planning.ratio import Range
from portrait.planning.sample import take
from portrait.spec import FilterKind, FilterSpec, WindowSpec

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from portrait.building.reader import OnError
    from portrait.building.way import Way
    from portrait.corpus.shards import Format
    from portrait.planning.counts import PlannedSource

#: How much text is read by default, and for how long at most.
SAMPLE_TEXT_BYTES = 32_000_000
_SAMPLE_SECONDS = 3.0
#: The lengths of texts, in units, for which a plan states the shortest detectable copy.
TEXT_UNITS = (1000, 10_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build is expected to take and to give, as :func:`plan` returns it.

    Attributes:
        windows: The windows to store.
        filter: The filter to build.
        sources: The expected counts of each source.
        sampled_text_bytes: The number of bytes of text in the sample.
        whole: Whether the sample is all of the corpus, so that the counts are exact.
        way: Where the build keeps its keys: in ``memory``, on ``disk``, or, for a pybloom filter, in memory
            while it reads the corpus in two passes (``two_pass``).
        workers: The number of processes.
        tasks: The number of read tasks.
        bundle_bytes_ranges: The interval of each of ``bundle_bytes``; like all intervals, it holds the true
            value in about 95 of 100 cases.
        sampled_shards: The number of files, and of parts of a dataset, of which something was read.
        shards: The number of all of them.
        bundle_bytes: The size of all layers by the kind of filter, for the kinds that suit the windows.
        work_dir_bytes: The greatest size of the work directory.
        work_dir: The work directory, if the build needs one.
        memory_bytes: The memory of all processes together.
        seconds: About how long the build takes on this machine.
        fpr: The false-positive rate per window.
        detectable_units: For texts of so many units, the shortest copy that is certain to be found at the
            default threshold, if any is.
        warnings: What may go wrong, a sentence each.
    """

    windows: WindowSpec
    filter: FilterSpec
    sources: tuple[PlannedSource, ...]
    sampled_text_bytes: int
    whole: bool
    way: Way
    workers: int
    tasks: int
    bundle_bytes: Mapping[str, int]
    bundle_bytes_ranges: Mapping[str, Range]
    sampled_shards: int
    shards: int
    work_dir_bytes: int
    work_dir: str | None
    memory_bytes: int
    seconds: float
    fpr: float
    detectable_units: Mapping[int, int | None]
    warnings: tuple[str, ...]

    @property
    def documents(self) -> int:
        """The number of documents of all sources."""
        return sum(source.documents for source in self.sources)

    @property
    def text_bytes(self) -> int:
        """The number of bytes of text of all sources."""
        return sum(source.text_bytes for source in self.sources)

    @property
    def text_bytes_range(self) -> Range:
        """The interval of the number of bytes of text."""
        below = math.hypot(*(source.text_bytes - source.text_bytes_range.low for source in self.sources))
        above = math.hypot(*(source.text_bytes_range.high - source.text_bytes for source in self.sources))
        return Range(round(self.text_bytes - below), round(self.text_bytes + above))

    @property
    def distinct_keys_range(self) -> Range:
        """The interval of the number of keys in all layers."""
        ranges = [source.distinct_keys_range for source in self.sources]
        return Range(sum(one.low for one in ranges), sum(one.high for one in ranges))

    @property
    def stored_windows(self) -> int:
        """The number of stored windows of all sources."""
        return sum(source.windows for source in self.sources)

    @property
    def distinct_keys(self) -> int:
        """The number of keys in all layers: an upper estimate, unless the sample is :attr:`whole`."""
        return sum(source.distinct_keys for source in self.sources)

    @property
    def guaranteed_units(self) -> int:
        """The length in units from which on every verbatim passage is a hit, without false negatives."""
        return self.windows.guaranteed_length

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return {
            **asdict(self),
            "documents": self.documents,
            "text_bytes": self.text_bytes,
            "text_bytes_range": self.text_bytes_range,
            "distinct_keys_range": self.distinct_keys_range,
            "stored_windows": self.stored_windows,
            "distinct_keys": self.distinct_keys,
            "guaranteed_units": self.guaranteed_units,
            "detectable_units": {str(units): length for units, length in self.detectable_units.items()},
        }


def plan(
    sources: Any,
    *,
    out: str | os.PathLike[str] = "corpus.portrait",
    windows: WindowSpec | None = None,
    filter: FilterSpec | None = None,  # noqa: A002  # the field's word
    preset: str = "default",
    column: str | Sequence[str] = "text",
    source_column: str | None = None,
    format: Format = "auto",  # noqa: A002
    on_error: OnError = "fail",
    short_documents: bool = False,
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
    execution: Execution | None = None,
    sample_text_bytes: int = SAMPLE_TEXT_BYTES,
) -> Plan:
    """Plan the build of ``sources`` at ``out``. Nothing is written.

    The sizes of the files and a sample of their text are read, for a few seconds at most, at places spread
    evenly over each source.

    Args:
        sources: As for :func:`portrait.build`.
        out: Where the portrait is to be written.
        windows: The windows to store; by default the preset's.
        filter: The filter to build; by default the preset's.
        preset: The name of a preset.
        column: The column of the text, or several.
        source_column: The column that names each row's source, if any.
        format: The format of the files; by default, their names tell.
        on_error: What the build does with rows that cannot be read.
        short_documents: Whether documents shorter than a window are recorded.
        max_document_bytes: The size of the largest document, in bytes of text.
        execution: How the build runs.
        sample_text_bytes: About how many bytes of text to read.

    Returns:
        The plan.

    Raises:
        CorpusError: The build would raise it, too. Rows that cannot be read are a warning if others can.
        SpecError: An option is invalid, or a source can be read only once or has an unknown size.
    """
    if not isinstance(sample_text_bytes, int) or sample_text_bytes < 1:
        raise SpecError(
            f"the sample is 1 byte or more, not {sample_text_bytes!r}", parameter="sample_text_bytes"
        )
    presets.preset(preset)
    execution = execution or Execution()
    request = Request.of(
        windows,
        filter,
        preset=preset,
        column=column,
        source_column=source_column,
        format=format,
        on_error=on_error,
        short_documents=short_documents,
        max_document_bytes=max_document_bytes,
    )
    resolved = request.resolve(sources)
    way = way_of(request, resolved, execution, Path(out))
    two_pass = way == "two_pass"
    sample = take(resolved, request.reading, sample_text_bytes, _SAMPLE_SECONDS, of_windows=two_pass)
    if sample.whole:
        require_text(resolved, sample.counts, source_column)
    forecast = Forecast(request, resolved, execution, way, sample)
    spec = request.filter
    n_read, n_shards = sample.n_shards
    sizes = {kind: size for kind in get_args(FilterKind) if (size := forecast.bundle_bytes(kind)) is not None}
    _, fpr = filters.expected(spec, 1)
    bundle_bytes = sizes[spec.kind]
    work_dir_bytes = forecast.work_dir_bytes(bundle_bytes)
    memory_bytes = forecast.memory_bytes(bundle_bytes)
    work_dir = str(execution.work_path(Path(out))) if way == "disk" else None
    return Plan(
        windows=request.windows,
        filter=spec,
        sources=forecast.sources,
        sampled_text_bytes=sample.text_bytes,
        whole=sample.whole,
        way=way,
        workers=forecast.n_workers,
        tasks=forecast.n_tasks,
        bundle_bytes=sizes,
        bundle_bytes_ranges={kind: forecast.bundle_bytes_range(cast("FilterKind", kind)) for kind in sizes},
        sampled_shards=n_read,
        shards=n_shards,
        work_dir_bytes=work_dir_bytes,
        work_dir=work_dir,
        memory_bytes=memory_bytes,
        seconds=forecast.seconds(bundle_bytes),
        fpr=fpr,
        detectable_units={n: _detectable(request.windows, len(forecast.sources), fpr, n) for n in TEXT_UNITS},
        warnings=(
            *dense_windows(request.windows),
            *unread_shards(sample),
            *bad_rows(sample, on_error),
            *long_tasks(forecast.task_seconds, execution.n_workers),
            *(too_little_memory(memory_bytes, execution.total_bytes) if two_pass else ()),
            *full_disks(_disk_needs(Path(out), bundle_bytes, execution, work_dir_bytes)),
        ),
    )


def _disk_needs(
    out: Path, bundle_bytes: int, execution: Execution, work_dir_bytes: int
) -> list[tuple[Path, int, str]]:
    needs = [(out.parent, bundle_bytes, "the portrait")]
    if work_dir_bytes:
        needs.append((execution.work_path(out), work_dir_bytes, "the keys meanwhile"))
    return needs


def _detectable(windows: WindowSpec, n_layers: int, fpr: float, text_units: int) -> int | None:
    """Return the shortest copy that is certain to be found in a text of so many units, if any is."""
    n_windows = windows.typical_windows(text_units)
    if n_windows < 1:
        return None
    chain = significant_chain(n_windows, max(1, n_layers), fpr, DEFAULT_EVALUE)
    length = None if chain is None else windows.length_holding(chain)
    return length if length is not None and length <= text_units else None
