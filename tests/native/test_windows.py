"""The kernel's windows and keys, against the oracle, for single texts and Arrow arrays."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples

import portrait
from portrait import _native
from portrait.corpus.shards import Batch
from portrait.keys.maker import KeyMaker
from portrait.spec import UNITS

TYPES = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]
SPEC = portrait.WindowSpec(width=4, sampling=portrait.Stride(3))


def kernel(spec: portrait.WindowSpec) -> _native.Windows:
    """Return the kernel's form of a window spec."""
    return _native.Windows(spec.normalizer, spec.unit, spec.width, spec.sampling.name, spec.sampling.gap)


def as_integers(keys: _native.Keys) -> list[int]:
    """Return the keys as integers, in order."""
    data = bytes(keys)
    return list(struct.unpack(f"<{len(data) // 8}Q", data))


def add(keys: _native.Keys, spec: portrait.WindowSpec, array: Any) -> tuple[int, int, int, int]:
    """Add the keys of an Arrow array, and return its counts as :func:`expected_counts` does."""
    validity, offsets, data = array.buffers()
    offset_bytes = 8 if str(array.type).startswith("large_") else 4
    return keys.add_batch(
        kernel(spec), offsets or b"", offset_bytes, data or b"", validity, array.offset, len(array)
    )


def without_repeats(keys: list[int]) -> list[int]:
    """Return keys without those that are equal to the one just before: the kernel may leave them out."""
    return [key for key, _ in itertools.groupby(keys)]


def expected_keys(texts: list[str], spec: portrait.WindowSpec) -> list[int]:
    """Return the keys that documents with these texts store, in order."""
    return [key for text in texts for key in oracle.document_keys(text, samples.plain(spec))]


def expected_counts(texts: list[str], spec: portrait.WindowSpec) -> tuple[int, int, int, int]:
    """Return the numbers of documents, documents without a window, windows, and bytes of UTF-8."""
    every = samples.plain(spec, short_documents=True)
    n_windows = [len(oracle.document_keys(text, every)) - 1 for text in texts]
    n_bytes = sum(len(text.encode()) for text in texts)
    return len(texts), n_windows.count(0), sum(n_windows), n_bytes


def test_keys_are_the_published_hash_of_the_window() -> None:
    keys = _native.Keys()
    keys.add_text(kernel(SPEC), "abcdefgh")
    windows = [xxhash.xxh3_64_intdigest(window, seed=0) for window in (b"abcd", b"defg", b"efgh")]
    assert as_integers(keys) == [*windows, xxhash.xxh3_64_intdigest(b"abcdefgh", seed=1)]


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("", []),
        ("abc", []),
        ("abcd", ["abcd"]),
        ("abcde", ["abcd", "bcde"]),
        ("abcdefg", ["abcd", "defg"]),
        ("abcdefgh", ["abcd", "defg", "efgh"]),
        (" ab  cde\n", ["ab c", " cde"]),
    ],
)
def test_the_last_window_is_stored_once_and_a_short_document_stores_none(
    text: str, windows: list[str]
) -> None:
    keys = _native.Keys()
    counts = keys.add_text(kernel(SPEC), text)
    assert as_integers(keys)[:-1] == [oracle.window_key(window.encode()) for window in windows]
    assert counts == (1, int(not windows), len(windows), len(text))


@pytest.mark.parametrize(
    ("text", "normalizer", "windows"),
    [
        ("one two", "spaces", []),
        ("  one\ttwo\u3000three ", "spaces", ["one two three"]),
        ("a  b\n\nc d", "none", ["a b c", "b c d"]),
        (" a \n b c\t\td e f", "data-portraits", ["a b c", "c d e", "d e f"]),
        ("\u201cIt's\u201d: DONE", "loose", ["it s done"]),
        ("a\x1cb c\u200bd e", "none", ["a\x1cb c\u200bd e"]),
    ],
)
def test_the_words_of_a_window_are_joined_by_one_space(
    text: str, normalizer: Any, windows: list[str]
) -> None:
    spec = portrait.WindowSpec(3, portrait.Stride(2), "word", normalizer)
    keys = _native.Keys(documents="all")
    keys.add_text(kernel(spec), text)
    normalised, _ = oracle.normalise(text, normalizer)
    # The document's own key is that of its normalised text.
    expected = [*(oracle.window_key(window.encode()) for window in windows), oracle.document_key(normalised)]
    assert (
        as_integers(keys) == expected == oracle.document_keys(text, samples.plain(spec, short_documents=True))
    )


