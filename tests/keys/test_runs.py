"""Runs of keys on disk: what was written is read, in any range, or named as lost."""

from __future__ import annotations

import itertools
import random
import struct
from array import array
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portrait import OutputError, SpoolError, _native
from portrait.keys.runs import Held, Run, Spool, write_run
from portrait.sizing import SKETCH_KEYS, distinct_keys, keys_to_hold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.keys.runs import KeySource

LAST = (1 << 64) - 1


def packed(keys: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(keys)}Q", *keys)


def keys_of(keys: Sequence[int]) -> _native.Keys:
    made = _native.Keys()
    made.extend(packed(keys))
    return made


def listed(some: object) -> list[int]:
    return list(memoryview(some).cast("B").cast("Q"))  # type: ignore[arg-type]


def write(directory: Path, name: str, keys: Sequence[int], n_partitions: int) -> Run:
    parted, counts = keys_of(keys).partitioned(n_partitions)
    write_run(directory / name, parted, counts)
    return Run(name, len(keys), f"the shard of {name}")


def within(source: KeySource, first: int, last: int) -> list[int]:
    return [key for some in source.within(first, last) for key in listed(some)]


KEYS = st.lists(
    st.one_of(st.integers(0, LAST), st.integers(0, 50), st.integers(LAST - 50, LAST)), max_size=60
)


@settings(deadline=None, max_examples=60)
@given(runs=st.lists(KEYS, min_size=1, max_size=4), power=st.integers(0, 6), data=st.data())
def test_a_range_of_all_runs_is_what_was_written(
    runs: list[list[int]], power: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("runs")
    spool = Spool(
        directory, [write(directory, f"{i}.keys", run, 1 << power) for i, run in enumerate(runs)], 1 << power
    )
    everything = [key for run in runs for key in run]
    held = Held(keys_of(everything))
    first, last = sorted(data.draw(st.tuples(st.integers(0, LAST), st.integers(0, LAST))))
    for source in (spool, held):
        assert source.n_keys == len(everything)
        assert sorted(within(source, 0, LAST)) == sorted(everything)
        assert sorted(within(source, first, last)) == sorted(
            key for key in everything if first <= key <= last
        )
        for k in (1, 5, 1000):
            assert list(source.smallest(k)) == sorted(set(everything))[:k]
    spool.check()


def test_ranges_that_meet_have_each_key_once(tmp_path: Path) -> None:
    dice = random.Random(1)
    keys = [dice.getrandbits(64) for _ in range(5000)]
    spool = Spool(
        tmp_path, [write(tmp_path, "a.keys", keys[:2000], 16), write(tmp_path, "b.keys", keys[2000:], 16)], 16
    )
    for n in (1, 3, 7, 16, 100):
        cuts = [LAST * i // n for i in range(n + 1)]
        ranges = [(first + (first > 0), last) for first, last in itertools.pairwise(cuts)]
        assert sorted(key for first, last in ranges for key in within(spool, first, last)) == sorted(keys)


def test_no_byte_of_a_run_can_change_unnoticed(tmp_path: Path) -> None:
    run = write(tmp_path, "a.keys", [1, 5, 1 << 63, LAST], 2)
    path = tmp_path / "a.keys"
    whole = path.read_bytes()
    for i in range(16, len(whole)):  # behind what nobody needs to read it
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x40]) + whole[i + 1 :])
        with pytest.raises(SpoolError, match=r"the shard of a\.keys anew"):
            Spool(tmp_path, [run], 2).check()
    for n in (0, 10, 40, len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(SpoolError, match="not as long as it was"):
            Spool(tmp_path, [run], 2).check()
    path.write_bytes(whole)
    Spool(tmp_path, [run], 2).check()


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write keys there"):
        write(tmp_path / "missing", "a.keys", [1, 2], 1)
    (tmp_path / "a.keys").mkdir()
    with pytest.raises(OutputError, match="cannot write keys there"):
        write(tmp_path, "a.keys", [1, 2], 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.keys"]


def test_keys_are_sorted_whatever_they_are() -> None:
    dice = random.Random(2)
    for n in (0, 1, 1000, 300_000):
        for bits in (1, 8, 40, 64):
            keys = keys_of(found := [dice.getrandbits(bits) for _ in range(n)])
            assert keys.sort_unique() == len(set(found))
            assert listed(keys) == sorted(set(found))


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
