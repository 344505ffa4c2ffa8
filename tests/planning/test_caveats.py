"""The sentences of a plan's warnings."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from portrait.keys.maker import Counts
from portrait.planning.caveats import (
    bad_rows,
    dense_windows,
    full_disks,
    long_tasks,
    too_little_memory,
    unread_shards,
)
from portrait.planning.sample import Sample
from portrait.planning.strata import PlaceRead, SampledShard, Stratum
from portrait.spec import Stride, WindowSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def sample(n_good: int, n_bad: int) -> Sample:
    """Return a sample with these numbers of readable and unreadable rows."""
    counts = Counts()
    counts.documents = n_good
    shard = SampledShard(10, 1, [], 1, reads=[PlaceRead(10, {"main": counts})])
    return Sample(
        [Stratum("main", "jsonl", ".jsonl", 1.0, [shard])],
        n_bad_rows=n_bad,
        first_bad_row="a.jsonl, line 1: not JSON",
    )


def test_rows_that_cannot_be_read_are_counted() -> None:
    assert list(bad_rows(sample(1, 0), "fail")) == []
    (warning,) = bad_rows(sample(0, 1), "skip")
    assert warning == (
        "1 of 1 row of the sample cannot be read (a.jsonl, line 1: not JSON): they are left out"
    )
    (warning,) = bad_rows(sample(20_000, 1000), "fail")
    assert warning.startswith("1,000 of 21,000 rows of the sample cannot be read")


def test_only_tasks_longer_than_a_worker_s_share_are_named() -> None:
    tasks = [("short", 3.0), ("long", 30.0)]
    (warning,) = long_tasks(tasks, 4)
    assert warning.startswith("long: cannot be divided")
    assert list(long_tasks(tasks, 1)) == []
    assert list(long_tasks([("a", 1.0), ("b", 0.1)], 8)) == []


def test_a_task_is_long_if_it_is_more_than_a_share_and_than_two_seconds() -> None:
    assert list(long_tasks([("a", 2.0)], 2)) == []
    assert len(list(long_tasks([("a", 2.5)], 2))) == 1
    # Each of two equal tasks is a worker's share, and keeps nobody waiting.
    assert list(long_tasks([("a", 9.0), ("b", 9.0)], 2)) == []
    (warning,) = long_tasks([("a", 9.0), ("b", 9.1)], 2)
    assert warning.startswith("b: ")


def test_the_five_longest_tasks_are_named_the_longest_first() -> None:
    tasks = [(f"{seconds} s", float(seconds)) for seconds in (3, 9, 4, 8, 5, 7, 6)]
    names = [warning.partition(":")[0] for warning in long_tasks(tasks, 1000)]
    assert names == ["9 s", "8 s", "7 s", "6 s", "5 s"]


def test_too_little_memory_is_a_warning() -> None:
    assert list(too_little_memory(10, 10)) == []
    (warning,) = too_little_memory(2_000_000_000, 1_000_000_000)
    assert "about 2,000 MB, and 1,000 MB are allowed" in warning
    (warning,) = too_little_memory(5 * 10**12, 10**12)
    assert "about 5,000,000 MB, and 1,000,000 MB are allowed" in warning


def test_demands_on_the_same_disk_are_added_up(tmp_path: Path) -> None:
    huge = 1 << 62
    (warning,) = full_disks([(tmp_path / "a" / "b", huge, "the portrait"), (tmp_path, huge, "the keys")])
    assert warning.startswith(f"{tmp_path}: the portrait and the keys take about ")
    assert list(full_disks([(tmp_path, 1, "the portrait")])) == []


def test_a_disk_that_what_is_needed_just_fits_on_is_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    needs = [(tmp_path / "a", 3_000_000, "the portrait"), (tmp_path / "b", 2_000_000, "the keys")]
    assert list(full_disks(needs)) == []
    (warning,) = full_disks([*needs, (tmp_path, 500_000, "a log")])
    assert warning == (
        f"{tmp_path}: the portrait and the keys and a log take about 6 MB there, and 5 MB are free: make "
        "room, or choose another place"
    )


def test_files_that_the_sample_did_not_see_are_counted() -> None:
    one = sample(3, 0)
    assert list(unread_shards(one)) == []
    one.strata[0].shards += [SampledShard(10, 1, [], 1), SampledShard(20, 1, [], 1)]
    assert list(unread_shards(one)) == [
        "the sample saw 1 of 3 files and rows of 1 source: there may be others; a larger sample sees more"
    ]


def test_windows_that_give_text_away_are_a_warning() -> None:
    assert list(dense_windows(WindowSpec())) == []
    (warning,) = dense_windows(WindowSpec(50, Stride(1)))
    assert warning.startswith("at a stride of 1, ")