@settings(max_examples=400, deadline=None)
@given(samples.texts(), samples.specs())
def test_a_document_stores_the_keys_of_the_definition(text: str, spec: portrait.WindowSpec) -> None:
    keys = _native.Keys()
    counts = keys.add_text(kernel(spec), text)
    assert without_repeats(as_integers(keys)) == without_repeats(expected_keys([text], spec))
    assert counts == expected_counts([text], spec)


@pytest.mark.parametrize("normalizer", ["spaces", "loose", "none"])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("width", "sampling"),
    [
        *((50, portrait.Stride(25)), (50, portrait.Stride(1)), (7, portrait.Stride(60))),
        *((1, portrait.Stride(1)), (239, portrait.Stride(8)), (241, portrait.Stride(500))),
        *((50, portrait.Minimizer(42)), (50, portrait.Minimizer(12)), (8, portrait.Minimizer(60))),
        *((8, portrait.Minimizer(1)), (239, portrait.Minimizer(8)), (241, portrait.Minimizer(500))),
    ],
    ids=str,
)
def test_long_texts_store_windows_of_every_size(
    normalizer: Any, unit: Any, width: int, sampling: portrait.Stride | portrait.Minimizer
) -> None:
    spec = portrait.WindowSpec(width, sampling, unit, normalizer)
    texts = [
        "the quick brown fox " * 40,
        "天地玄黃 é\u0301 👩🏽‍💻 " * 60,
        "x" * width,
        "to be, or not\t\tto be\r\n" * 30 + "x" * width + " end",
        "ж" * (width + sampling.gap),
        "ж" * (width + sampling.gap - 2),
    ]
    keys = _native.Keys()
    for text in texts:
        keys.add_text(kernel(spec), text)
    assert without_repeats(as_integers(keys)) == without_repeats(expected_keys(texts, spec))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.none() | samples.texts(3), max_size=9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(TYPES),
    samples.specs(),
)
def test_an_arrow_array_gives_the_keys_of_its_rows_except_nulls(
    rows: list[str | None], first: int, n_rows: int, kind: Any, spec: portrait.WindowSpec
) -> None:
    array = pa.array([None if row is None else row.encode() for row in rows], pa.binary()).cast(kind)
    array = array.slice(first, n_rows)
    texts = [row for row in rows[first : first + n_rows] if row is not None]
    keys = _native.Keys()
    assert add(keys, spec, array) == expected_counts(texts, spec)
    assert without_repeats(as_integers(keys)) == without_repeats(expected_keys(texts, spec))


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_nulls_are_skipped_wherever_a_slice_begins(kind: Any) -> None:
    rows = [None if i % 3 == 1 else f"row {i} of many" for i in range(40)]
    array = pa.array(rows, pa.string()).cast(kind)
    for first in range(40):
        keys = _native.Keys()
        add(keys, SPEC, array.slice(first))
        assert as_integers(keys) == expected_keys([row for row in rows[first:] if row is not None], SPEC)


def test_chunks_add_up_to_the_whole_column() -> None:
    rows = [f"document {i}, " * (i % 4) for i in range(30)]
    pieces = [pa.array(rows[:7]), pa.array([], pa.string()), pa.array(rows).slice(7, 13), pa.array(rows[20:])]
    keys = _native.Keys()
    for chunk in pa.chunked_array(pieces).chunks:
        add(keys, SPEC, chunk)
    assert as_integers(keys) == expected_keys(rows, SPEC)


