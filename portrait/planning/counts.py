"""From the counts of a sample to those of the whole corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.pieces import N_KEYS
from portrait.keys.maker import Counts, keys_within

if TYPE_CHECKING:
    from portrait.planning.sample import Sample
    from portrait.planning.strata import Stratum


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """The expected counts of a source.

    ``windows`` counts the stored windows, ``distinct_keys`` is an upper estimate.
    """

    source: str
    documents: int
    text_bytes: int
    windows: int
    distinct_keys: int


@dataclass(slots=True)
class _Total:
    """Expected counts of a source, before they are rounded."""

    documents: float = 0.0
    text_bytes: float = 0.0
    windows: float = 0.0


def planned_sources(sample: Sample, *, by_column: bool, document_keys: bool) -> tuple[PlannedSource, ...]:
    """Extrapolate the counts of a sample.

    Args:
        sample: The sample.
        by_column: Whether a column names each row's source.
        document_keys: Whether the filter contains keys of whole documents.

    Returns:
        The sources, ordered by name.
    """
    totals: dict[str, _Total] = {}
    for stratum in sample.strata:
        counts, factor = _representative(sample, stratum, by_column=by_column)
        one_document_a_file = stratum.kind == "txt" and not stratum.whole
        for source, one in counts.items():
            total = totals.setdefault(source, _Total())
            total.documents += stratum.n_files if one_document_a_file else one.documents * factor
            total.text_bytes += one.text_bytes * factor
            total.windows += one.windows * factor
    return tuple(
        PlannedSource(
            source,
            round(total.documents),
            round(total.text_bytes),
            round(total.windows),
            _distinct_keys(sample, source, total.windows + document_keys * total.documents),
        )
        for source, total in sorted(totals.items())
    )


def _representative(sample: Sample, stratum: Stratum, *, by_column: bool) -> tuple[dict[str, Counts], float]:
    """Return the counts that stand for a stratum, and the factor by which to multiply them."""
    if stratum.factor is not None:
        return stratum.counts, stratum.factor
    # Nothing of the stratum was read: the others stand for it, with the usual amount of text in such files.
    others = sample.counts
    text_bytes = sum(one.text_bytes for one in others.values())
    factor = (stratum.n_bytes or 0) * stratum.expansion / max(1, text_bytes)
    if by_column:
        return others, factor
    united = Counts()
    for one in others.values():
        united.add(one)
    return {stratum.source: united}, factor


def _distinct_keys(sample: Sample, source: str, n_keys: float) -> int:
    """Return the number of distinct keys if they repeat as often as those of the sample do."""
    keys = sample.keys.get(source)
    if keys is None or not len(keys):
        return round(n_keys)
    unique = keys_within(keys, 0, N_KEYS - 1)
    return round(n_keys * unique.sort_unique() / len(keys))
