"""Sizes, memory and warnings are those of the build."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.plans import MB, actual

import portrait
from portrait.engines.execution import Execution
from portrait.filters import kinds as filters
from portrait.keys.maker import keys_within

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["bloom", "fuse", "pybloom"])
def test_a_small_corpus_is_counted(kind: Any, corpus: Path, tmp_path: Path) -> None:
    sources = {"parquet": corpus / "third.parquet", "text": sorted((corpus / "txt").iterdir())[:40]}
    spec = portrait.FilterSpec(kind, 0.02)
    planned = portrait.plan(sources, filter=spec)
    assert planned.whole
    built = portrait.build(sources, tmp_path / "out", filter=spec)
    for source in planned.sources:
        real = actual(built, source.source)
        assert (source.documents, source.text_bytes, source.windows, source.distinct_keys) == real[:4]
    assert planned.bundle_bytes[kind] == pytest.approx(actual(built).bundle_bytes, rel=0.02)
    assert sum(source.distinct_keys for source in planned.sources) == planned.distinct_keys


@pytest.mark.parametrize("kind", ["bloom", "fuse"])
@pytest.mark.parametrize("n_keys", [1, 100, 7000, 200_000, 400_000, 3_000_000])
def test_a_filter_is_as_large_as_expected(kind: Any, n_keys: int) -> None:
    spec = portrait.FilterSpec(kind, 0.01)
    layout = filters.layout(spec, n_keys)
    keys = random.Random(n_keys).randbytes(8 * n_keys)
    parts = [layout.build([keys_within(keys, *within[2:])], within) for within in layout.ranges(4)]
    n_bytes = sum(memoryview(buffer).nbytes for part in parts for buffer in part.buffers)
    assert filters.expected(spec, n_keys)[0] == pytest.approx(n_bytes, rel=0.02, abs=40)


def test_the_spool_is_as_large_as_planned(corpus: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    execution = Execution(workers=1, work_dir=work)
    sources = [corpus / "all.jsonl", corpus / "gz"]
    planned = portrait.plan(sources, out=tmp_path / "out", execution=execution, sample_text_bytes=4 * MB)
    assert (planned.way, planned.work_dir) == ("spool", str(work))
    assert not work.exists()
    portrait.read_share(sources, tmp_path / "out", (1, 1), execution=execution)
    spooled = sum(path.stat().st_size for path in (work / "data").glob("*.keys"))
    assert planned.spool_bytes - planned.bundle_bytes["bloom"] == pytest.approx(spooled, rel=0.15)
    assert planned.tasks == len(list((work / "data").glob("read-*.json"))) == 4


def test_rows_that_cannot_be_read_are_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": ["one", None, "three", None]}), path)
    (warning,) = portrait.plan(path).warnings
    assert warning.startswith("2 of 4 rows of the sample cannot be read (")
    assert "row 2" in warning
    assert warning.endswith(": the build stops there unless bad rows are skipped")
    (warning,) = portrait.plan(path, on_error="skip").warnings
    assert warning.endswith(": they are left out")
    with pytest.raises(portrait.BadRowError):
        portrait.build(path, tmp_path / "out")


def test_a_full_disk_is_foreseen(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execution = Execution(work_dir=tmp_path / "work" / "deep")

    def warnings() -> tuple[str, ...]:
        return portrait.plan(corpus / "txt", out=tmp_path / "out", execution=execution).warnings

    assert warnings() == ()
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    (warning,) = warnings()
    assert warning.startswith(f"{tmp_path}")
    assert "the portrait and the keys meanwhile take about " in warning


def test_a_file_that_keeps_the_others_waiting_is_named(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody minds waiting for so little; so let it be worth a warning.
    monkeypatch.setattr("portrait.planning.forecast._LONG_TASK_SECONDS", 0)
    rows = b"".join((corpus / "gz" / f"{i}.jsonl.gz").read_bytes() for i in range(3))
    (tmp_path / "big.jsonl.gz").write_bytes(rows)
    sources = [tmp_path / "big.jsonl.gz", *sorted((corpus / "txt").iterdir())[:9]]
    execution = Execution(workers=2, work_dir=tmp_path / "work")
    (warning,) = portrait.plan(sources, execution=execution).warnings
    assert warning.startswith(f"{tmp_path / 'big.jsonl.gz'}: cannot be divided")
    alone = Execution(workers=1, work_dir=tmp_path / "work")
    assert portrait.plan(sources, execution=alone).warnings == ()


def test_keys_that_exceed_the_memory_are_foreseen(corpus: Path) -> None:
    planned = portrait.plan(
        corpus / "txt",
        windows=portrait.WindowSpec(stride=1),
        filter=portrait.FilterSpec("pybloom"),
        execution=Execution(memory_bytes=256 << 20),
        sample_text_bytes=MB,
    )
    (warning,) = planned.warnings
    assert warning.startswith("a pybloom filter is built in memory: about ")
    assert planned.memory_bytes > 256 << 20
