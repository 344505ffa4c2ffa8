"""Scanning a text for the filters of a portrait: hits, chains and stretches, checked against the oracle."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples

import portrait
from portrait.portraits.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.answers.scan import LayerScan

DOCUMENTS = {
    "prose": [
        "It was the best of times,\r\nit was the worst of times, it was the age of wisdom",
        "abababababababababababab",
        "short",
        "",
    ],
    "world": [
        "天地玄黃 宇宙洪荒 日月盈昃 辰宿列張\u3000寒來暑往",
        "Ve\u0301nus e\u0323\u0302tait là 한국어 \u1112\u1161\u11ab\u1100\u116e\u11a8 👩🏽‍💻🇪🇺❤\ufe0f!",
    ],
}
EVERYTHING = [document for documents in DOCUMENTS.values() for document in documents]

SPECS = [
    portrait.WindowSpec(8, portrait.Stride(4)),
    portrait.WindowSpec(5, portrait.Stride(7)),
    portrait.WindowSpec(1, portrait.Stride(1)),
    portrait.WindowSpec(7, portrait.Stride(3), "byte"),
    portrait.WindowSpec(4, portrait.Stride(9), "byte", "none"),
    portrait.WindowSpec(6, portrait.Stride(1), "char", "none"),
    portrait.WindowSpec(9, portrait.Stride(4), "char", "loose"),
    portrait.WindowSpec(2, portrait.Stride(3), "word", "loose"),
    portrait.WindowSpec(3, portrait.Stride(1), "word", "none"),
    portrait.WindowSpec(2, portrait.Stride(2), "word", "data-portraits"),
    portrait.WindowSpec(8, portrait.Minimizer(1)),
    portrait.WindowSpec(9, portrait.Minimizer(4)),
    portrait.WindowSpec(8, portrait.Minimizer(14)),
    portrait.WindowSpec(12, portrait.Minimizer(5), "byte"),
    portrait.WindowSpec(14, portrait.Minimizer(6), "char", "loose"),
    portrait.WindowSpec(2, portrait.Minimizer(3), "word", "loose"),
    portrait.WindowSpec(3, portrait.Minimizer(1), "word", "none"),
    portrait.WindowSpec(4, portrait.Minimizer(2), "word", "data-portraits"),
]

#: Texts that quote parts of the documents between other text.
QUOTING_TEXTS = st.lists(
    st.one_of(
        samples.PIECES,
        st.sampled_from(EVERYTHING),
        st.builds(
            lambda text, start, size: text[start : start + size],
            st.sampled_from(EVERYTHING),
            st.integers(0, 30),
            st.integers(5, 60),
        ),
    ),
    max_size=5,
).map("".join)


@pytest.fixture(scope="module", params=[0.01, 0.3], ids="fpr{}".format)
def fpr(request: pytest.FixtureRequest) -> float:
    """A false-positive rate: the default, and one at which many hits are false."""
    return float(request.param)


@pytest.fixture(scope="module", params=SPECS, ids=str)
def sample(request: pytest.FixtureRequest, fpr: float) -> samples.Sample:
    """A portrait of DOCUMENTS, for each of SPECS and each rate."""
    return samples.build(DOCUMENTS, request.param, fpr)


def assert_scan(
    layer: LayerScan, text: str, spec: oracle.Spec, contains: oracle.Contains, rate: float
) -> None:
    """Check what was scanned in one layer against the oracle."""
    assert layer.hits == sum(oracle.hits(text, spec, contains))
    chains = oracle.chains(text, spec, contains)
    assert [tuple(chain) for chain in layer.chains] == chains
    assert layer.longest == max((chain.windows for chain in chains), default=0)
    assert layer.distinct == max((chain.distinct for chain in chains), default=0)
    best = oracle.stretch(text, spec, contains, rate)
    assert (layer.stretch is None) == (best is None)
    if layer.stretch is not None and best is not None:
        # Only the score: rounding decides which of several equally good stretches it is.
        assert layer.stretch.score == pytest.approx(best.score, abs=1e-9)
    assert layer.document == oracle.exact_document(text, spec, contains)


def assert_scanned(sample: samples.Sample, text: str) -> None:
    """Check hits and evidence about ``text`` against the oracle, which asks the filters key by key."""
    opened, spec, layers = sample
    normalised, _ = oracle.normalise(text, spec.normalizer)
    known = [oracle.hits(text, spec, contains) for contains, _ in layers]
    assert list(opened.hits(text).values()) == [bytes(hits) for hits in known]
    for evidence, (contains, rate) in zip(opened.evidence(text, evalue=1e6), layers, strict=True):
        assert evidence.units == len(oracle.units(normalised, spec.unit))
        assert evidence.windows == len(oracle.ask(text, spec).offsets)
        assert evidence.fpr == rate
        assert_scan(evidence.scan, text, spec, contains, rate)


@settings(max_examples=60, deadline=None)
@given(text=QUOTING_TEXTS)
def test_hits_and_chains_are_those_of_the_definition(sample: samples.Sample, text: str) -> None:
    assert_scanned(sample, text)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.lists(samples.texts(3), min_size=1, max_size=4), min_size=1
    ),
    samples.texts(),
    samples.specs(),
    st.sampled_from([0.001, 0.1, 0.6]),
    st.randoms(use_true_random=False),
)
def test_any_portrait_answers_for_its_documents_and_any_text(
    sources: dict[str, list[str]], text: str, spec: portrait.WindowSpec, fpr: float, rng: random.Random
) -> None:
    # A source must have some text.
    sources = {name: [*documents, "text"] for name, documents in sources.items()}
    sample = samples.build(sources, spec, fpr)
    quoted = rng.choice([document for documents in sources.values() for document in documents])
    for query in (text, quoted, text + quoted + text):
        assert_scanned(sample, query)


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_a_document_hits_all_its_stored_windows_in_its_own_layer(name: str, sample: samples.Sample) -> None:
    spec = sample.spec
    for document in DOCUMENTS[name]:
        parts = oracle.units(oracle.normalise(document, spec.normalizer)[0], spec.unit)
        asked = oracle.asked_offsets(parts, spec)
        hits = dict(zip(asked, sample.portrait.hits(document)[name], strict=True))
        assert all(hits[i] for i in oracle.stored_offsets(parts, spec))
        evidence = {layer.source: layer for layer in sample.portrait.evidence(document)}
        expected = True if len(parts) >= spec.width else None
        assert evidence[name].scan.document is expected
        assert sample.portrait.query(document).exact_document is expected


def test_a_copy_has_its_position_in_the_original_text() -> None:
    opened = samples.build({"main": ["abcdefgh"]}, portrait.WindowSpec(4, portrait.Stride(2)), 1e-6).portrait
    (evidence,) = opened.evidence("xx  abcdefgh\n\nyy")
    assert (evidence.units, evidence.windows) == (14, 11)
    assert evidence.scan.chains == ((3, 7, 3, 3, 4, 12),)
    assert not evidence.scan.document


def test_a_copy_is_found_through_case_quotes_and_line_breaks() -> None:
    spec = portrait.WindowSpec(4, portrait.Stride(1), "word", "loose")
    opened = samples.build(
        {"main": ["\u201cIt\u2019s the Stra\u00dfe,\u201d she said."]}, spec, 1e-6
    ).portrait
    text = "-- (IT'S THE\nSTRASSE) she said, twice"
    (evidence,) = opened.evidence(text)
    assert (evidence.units, evidence.windows) == (7, 4)
    assert evidence.scan.chains == ((0, 2, 3, 3, 4, 30),)
    assert text[4:30] == "IT'S THE\nSTRASSE) she said"


def test_words_have_their_position_in_the_original_text() -> None:
    spec = portrait.WindowSpec(2, portrait.Stride(1), "word", "none")
    opened = samples.build({"main": ["one two"]}, spec, 1e-6).portrait
    (evidence,) = opened.evidence("天\n\u3000one \t two  three")
    assert evidence.scan.chains == ((1, 1, 1, 1, 3, 12),)


def test_a_match_that_ends_within_a_character_spans_all_of_it() -> None:
    spec = portrait.WindowSpec(2, portrait.Stride(1), "byte", "none")
    opened = samples.build({"main": ["天a"]}, spec, 1e-6).portrait
    (evidence,) = opened.evidence("x天y")
    assert evidence.scan.chains == ((1, 2, 2, 2, 1, 2),)


@pytest.mark.parametrize("stride", [1, 3, 500, 511, 512, 513, 2000])
@pytest.mark.parametrize("unit", ["char", "byte", "word"])
def test_long_texts_are_scanned_correctly_at_every_stride(stride: int, unit: Any) -> None:
    assert_long_text_scanned(portrait.WindowSpec(6, portrait.Stride(stride), unit))


@pytest.mark.parametrize("span", [1, 3, 42, 500, 2500])
@pytest.mark.parametrize("unit", ["char", "byte", "word"])
def test_long_texts_are_scanned_correctly_with_every_span(span: int, unit: Any) -> None:
    assert_long_text_scanned(portrait.WindowSpec(9, portrait.Minimizer(span), unit))


def assert_long_text_scanned(spec: portrait.WindowSpec) -> None:
    """Check hits and evidence about a text that is longer than what the kernel scans at once."""
    rng = random.Random(spec.sampling.gap)
    words = ["fox ", "天地", "e\u0301", "\r\n\u3000", "ünï ", "👩🏽‍💻", "a" * 9]
    document = "".join(rng.choices(words, k=700))
    # The definitions take time that grows with the square of the hits that a stretch may have.
    least, most = (300, 800) if spec.sampling.gap < 500 else (900, 1500)
    text = document[300:most] + "".join(rng.choices(words, k=150)) + document[:least]
    assert_scanned(samples.build({"main": [document]}, spec, 0.05), text)


def test_chains_end_at_the_first_miss() -> None:
    opened = samples.build(
        {"main": ["abcdefghijkl"]}, portrait.WindowSpec(2, portrait.Stride(2)), 1e-6
    ).portrait
    (evidence,) = opened.evidence("abcd_fghijkl"[:4] + "ef_hijkl")
    assert [chain[:3] for chain in evidence.scan.chains] == [(0, 4, 3), (8, 10, 2)]


def test_the_format_of_a_corpus_makes_no_difference(tmp_path: Path) -> None:
    spec = portrait.WindowSpec(8, portrait.Stride(4))
    rows = [document for document in EVERYTHING if document]
    for i, row in enumerate(rows):
        (tmp_path / f"{i}.txt").write_text(row, encoding="utf-8", newline="")
    lines = tmp_path / "rows.jsonl"
    lines.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows), encoding="utf-8")
    table = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": pa.array(rows)}), table, row_group_size=2)
    in_memory = datasets.Dataset.from_dict({"text": rows})
    chunked = datasets.concatenate_datasets(
        [in_memory.select(range(2)), in_memory.select(range(2, len(rows)))]
    )
    sources: Sequence[Any] = [str(tmp_path / "*.txt"), lines, table, in_memory, chunked]
    portraits = [
        portrait.build(source, tmp_path / f"{i}.portrait", windows=spec) for i, source in enumerate(sources)
    ]
    assert len({opened.manifest.id for opened in portraits}) == 1
    for row in rows:
        for opened in portraits:
            assert_scanned(samples.sample(opened), f"before {row} after")


@pytest.mark.parametrize("sources", [1, 2])
@pytest.mark.parametrize(
    ("text", "place", "code"),
    [("\ud800", 0, "D800"), ("añ天👩\udfff", 4, "DFFF"), ("x\ude00\ud83d", 1, "DE00")],
    ids=["alone", "last", "swapped pair"],
)
def test_a_lone_surrogate_is_named_with_its_position(text: str, place: int, code: str, sources: int) -> None:
    documents = dict(list(DOCUMENTS.items())[:sources])
    opened = samples.build(documents, portrait.WindowSpec(8, portrait.Stride(4))).portrait
    message = rf"lone surrogate U\+{code} at character {place}\b"
    asking = (opened.query, opened.hits, opened.evidence, opened.asked, opened.normalize)
    for ask in (*asking, lambda text: opened.query([text])):
        with pytest.raises(portrait.TextError, match=message):
            ask(text)


def test_a_scanner_without_filters_counts_units_and_windows() -> None:
    scan = Scanner(portrait.WindowSpec(4, portrait.Stride(2)), []).scan("  abcdef")
    assert (scan.units, scan.windows, scan.layers) == (6, 3, [])


def test_a_chain_whose_evalue_is_exactly_the_threshold_is_found() -> None:
    opened = samples.build(DOCUMENTS, portrait.WindowSpec(8, portrait.Stride(4))).portrait
    text = DOCUMENTS["prose"][0]
    (match,) = opened.query(text).layers[0].matches
    assert opened.query(text, evalue=match.evalue).layers[0].matches == (match,)
    assert opened.query(text, evalue=match.evalue / 2).layers[0].matches == ()