def test_the_key_maker_counts_over_all_batches() -> None:
    rows = ["", "abc", "abcdefgh", " ж 天 "]
    maker = KeyMaker(SPEC)
    for texts in (pa.array(rows[:2]), pa.array([], pa.string()), pa.array(rows, pa.large_string()).slice(2)):
        maker.add(Batch(texts, str, 0))
    assert as_integers(maker.keys) == expected_keys(rows, SPEC)
    assert tuple(maker.counts.to_dict().values()) == expected_counts(rows, SPEC)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array(["good", "x", None, "y"]).slice(1), "row 1: null"),
        (pa.array([b"skipped", b"good", b"ab\xff"], pa.binary()).slice(1), "row 1: not UTF-8 at byte 2"),
        (pa.array([b"\xed\xa0\x80"], pa.large_binary()), "row 0: not UTF-8 at byte 0"),
    ],
    ids=["null", "sliced", "surrogate"],
)
def test_a_row_without_text_is_named(array: Any, message: str) -> None:
    with pytest.raises(portrait.CorpusError, match=message):
        KeyMaker(SPEC).add(Batch(array, lambda row: f"row {row}", 0))


def test_a_batch_that_fails_adds_nothing() -> None:
    keys = _native.Keys()
    keys.add_text(kernel(SPEC), "before it")
    before = as_integers(keys)
    with pytest.raises(_native.RowError) as caught:
        add(keys, SPEC, pa.array([b"long enough", b"\x80"], pa.binary()))
    assert caught.value.args == (1, "not UTF-8 at byte 0")
    assert as_integers(keys) == before


@pytest.mark.parametrize(
    ("offsets", "validity", "first", "n_rows"),
    [
        ([0, 3, 9], None, 0, 2),
        ([0, 3, 2], None, 0, 2),
        ([0, -1, 6], None, 0, 2),
        ([0, 3, 6], None, 0, 3),
        ([0, 3, 6], None, 1, 2),
        ([0, 3, 6], b"", 0, 2),
        ([0, 3, 6], None, 2**64 - 1, 2),
    ],
)
def test_broken_arrow_buffers_are_refused(
    offsets: list[int], validity: bytes | None, first: int, n_rows: int
) -> None:
    keys = _native.Keys()
    for code, offset_bytes in (("i", 4), ("q", 8)):
        packed = struct.pack(f"<{len(offsets)}{code}", *offsets)
        with pytest.raises(_native.RowError, match="broken Arrow array"):
            keys.add_batch(kernel(SPEC), packed, offset_bytes, b"abcdef", validity, first, n_rows)
    assert len(keys) == 0


def test_offsets_have_four_or_eight_bytes() -> None:
    with pytest.raises(ValueError, match="4 or 8"):
        _native.Keys().add_batch(kernel(SPEC), b"\0" * 4, 2, b"", None, 0, 1)


def test_keys_can_be_sorted_and_cleared() -> None:
    keys = _native.Keys()
    for text in ("abcdefgh", "12345", "abcdefgh"):
        keys.add_text(kernel(SPEC), text)
    everything = as_integers(keys)
    assert keys.sort_unique() == len(keys) == len(set(everything))
    assert as_integers(keys) == sorted(set(everything))
    keys.clear()
    assert len(keys) == 0
    assert bytes(keys) == b""


def test_keys_do_not_move_while_their_buffer_is_in_use() -> None:
    keys = _native.Keys()
    keys.add_text(kernel(SPEC), "abcdefgh")
    with memoryview(keys) as view:
        assert view.readonly
        before = bytes(view)
        for change in (keys.clear, keys.sort_unique, lambda: keys.add_text(kernel(SPEC), "more text")):
            with pytest.raises(BufferError):
                change()
        assert bytes(view) == before
    keys.clear()
    assert len(keys) == 0


@pytest.mark.parametrize(
    ("normalizer", "unit", "width", "sampling", "gap", "message"),
    [
        ("spaced", "char", 1, "stride", 1, "unknown normalizer"),
        ("none", "verse", 1, "stride", 1, "unknown unit"),
        ("none", "char", 1, "dice", 1, "unknown sampling"),
        ("none", "char", 0, "stride", 1, "at least 1"),
        ("none", "char", 1, "stride", 0, "at least 1"),
        ("none", "char", 8, "minimizer", 0, "at least 1"),
        ("none", "char", 7, "minimizer", 1, "at least 8"),
        ("none", "byte", 7, "minimizer", 42, "at least 8"),
        ("none", "word", 1, "minimizer", 1, "at least 2"),
    ],
)
def test_the_kernel_refuses_windows_it_cannot_cut(
    normalizer: str, unit: str, width: int, sampling: str, gap: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _native.Windows(normalizer, unit, width, sampling, gap)
