"""The map task: the runs it writes, the record it returns, and that the record survives JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import corpora, oracle
from support.engine_work import ignore
from support.packed_keys import LAST_KEY, unpack
from support.progress_callbacks import FileToucher

import portrait
from portrait import CorpusError, Execution, Stride, WindowSpec
from portrait.building.read_task import ReadRecord, ReadTask, read_shard
from portrait.building.reader import OnError, ReadOptions
from portrait.corpus.provenance import Skipped
from portrait.corpus.resolve import resolve
from portrait.keys.maker import Counts
from portrait.keys.runs import KeysInRuns, Run

SPEC = WindowSpec(20, Stride(10))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory where the tests run, with an empty directory ``data`` for runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


def task(path: str, *, buffer_keys: int = 1 << 20, on_error: OnError = "fail") -> ReadTask:
    """Return the task that reads the file at ``path`` as source ``web``."""
    (source,) = resolve(path)
    (shard,) = source.shards
    reading = ReadOptions(SPEC, on_error=on_error)
    return ReadTask("read-000007", "web", shard, shard.stamps(), reading, Path("data"), 16, buffer_keys)


def write_rows(n: int) -> list[str]:
    """Write a.jsonl with ``n`` rows, and return their texts."""
    texts = [corpora.prose(i, 30) for i in range(n)]
    Path("a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return texts


def keys_in(runs: tuple[Run, ...]) -> list[int]:
    batches = KeysInRuns(Path("data"), runs, 16).within(0, LAST_KEY)
    return [key for batch in batches for key in unpack(batch)]


def test_the_runs_hold_the_keys_of_the_shard_and_the_record_counts_them() -> None:
    texts = write_rows(20)
    progress: list[tuple[int, int, int]] = []

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        progress.append((n_bytes, documents, text_bytes))

    record = read_shard(task("a.jsonl"), report)
    (run,) = record.runs["web"]
    assert run == Run("read-000007-000-0000.keys", len(keys_in((run,))), "a.jsonl")
    assert set(keys_in((run,))) == oracle.portrait(texts, oracle.Spec(20, 10))
    counts = record.counts["web"]
    assert (counts.documents, counts.short_documents) == (20, 0)
    assert counts.text_bytes == sum(len(text.encode()) for text in texts)
    assert (record.sources, record.skipped) == (("web",), {})
    assert set(record.digests) == {"a.jsonl"}
    total = [sum(column) for column in zip(*progress, strict=True)]
    assert total == [Path("a.jsonl").stat().st_size, 20, counts.text_bytes]


def test_a_full_buffer_is_written_as_a_run() -> None:
    # The file must have several chunks: the size of the buffer is checked between them.
    texts = [corpora.noise(i, 300_000) for i in range(20)]
    Path("a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    (whole,) = read_shard(task("a.jsonl"), ignore).runs["web"]
    keys = sorted(keys_in((whole,)))
    runs = read_shard(task("a.jsonl", buffer_keys=1000), ignore).runs["web"]
    assert len(runs) > 1
    assert sorted(keys_in(runs)) == keys
    assert [run.file for run in runs] == [f"read-000007-000-{i:04}.keys" for i in range(len(runs))]


def test_a_second_attempt_leaves_the_same_runs() -> None:
    write_rows(20)
    first = read_shard(task("a.jsonl"), ignore)
    before = {path.name: path.read_bytes() for path in Path("data").iterdir()}
    assert read_shard(task("a.jsonl"), ignore) == first
    assert {path.name: path.read_bytes() for path in Path("data").iterdir()} == before


def test_skipped_rows_are_in_the_record() -> None:
    Path("a.jsonl").write_text('{"text": "good"}\nno JSON\n{"text": 5}\n')
    skipped = read_shard(task("a.jsonl", on_error="skip"), ignore).skipped["a.jsonl"]
    assert (skipped.rows, skipped.unreadable) == (2, None)
    assert "line 2: not JSON" in str(skipped.first)


def test_a_record_survives_json() -> None:
    record = ReadRecord(
        counts={"web": Counts(1, 2, 3, 4), "code": Counts()},
        runs={"web": (Run("a.keys", 5, "a.jsonl"), Run("b.keys", 6, "a.jsonl")), "code": ()},
        sources=("code", "web"),
        digests={"a.jsonl": "00ff"},
        skipped={"a.jsonl": Skipped(2, "line 2: not JSON"), "b.gz": Skipped(unreadable="cut off")},
    )
    assert ReadRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    toucher = FileToucher(Path("a.jsonl"))
    write_rows(3)
    with pytest.raises(CorpusError, match=r"a\.jsonl: changed while it was read"):
        read_shard(task("a.jsonl"), toucher.advance)
    write_rows(3)
    execution = Execution(workers=1, work_dir="work")
    with pytest.raises(CorpusError, match=r"a\.jsonl: changed while it was read"):
        portrait.build("a.jsonl", "out", execution=execution, progress=toucher)
    assert not Path("out").exists()


def test_a_file_that_has_changed_since_the_plan_is_refused() -> None:
    write_rows(3)
    planned = task("a.jsonl")
    Path("a.jsonl").write_text('{"text": "another"}\n')
    with pytest.raises(CorpusError, match=r"a\.jsonl: changed while it was read") as caught:
        read_shard(planned, ignore)
    assert caught.value.parameter == "restart"
    assert list(Path("data").iterdir()) == []
