"""Keys of batches: collecting, counting, rows that are refused, sorting and sketching."""

from __future__ import annotations

import random
from array import array
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support import oracle
from support.packed_keys import LAST_KEY, key_list, pack, unpack

from portrait import BadRowError, Stride, WindowSpec, _native
from portrait.corpus.shards import Batch
from portrait.keys.maker import KEY_BYTES, Counts, KeyMaker, keys_within, smallest_keys
from portrait.sizing import SKETCH_KEYS, distinct_keys, keys_to_hold

if TYPE_CHECKING:
    from collections.abc import Sequence

SPEC = WindowSpec(20, Stride(10))
TEXTS = ["the miller's lantern by the weir", "short", "", "harbour, orchard and ferry " * 3]


def batch(texts: Sequence[str | bytes | None]) -> Batch:
    """Return a batch of rows, binary if any text is bytes."""
    binary = any(isinstance(text, bytes) for text in texts)
    kind = pa.binary() if binary else pa.string()
    return Batch(pa.array(texts, kind), lambda row: f"a.jsonl, line {row + 1}", read_bytes=0)


def test_the_keys_of_windows_and_documents_are_collected_and_counted() -> None:
    maker = KeyMaker(SPEC)
    maker.add(batch(TEXTS[:2]))
    maker.add(batch(TEXTS[2:]))
    maker.add(batch([]))
    assert set(unpack(maker.keys)) == oracle.portrait(TEXTS, oracle.Spec(20, 10))
    every = oracle.Spec(20, 10, short_documents=True)
    n_windows = [len(oracle.document_keys(text, every)) - 1 for text in TEXTS]
    n_bytes = sum(len(text.encode()) for text in TEXTS)
    assert maker.counts == Counts(len(TEXTS), n_windows.count(0), sum(n_windows), n_bytes)


def test_the_keys_of_documents_can_be_left_out() -> None:
    maker = KeyMaker(SPEC, documents="none")
    maker.add(batch(TEXTS))
    assert len(maker.keys) == maker.counts.windows


def test_documents_shorter_than_a_window_have_a_key_only_if_asked_for() -> None:
    long, every = KeyMaker(SPEC), KeyMaker(SPEC, documents="all")
    for maker in (long, every):
        maker.add(batch([*TEXTS, "a short one"]))
    assert set(unpack(every.keys)) - set(unpack(long.keys)) >= {oracle.document_key("a short one")}
    assert oracle.document_key("a short one") not in unpack(long.keys)
    counts = long.counts
    assert len(long.keys) == counts.windows + counts.keyed_documents("long")
    assert len(every.keys) == counts.windows + counts.keyed_documents("all")
    assert counts.keyed_documents("all") == counts.documents > counts.keyed_documents("long") > 0
    assert counts.keyed_documents("none") == 0


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["fine", None], "a.jsonl, line 2: null instead of a text"),
        ([b"fine", b"fine", b"caf\xe9"], "a.jsonl, line 3: "),
    ],
    ids=["null", "not UTF-8"],
)
def test_a_row_without_text_is_named_and_nothing_of_its_batch_is_added(
    texts: list[str | bytes | None], message: str
) -> None:
    maker = KeyMaker(SPEC)
    with pytest.raises(BadRowError) as caught:
        maker.add(batch(texts))
    assert str(caught.value).startswith(message)
    assert (len(maker.keys), maker.counts) == (0, Counts())


def test_batches_of_one_row_and_of_large_strings_are_added_like_others() -> None:
    one, large = KeyMaker(SPEC), KeyMaker(SPEC)
    for text in TEXTS:
        one.add(batch([text]))
    large.add(Batch(pa.array(TEXTS, pa.large_string()), str, read_bytes=0))
    assert one.counts == large.counts
    assert one.counts.documents == len(TEXTS)
    assert set(unpack(one.keys)) == set(unpack(large.keys)) == oracle.portrait(TEXTS, oracle.Spec(20, 10))


def test_a_batch_of_no_rows_may_have_no_offsets() -> None:
    empty = pa.StringArray.from_buffers(0, pa.py_buffer(b""), pa.py_buffer(b""))
    maker = KeyMaker(SPEC)
    maker.add(Batch(empty, str, read_bytes=0))
    assert maker.counts == Counts()


def test_a_key_takes_eight_bytes() -> None:
    assert KEY_BYTES == memoryview(key_list([LAST_KEY])).nbytes == 8


def test_counts_add_up_and_survive_json() -> None:
    total = Counts(1, 2, 3, 4)
    total.add(Counts(10, 20, 30, 40))
    assert total == Counts(11, 22, 33, 44)
    assert Counts.from_dict(total.to_dict()) == total


def test_keys_are_selected_by_range_and_by_rank() -> None:
    assert unpack(keys_within(pack([5, 1, LAST_KEY, 7]), 5, 7)) == [5, 7]
    assert list(smallest_keys([pack([5, 1, 5]), key_list([LAST_KEY, 3])], 3)) == [1, 3, 5]


def test_keys_of_any_number_and_width_are_sorted() -> None:
    dice = random.Random(2)
    for n in (0, 1, 1000, 300_000):
        for bits in (1, 8, 40, 64):
            numbers = [dice.getrandbits(bits) for _ in range(n)]
            keys = key_list(numbers)
            assert keys.sort_unique() == len(set(numbers))
            assert unpack(keys) == sorted(set(numbers))


def test_the_kernel_refuses_arguments_that_make_no_sense() -> None:
    keys = key_list([1])
    for call in (
        lambda: keys.partitioned(0),
        lambda: keys.extend(b"1234567"),
        lambda: _native.Sketch(0),
        lambda: _native.BloomBits(4, 2, 2),
        lambda: _native.BloomBits(4, 2, 5),
        lambda: _native.BloomBits(4, 0, 2).insert(pack([LAST_KEY])),
        lambda: _native.build_ribbon(pack([1]), 8, 4, 2, 2),
        lambda: _native.build_ribbon(pack([1]), 8, 4, 2, 5),
        lambda: _native.build_ribbon(pack([1]), 8, 0),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            call()


def test_few_keys_are_counted_exactly_and_many_are_estimated() -> None:
    assert [distinct_keys(range(n)) for n in (0, 1, 1000)] == [0, 1, 1000]
    assert [keys_to_hold(n) for n in (0, 1, 1000)] == [0, 1, 1000]
    errors = []
    for seed in range(8):
        n = SKETCH_KEYS * 3
        sketch = _native.Sketch(SKETCH_KEYS)
        content = random.Random(seed).randbytes(8 * n)
        sketch.add(content)
        sketch.add(content[: 8 * 1000])
        estimate = distinct_keys(array("Q", sketch.smallest()))
        assert estimate < keys_to_hold(estimate) < estimate * 1.0059
        errors.append(estimate / n - 1)
    deviation = SKETCH_KEYS**-0.5
    assert max(map(abs, errors)) < 4 * deviation
    assert abs(sum(errors) / 8) < 4 * deviation / 8**0.5
