"""Counts of a sample, extrapolated."""

from __future__ import annotations

from portrait.keys.maker import Counts
from portrait.planning.counts import planned_sources
from portrait.planning.sample import Sample
from portrait.planning.strata import Stratum


def counts_of(documents: int, text_bytes: int, windows: int) -> Counts:
    """Return counts with these values."""
    counts = Counts()
    counts.documents, counts.text_bytes, counts.windows = documents, text_bytes, windows
    return counts


def stratum(source: str, kind: str, n_bytes: int, read_bytes: int, **counts: Counts) -> Stratum:
    """Return a stratum of three files, of which ``read_bytes`` of ``n_bytes`` were read."""
    result = Stratum(source, kind, f".{kind}", 1.0, n_bytes, 3, [], n_places=2)
    result.read_bytes, result.counts = read_bytes, counts
    return result


def test_counts_are_extrapolated_by_bytes() -> None:
    sample = Sample([stratum("a", "jsonl", 1000, 100, a=counts_of(2, 50, 7))])
    (source,) = planned_sources(sample, by_column=False, document_keys=True)
    assert (source.documents, source.text_bytes, source.windows, source.distinct_keys) == (20, 500, 70, 90)
    (source,) = planned_sources(sample, by_column=False, document_keys=False)
    assert source.distinct_keys == 70


def test_a_file_of_plain_text_is_one_document() -> None:
    sample = Sample([stratum("a", "txt", 1000, 100, a=counts_of(1, 50, 7))])
    assert planned_sources(sample, by_column=False, document_keys=True)[0].documents == 3


def test_an_unread_stratum_is_estimated_from_the_others() -> None:
    read = stratum("a", "jsonl", 100, 100, a=counts_of(2, 50, 5))
    sample = Sample([read, stratum("b", "csv", 200, 0)])
    assert [
        (one.source, one.text_bytes) for one in planned_sources(sample, by_column=False, document_keys=True)
    ] == [
        ("a", 50),
        ("b", 200),
    ]
    (only,) = planned_sources(sample, by_column=True, document_keys=True)
    assert (only.source, only.text_bytes) == ("a", 250)
