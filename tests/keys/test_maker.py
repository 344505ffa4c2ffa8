"""Keys of batches: what is collected and counted, which row is refused, sorting and sketching."""

from __future__ import annotations

import random
import struct
from array import array
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support import oracle

from portrait import BadRowError, WindowSpec, _native
from portrait.corpus.shards import Batch
from portrait.keys.maker import Counts, KeyMaker, keys_within, smallest_keys
from portrait.sizing import SKETCH_KEYS, distinct_keys, keys_to_hold

if TYPE_CHECKING:
    from collections.abc import Sequence

LAST = (1 << 64) - 1
SPEC = WindowSpec(20, 10)
TEXTS = ["the miller's lantern by the weir", "short", "", "harbour, orchard and ferry " * 3]


def packed(keys: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(keys)}Q", *keys)


def keys_of(keys: Sequence[int]) -> _native.Keys:
    made = _native.Keys()
    made.extend(packed(keys))
    return made


def listed(some: object) -> list[int]:
    return list(memoryview(some).cast("B").cast("Q"))  # type: ignore[arg-type]


def batch(texts: Sequence[str | bytes | None]) -> Batch:
    binary = any(isinstance(text, bytes) for text in texts)
    kind = pa.binary() if binary else pa.string()
    return Batch(pa.array(texts, kind), lambda row: f"a.jsonl, line {row + 1}", read_bytes=0)


def test_the_keys_of_windows_and_documents_are_collected_and_counted() -> None:
    maker = KeyMaker(SPEC)
    maker.add(batch(TEXTS[:2]))
    maker.add(batch(TEXTS[2:]))
    maker.add(batch([]))
    assert set(listed(maker.keys)) == oracle.portrait(TEXTS, oracle.Spec(20, 10))
    n_windows = [len(oracle.document_keys(text, oracle.Spec(20, 10))) - 1 for text in TEXTS]
    n_bytes = sum(len(text.encode()) for text in TEXTS)
    assert maker.counts == Counts(len(TEXTS), n_windows.count(0), sum(n_windows), n_bytes)


def test_the_keys_of_documents_can_be_left_out() -> None:
    maker = KeyMaker(SPEC, documents=False)
    maker.add(batch(TEXTS))
    assert len(maker.keys) == maker.counts.windows


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["fine", None], "a.jsonl, line 2: null instead of a text"),
        ([b"fine", b"fine", b"caf\xe9"], "a.jsonl, line 3: "),
    ],
    ids=["null", "not UTF-8"],
)
def test_a_row_without_text_is_named_and_nothing_of_its_batch_is_added(
    texts: list[str | bytes | None], said: str
) -> None:
    maker = KeyMaker(SPEC)
    with pytest.raises(BadRowError) as caught:
        maker.add(batch(texts))
    assert str(caught.value).startswith(said)
    assert (len(maker.keys), maker.counts) == (0, Counts())


def test_counts_add_up_and_survive_json() -> None:
    total = Counts(1, 2, 3, 4)
    total.add(Counts(10, 20, 30, 40))
    assert total == Counts(11, 22, 33, 44)
    assert Counts.from_dict(total.to_dict()) == total


def test_a_range_of_keys_and_the_smallest_keys() -> None:
    assert listed(keys_within(packed([5, 1, LAST, 7]), 5, 7)) == [5, 7]
    assert list(smallest_keys([packed([5, 1, 5]), keys_of([LAST, 3])], 3)) == [1, 3, 5]


def test_keys_are_sorted_whatever_they_are() -> None:
    dice = random.Random(2)
    for n in (0, 1, 1000, 300_000):
        for bits in (1, 8, 40, 64):
            keys = keys_of(numbers := [dice.getrandbits(bits) for _ in range(n)])
            assert keys.sort_unique() == len(set(numbers))
            assert listed(keys) == sorted(set(numbers))


def test_the_kernel_refuses_what_makes_no_sense() -> None:
    keys = keys_of([1])
    for refused in (
        lambda: keys.partitioned(0),
        lambda: keys.extend(b"1234567"),
        lambda: _native.Sketch(0),
        lambda: _native.BloomBits(4, 2, 2),
        lambda: _native.BloomBits(4, 2, 5),
        lambda: _native.BloomBits(4, 0, 2).insert(packed([LAST])),
        lambda: _native.build_fuse(packed([1]), 8, 4, 2, 2),
        lambda: _native.build_fuse(packed([1]), 8, 4, 2, 5),
        lambda: _native.build_fuse(packed([1]), 8, 3),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            refused()


def test_a_few_keys_are_counted_and_many_are_estimated() -> None:
    assert [distinct_keys(range(n)) for n in (0, 1, 1000)] == [0, 1, 1000]
    assert [keys_to_hold(n) for n in (0, 1, 1000)] == [0, 1, 1000]
    errors = []
    for seed in range(8):
        n = SKETCH_KEYS * 3
        sketch = _native.Sketch(SKETCH_KEYS)
        content = random.Random(seed).randbytes(8 * n)
        sketch.add(content)
        sketch.add(content[: 8 * 1000])
        found = array("Q", sketch.smallest())
        estimate = distinct_keys(found)
        assert estimate < keys_to_hold(estimate) < estimate * 1.0059
        errors.append(estimate / n - 1)
    deviation = SKETCH_KEYS**-0.5
    assert max(map(abs, errors)) < 4 * deviation
    assert abs(sum(errors) / 8) < 4 * deviation / 8**0.5
