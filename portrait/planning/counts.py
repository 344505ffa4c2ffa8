"""From the counts of a sample to those of the whole corpus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.pieces import N_KEYS
from portrait.keys.maker import Counts, Keys, keys_within
from portrait.planning.ratio import Cluster, Estimate, Range, estimate, united

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.planning.sample import Sample
    from portrait.planning.strata import Stratum
    from portrait.spec import DocumentKeys

#: Of what was not read, at most this share is expected to repeat the rest.
_MOST_REPEATED = 0.5
#: If none of n places repeats another, up to 3/n of all places do, with a confidence of 95 %.
_RULE_OF_THREE = 3
#: The standard deviation of what a stratum holds of which nothing was read, as a share of it.
_UNREAD_CV = 0.5


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """The expected counts of a source, with intervals that hold the true ones in about 95 of 100 cases.

    ``windows`` counts the stored windows, ``keys`` these and the keys of documents, repeated ones included;
    ``distinct_keys`` is an upper estimate.
    """

    source: str
    documents: int
    text_bytes: int
    text_bytes_range: Range
    windows: int
    keys: int
    distinct_keys: int
    distinct_keys_range: Range


@dataclass(slots=True)
class _Totals:
    """The estimates of a source, one for each stratum."""

    documents: list[Estimate]
    text_bytes: list[Estimate]
    windows: list[Estimate]
    keys: list[Estimate]


def planned_sources(
    sample: Sample, *, by_column: bool, document_keys: DocumentKeys
) -> tuple[PlannedSource, ...]:
    """Extrapolate the counts of a sample.

    Args:
        sample: The sample.
        by_column: Whether a column names each row's source.
        document_keys: Which documents have a key of their whole text.

    Returns:
        The sources, ordered by name.
    """
    totals: dict[str, _Totals] = {}
    values: tuple[Callable[[Counts], float], ...] = (
        lambda one: one.documents,
        lambda one: one.text_bytes,
        lambda one: one.windows,
        lambda one: one.windows + one.keyed_documents(document_keys),
    )
    for stratum in sample.strata:
        for source in _sources_of(sample, stratum, by_column=by_column):
            total = totals.setdefault(source, _Totals([], [], [], []))
            lists = (total.documents, total.text_bytes, total.windows, total.keys)
            for into, value in zip(lists, values, strict=True):
                into.append(_estimate(sample, stratum, source, value, by_column=by_column))
            if stratum.kind == "txt" and not stratum.whole:  # a document a file
                total.documents[-1] = Estimate(stratum.n_files, 0.0, 1)
    read_share = _read_share(sample)
    return tuple(
        _planned(source, total, sample, read_share, document_keys) for source, total in sorted(totals.items())
    )


def _planned(
    source: str, totals: _Totals, sample: Sample, read_share: float, document_keys: DocumentKeys
) -> PlannedSource:
    text, keys = united(totals.text_bytes), united(totals.keys)
    text_range = text.range()
    places = sample.keys.get(source, [])
    read = sample.counts.get(source, Counts())
    n_left_out = read.windows + read.keyed_documents(document_keys) - sum(map(len, places))
    distinct, distinct_range = distinct_keys(keys, places, read_share, max(0, n_left_out))
    return PlannedSource(
        source,
        round(united(totals.documents).total),
        round(text.total),
        text_range,
        round(united(totals.windows).total),
        round(keys.total),
        distinct,
        distinct_range,
    )


def _sources_of(sample: Sample, stratum: Stratum, *, by_column: bool) -> list[str]:
    """Return the sources whose rows a stratum is expected to hold."""
    if by_column:
        return list(stratum.counts if _is_read(stratum) else sample.counts)
    return [stratum.source]


def _is_read(stratum: Stratum) -> bool:
    return stratum.whole or (stratum.n_bytes is not None and stratum.text_bytes > 0)


def _estimate(
    sample: Sample, stratum: Stratum, source: str, value: Callable[[Counts], float], *, by_column: bool
) -> Estimate:
    """Estimate a total of a source's rows in a stratum."""
    nothing = Counts()
    if _is_read(stratum):
        return estimate(
            [
                Cluster(
                    shard.n_bytes or 0,
                    shard.whole,
                    tuple((read.n_bytes, value(read.counts.get(source, nothing))) for read in shard.reads),
                )
                for shard in stratum.shards
            ]
        )
    # Nothing of the stratum was read: the others stand for it, with the usual amount of text in such files.
    others = sample.counts
    text_bytes = sum(one.text_bytes for one in others.values())
    factor = (stratum.n_bytes or 0) * stratum.expansion / max(1, text_bytes)
    counted = value(others[source]) if by_column else sum(map(value, others.values()))
    return Estimate(counted * factor, (counted * factor * _UNREAD_CV) ** 2, 1)


def _read_share(sample: Sample) -> float:
    """Return the share of the corpus that was read, by its bytes."""
    n_bytes = sum(one.n_bytes or 0 for one in sample.strata)
    return 1.0 if sample.whole else sum(one.read_bytes for one in sample.strata) / max(1, n_bytes)


def distinct_keys(
    keys: Estimate, places: Sequence[Keys], read_share: float, n_left_out: int = 0
) -> tuple[int, Range]:
    """Estimate how many different keys there are.

    Keys repeat at least as often as those of the sample do. How much of what was not read repeats other
    parts of the corpus, a sample of few places can only bound: if a share p of what was read at a place was
    read at another, too, about p / ``read_share`` of it stands elsewhere.

    Args:
        keys: The number of keys, repeated ones included.
        places: The keys of each place that was read.
        read_share: The share of the corpus that was read.
        n_left_out: The number of keys that these places lack, because each equals the one before it.

    Returns:
        The number, an upper estimate, and its interval.
    """
    n_listed = sum(len(one) for one in places)
    low, high = keys.range()
    if not n_listed:
        return round(keys.total), Range(low, high)
    united_keys, n_unique = Keys(), 0
    for one in places:
        unique = keys_within(one, 0, N_KEYS - 1)
        n_unique += unique.sort_unique()
        united_keys.extend(unique)
    n_distinct = united_keys.sort_unique()
    share = n_distinct / (n_listed + n_left_out)
    if read_share >= 1:
        return round(keys.total * share), Range(round(low * share), round(high * share))
    repeated = 1 - n_distinct / n_unique + _RULE_OF_THREE / len(places)
    kept = max(_MOST_REPEATED, read_share / (read_share + repeated))
    return round(keys.total * share), Range(math.floor(low * share * kept), math.ceil(high * share))
