"""Runs of keys on disk: reading any range of them, damage, and attempts that overlap."""

from __future__ import annotations

import errno
import itertools
import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packed_keys import LAST_KEY, key_list, unpack

from portrait import OutputError, WorkDirError
from portrait.keys.runs import KeysInMemory, KeysInRuns, Run, write_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.keys.runs import KeySource


def write(directory: Path, name: str, keys: Sequence[int], n_partitions: int) -> Run:
    """Write a run of ``keys`` to the file ``name``, and return its record."""
    write_run(directory / name, *key_list(keys).partitioned(n_partitions))
    return Run(name, len(keys), f"the shard of {name}")


def within(source: KeySource, first: int, last: int) -> list[int]:
    """Return the keys of ``source`` from ``first`` to ``last``, inclusive."""
    return [key for batch in source.within(first, last) for key in unpack(batch)]


KEYS = st.lists(
    st.one_of(st.integers(0, LAST_KEY), st.integers(0, 50), st.integers(LAST_KEY - 50, LAST_KEY)), max_size=60
)


@settings(deadline=None, max_examples=60)
@given(runs=st.lists(KEYS, min_size=1, max_size=4), power=st.integers(0, 6), data=st.data())
def test_any_range_of_keys_is_read_as_it_was_written(
    runs: list[list[int]], power: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("runs")
    in_runs = KeysInRuns(
        directory, [write(directory, f"{i}.keys", run, 1 << power) for i, run in enumerate(runs)], 1 << power
    )
    everything = [key for run in runs for key in run]
    in_memory = KeysInMemory(key_list(everything))
    first, last = sorted(data.draw(st.tuples(st.integers(0, LAST_KEY), st.integers(0, LAST_KEY))))
    for source in (in_runs, in_memory):
        assert source.n_keys == len(everything)
        assert sorted(within(source, 0, LAST_KEY)) == sorted(everything)
        assert sorted(within(source, first, last)) == sorted(
            key for key in everything if first <= key <= last
        )
        for k in (1, 5, 1000):
            assert list(source.smallest(k)) == sorted(set(everything))[:k]
    in_runs.check()


def test_adjacent_ranges_have_each_key_once(tmp_path: Path) -> None:
    dice = random.Random(1)
    keys = [dice.getrandbits(64) for _ in range(5000)]
    in_runs = KeysInRuns(
        tmp_path, [write(tmp_path, "a.keys", keys[:2000], 16), write(tmp_path, "b.keys", keys[2000:], 16)], 16
    )
    for n in (1, 3, 7, 16, 100):
        cuts = [LAST_KEY * i // n for i in range(n + 1)]
        ranges = [(first + (first > 0), last) for first, last in itertools.pairwise(cuts)]
        assert sorted(key for first, last in ranges for key in within(in_runs, first, last)) == sorted(keys)


@pytest.mark.parametrize("n_partitions", [4, 16])
def test_a_range_that_ends_just_before_a_partition_s_last_key_leaves_that_key_out(
    n_partitions: int, tmp_path: Path
) -> None:
    size = (LAST_KEY + 1) // n_partitions
    ends = [size - 1, 2 * size - 1, 3 * size - 1]
    keys = sorted({key + delta for key in ends for delta in (-2, -1, 0, 1, 2)})
    in_runs = KeysInRuns(tmp_path, [write(tmp_path, "a.keys", keys, n_partitions)], n_partitions)
    for last in keys:
        for first in (0, 1, size - 1, size, size + 1):
            assert within(in_runs, first, last) == [key for key in keys if first <= key <= last]


@pytest.mark.parametrize(
    ("n_partitions", "n_runs", "n_keys", "n_batches"),
    [
        (16, 1, 20, 1),
        (16, 3, 20, 3),
        (4, 1, 160_000, 4),
        (16, 1, 160_000, 6),
        (32, 1, 160_000, 6),
        (32, 2, 160_000, 6),
    ],
)
def test_as_many_partitions_are_read_at_a_time_as_fill_a_quarter_of_a_megabyte(
    n_partitions: int, n_runs: int, n_keys: int, n_batches: int, tmp_path: Path
) -> None:
    # 160,000 keys take 1.28 MB: 80 kB for each of 16 partitions, of which three are read at a time.
    keys = range(0, LAST_KEY, LAST_KEY // n_keys)[:n_keys]
    runs = [write(tmp_path, f"{i}.keys", keys[i::n_runs], n_partitions) for i in range(n_runs)]
    in_runs = KeysInRuns(tmp_path, runs, n_partitions)
    assert len(list(in_runs.within(0, LAST_KEY))) == n_batches


def test_a_range_in_memory_leaves_out_the_keys_beyond_it() -> None:
    in_memory = KeysInMemory(key_list([0, 5, LAST_KEY]))
    assert within(in_memory, 0, LAST_KEY - 1) == [0, 5]
    assert within(in_memory, 1, LAST_KEY) == [5, LAST_KEY]


def test_without_runs_there_are_no_keys(tmp_path: Path) -> None:
    nothing = KeysInRuns(tmp_path, [], 4)
    assert nothing.n_keys == 0
    assert within(nothing, 0, LAST_KEY) == []
    assert list(nothing.smallest(3)) == []


def test_a_missing_run_is_named_with_the_reason(tmp_path: Path) -> None:
    run = write(tmp_path, "a.keys", [1, 5], 2)
    (tmp_path / "a.keys").unlink()
    with pytest.raises(WorkDirError, match=r"a\.keys: No such file or directory: re-run the same call"):
        KeysInRuns(tmp_path, [run], 2).check()


def test_a_change_of_any_byte_of_a_run_is_detected(tmp_path: Path) -> None:
    run = write(tmp_path, "a.keys", [1, 5, 1 << 63, LAST_KEY], 2)
    path = tmp_path / "a.keys"
    whole = path.read_bytes()
    for i in range(16, len(whole)):  # the first 16 bytes are not needed to read the keys
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x40]) + whole[i + 1 :])
        with pytest.raises(WorkDirError, match=r"which reads the shard of a\.keys again"):
            KeysInRuns(tmp_path, [run], 2).check()
    for n in (0, 10, 40, len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(WorkDirError, match="has the wrong length"):
            KeysInRuns(tmp_path, [run], 2).check()
    path.write_bytes(whole)
    KeysInRuns(tmp_path, [run], 2).check()


def test_the_smallest_keys_are_read_from_the_first_partitions_only(tmp_path: Path) -> None:
    run = write(tmp_path, "a.keys", [1, 5, 1 << 62, 1 << 63, LAST_KEY], 4)
    path = tmp_path / "a.keys"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 0x40]))
    in_runs = KeysInRuns(tmp_path, [run], 4)
    assert [list(in_runs.smallest(k)) for k in (1, 2, 3, 4)] == [
        [1],
        [1, 5],
        [1, 5, 1 << 62],
        [1, 5, 1 << 62, 1 << 63],
    ]
    with pytest.raises(WorkDirError, match="its checksum does not fit"):
        in_runs.smallest(5)


