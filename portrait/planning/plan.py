"""What a build will take and give, told from its files' sizes and a sample of their text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from portrait.answers.judge import DEFAULT_EVALUE
from portrait.building.reader import require_text
from portrait.building.request import Request
from portrait.building.way import way_of
from portrait.engines.execution import Execution
from portrait.errors import SpecError
from portrait.evidence import detectable_length, significant_chain
from portrait.filters import kinds as filters
from portrait.planning.forecast import Forecast, PlannedSource
from portrait.planning.sample import take
from portrait.spec import FilterKind, FilterSpec, WindowSpec

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from portrait.building.reader import OnError
    from portrait.building.way import Way
    from portrait.corpus.shards import Format

#: How much text is read unless told otherwise, and for how long at most.
SAMPLE_TEXT_BYTES = 32_000_000
_SAMPLE_SECONDS = 3.0
#: Lengths of texts, in units, for which a plan says what can be found in them.
TEXT_UNITS = (1000, 10_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build will take and give, as :func:`plan` tells.

    ``whole``: the sample is all there is, so that the counts are exact. ``way``: the keys are in
    ``memory``, or in files (``spool``), or, for a pybloom filter, in memory while all is read ``twice``.
    ``bundle_bytes`` is the size of all layers, by the kind of filter, for those kinds that can hold such
    windows at this rate; ``spool_bytes`` what lies in ``work_dir`` meanwhile; ``memory_bytes`` what all
    processes take together. ``seconds`` is an estimate for this machine. ``detectable_units``: for texts
    of so many units, the shortest copy that is certain to be found at the default threshold, if any is.
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
    spool_bytes: int
    work_dir: str | None
    memory_bytes: int
    seconds: float
    fpr: float
    detectable_units: Mapping[int, int | None]
    warnings: tuple[str, ...]

    @property
    def documents(self) -> int:
        """Of all sources."""
        return sum(source.documents for source in self.sources)

    @property
    def text_bytes(self) -> int:
        """Of all sources."""
        return sum(source.text_bytes for source in self.sources)

    @property
    def stored_windows(self) -> int:
        """Of all sources."""
        return sum(source.windows for source in self.sources)

    @property
    def distinct_keys(self) -> int:
        """Of all sources' layers together; an upper estimate, unless :attr:`whole`."""
        return sum(source.distinct_keys for source in self.sources)

    @property
    def guaranteed_units(self) -> int:
        """Every verbatim passage of so many units or more is a hit: there are no false negatives."""
        return self.windows.guaranteed_length

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **asdict(self),
            "documents": self.documents,
            "text_bytes": self.text_bytes,
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
    execution: Execution | None = None,
    sample_text_bytes: int = SAMPLE_TEXT_BYTES,
) -> Plan:
    """Tell what the build of ``sources`` at ``out`` will take and give. Nothing is written.

    The arguments are those of :func:`portrait.build`. Read are the files' sizes and about
    ``sample_text_bytes`` of text, for a few seconds at most, at places spread evenly over each source.

    Raises :class:`CorpusError` and :class:`SpecError` as the build would, and :class:`SpecError` for
    what can be read only once, or is of unknown size. Rows that cannot be read are a warning where others
    can.
    """
    if not isinstance(sample_text_bytes, int) or sample_text_bytes < 1:
        raise SpecError(f"the sample is 1 byte or more, not {sample_text_bytes!r}")
    execution = execution or Execution()
    request = Request.of(
        windows,
        filter,
        preset=preset,
        column=column,
        source_column=source_column,
        format=format,
        on_error=on_error,
    )
    found = request.resolve(sources)
    way = way_of(request, found, execution, Path(out))
    twice = way == "twice"
    sample = take(found, request.reading, sample_text_bytes, _SAMPLE_SECONDS, of_windows=twice)
    if sample.whole:
        require_text(found, sample.counts, source_column)
    made = Forecast(request, found, execution, Path(out), way, sample)
    spec = request.filter
    sizes = {kind: size for kind in get_args(FilterKind) if (size := made.bundle_bytes(kind)) is not None}
    _, fpr = filters.expected(spec, 1)
    bundle_bytes = sizes[spec.kind]
    spool_bytes = made.spool_bytes(bundle_bytes)
    memory_bytes = made.memory_bytes(bundle_bytes)
    work_dir = str(execution.work_path(Path(out))) if way == "spool" else None
    return Plan(
        windows=request.windows,
        filter=spec,
        sources=made.sources,
        sampled_text_bytes=sample.text_bytes,
        whole=sample.whole,
        way=way,
        workers=made.n_workers,
        tasks=made.n_tasks,
        bundle_bytes=sizes,
        spool_bytes=spool_bytes,
        work_dir=work_dir,
        memory_bytes=memory_bytes,
        seconds=made.seconds(bundle_bytes),
        fpr=fpr,
        detectable_units={n: _detectable(request.windows, len(made.sources), fpr, n) for n in TEXT_UNITS},
        warnings=tuple(made.warnings(bundle_bytes, spool_bytes, memory_bytes)),
    )


def _detectable(windows: WindowSpec, n_layers: int, fpr: float, text_units: int) -> int | None:
    """The shortest copy that is certain to be found in a text of so many units, if any is."""
    n_windows = text_units - windows.width + 1
    if n_windows < 1:
        return None
    chain = significant_chain(n_windows, max(1, n_layers), fpr, DEFAULT_EVALUE)
    length = None if chain is None else detectable_length(windows.width, windows.stride, chain)
    return length if length is not None and length <= text_units else None
