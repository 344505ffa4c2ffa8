"""The reduce task: its part and its record, overlapping attempts, and files that are lost or damaged."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import xxhash
from support.engine_work import ignore
from support.packed_keys import key_list, pack

from portrait import FilterSpec, OutputError, WorkDirError
from portrait.building.layer import summarise
from portrait.building.part_task import PartRecord, PartTask, RunList, build_part, open_part
from portrait.filters import kinds as filters
from portrait.keys.runs import KeysInRuns, Run, write_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.spec import FilterKind

N_PARTITIONS = 16
DICE = random.Random("keys")
KEYS = [DICE.getrandbits(64) for _ in range(1000)]


def task(directory: Path, kind: FilterKind = "bloom") -> PartTask:
    """Write two runs of all keys to ``directory``, and return the task that builds a filter of them."""
    runs = []
    for number, keys in enumerate((KEYS[:600], KEYS[600:])):
        write_run(directory / f"{number}.keys", *key_list(keys).partitioned(N_PARTITIONS))
        runs.append(Run(f"{number}.keys", len(keys), f"shard {number}"))
    (directory / "runs.json").write_text(json.dumps(RunList(tuple(runs)).to_json()))
    spec = FilterSpec(kind)
    summary = summarise(KeysInRuns(directory, runs, N_PARTITIONS))
    (all_keys,) = summary.layout(spec).ranges(1)
    return PartTask("part-000", "web", spec, summary.n_keys, all_keys, directory, "runs.json", N_PARTITIONS)


def names(directory: Path) -> list[str]:
    """Return the names of all files except runs and records."""
    return sorted(path.name for path in directory.iterdir() if path.suffix not in {".keys", ".json"})


@pytest.mark.parametrize("kind", ["bloom", "ribbon"])
def test_the_part_holds_the_keys_of_all_runs(kind: FilterKind, tmp_path: Path) -> None:
    part_task = task(tmp_path, kind)
    n_bytes: list[int] = []
    record = build_part(part_task, lambda n, _documents=0, _text_bytes=0, /: n_bytes.append(n))
    assert sum(n_bytes) == 8 * len(KEYS)
    assert record.n_keys in (None, len(KEYS))
    assert record.n_bytes == (tmp_path / "part-000.filter").stat().st_size
    assert names(tmp_path) == ["part-000.filter"]
    part = open_part(tmp_path, "part-000", record)
    assert part.n_keys == record.n_keys
    built = filters.layout(part_task.spec, part_task.n_keys).assemble([part])
    assert set(built.contains(pack(KEYS))) == {1}
    assert part_task.label == "source 'web', part-000"


def test_attempts_that_overlap_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part_task = task(tmp_path)
    records: list[PartRecord] = []

    class Interrupting:
        """A checksum that runs a complete second attempt while the first one writes its file."""

        def __init__(self) -> None:
            self.inner: Any = real()

        def update(self, data: Any) -> None:
            self.inner.update(data)
            if not records:
                monkeypatch.setattr(xxhash, "xxh3_64", real)
                records.append(build_part(part_task, ignore))
                # The second attempt's record is valid already, while the first attempt still writes.
                assert open_part(tmp_path, "part-000", records[0])

        def hexdigest(self) -> str:
            return str(self.inner.hexdigest())

    real: Callable[[], Any] = xxhash.xxh3_64
    monkeypatch.setattr(xxhash, "xxh3_64", Interrupting)
    records.append(build_part(part_task, ignore))
    assert len(records) == 2
    assert records[0] == records[1]
    assert open_part(tmp_path, "part-000", records[0])
    assert names(tmp_path) == ["part-000.filter"]


def test_an_attempt_that_fails_leaves_the_part_of_an_earlier_one(tmp_path: Path) -> None:
    part_task = task(tmp_path)
    record = build_part(part_task, ignore)
    (tmp_path / "0.keys").unlink()
    with pytest.raises(WorkDirError, match=r"0\.keys: No such file.* reads shard 0 again"):
        build_part(part_task, ignore)
    assert open_part(tmp_path, "part-000", record)
    assert names(tmp_path) == ["part-000.filter"]


def test_a_part_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    part_task = task(tmp_path)
    (tmp_path / "part-000.filter").mkdir()
    with pytest.raises(OutputError, match="cannot write a part of the filter there: ") as caught:
        build_part(part_task, ignore)
    assert caught.value.parameter == "work_dir"
    assert names(tmp_path) == ["part-000.filter"]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "has the wrong length"),
        (flip_a_bit, "is damaged: its checksum does not fit"),
        (Path.unlink, "No such file or directory"),
    ],
    ids=["truncated", "flipped", "deleted"],
)
def test_a_lost_or_damaged_part_is_named(
    damage: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    record = build_part(task(tmp_path), ignore)
    damage(tmp_path / "part-000.filter")
    with pytest.raises(
        WorkDirError, match=rf"part-000\.filter: {message}: re-run the same call, which builds it"
    ):
        open_part(tmp_path, "part-000", record)


def test_a_list_of_runs_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for content in (b"no JSON", b"{}", b'{"runs": 3}', b'{"runs": [["a"]]}'):
        (tmp_path / "runs.json").write_bytes(content)
        with pytest.raises(WorkDirError, match=r"runs\.json: cannot be read: "):
            RunList.read(tmp_path / "runs.json")
    with pytest.raises(WorkDirError, match=r"nothing\.json: cannot be read: "):
        RunList.read(tmp_path / "nothing.json")


def test_records_survive_json() -> None:
    for record in (PartRecord((3, 4), "00ff", 7), PartRecord((), "", None)):
        assert PartRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
    runs = RunList((Run("a.keys", 1, "a.jsonl"), Run("b.keys", 2, "b.jsonl")))
    assert RunList.from_json(json.loads(json.dumps(runs.to_json()))) == runs