def test_a_disk_that_fails_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    run = write(tmp_path, "a.keys", [1, 5], 2)
    monkeypatch.setattr("portrait.keys.runs.os.pread", fail)
    with pytest.raises(WorkDirError, match=r"a\.keys: Input/output error: re-run the same call"):
        KeysInRuns(tmp_path, [run], 2).check()


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write keys there"):
        write(tmp_path / "missing", "a.keys", [1, 2], 1)
    (tmp_path / "a.keys").mkdir()
    with pytest.raises(OutputError, match="cannot write keys there"):
        write(tmp_path, "a.keys", [1, 2], 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.keys"]


def test_attempts_at_one_run_do_not_disturb_each_other(tmp_path: Path) -> None:
    keys = list(range(0, LAST_KEY, LAST_KEY // 20_000))
    # An attempt that was killed has left a file behind.
    (tmp_path / ".a.keys.0123.part").write_bytes(b"keyrun01")
    with ThreadPoolExecutor(4) as attempts:
        runs = list(attempts.map(lambda _: write(tmp_path, "a.keys", keys, 16), range(40)))
    assert set(runs) == {runs[0]}
    assert sorted(within(KeysInRuns(tmp_path, [runs[0]], 16), 0, LAST_KEY)) == keys
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.keys.0123.part", "a.keys"]


def test_a_run_survives_json() -> None:
    run = Run("read-000001-000-0000.keys", 3, "corpus/caf\udce9.jsonl")
    assert Run.from_json(json.loads(json.dumps(run.to_json()))) == run
