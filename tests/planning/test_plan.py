"""What a plan says is what a build then does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import portrait
from portrait.engines.execution import Execution

if TYPE_CHECKING:
    from conftest import Cli


def test_the_way_is_the_build_s(corpus: Path, tmp_path: Path) -> None:
    def way(out: str = "out", kind: Any = "bloom", stride: int = 25, **given: Any) -> str:
        spec = portrait.FilterSpec(kind)
        windows = portrait.WindowSpec(stride=stride)
        execution = Execution(**given)
        planned = portrait.plan(corpus, out=tmp_path / out, windows=windows, filter=spec, execution=execution)
        assert (planned.spool_bytes > 0) == (planned.way == "spool") == (planned.work_dir is not None)
        return planned.way

    assert way() == "memory"
    assert way(memory_bytes=512 << 20) == "memory"
    assert way(memory_bytes=512 << 20, stride=1) == "spool"
    assert way(kind="pybloom") == "twice"
    assert way(work_dir=tmp_path / "work") == "spool"
    (tmp_path / ".begun.build").mkdir()
    assert way("begun") == "spool"
    with pytest.raises(portrait.SpecError, match="pybloom filter is built in the memory of one process"):
        way(kind="pybloom", work_dir=tmp_path / "work")


def test_what_can_be_found_is_what_answers_say(corpus: Path, tmp_path: Path) -> None:
    spec = portrait.FilterSpec("fuse", 1 / 128)
    sources = {"a": corpus / "txt" / "0000.txt", "b": corpus / "third.parquet"}
    planned = portrait.plan(sources, filter=spec)
    built = portrait.build(sources, tmp_path / "out", filter=spec)
    assert planned.fpr == 1 / 128
    assert planned.guaranteed_units == 74
    for n_chars, length in planned.detectable_units.items():
        assert built.query("a fable " * (n_chars // 8)).detectable_length == length


def test_where_nothing_can_be_detected_that_is_said(corpus: Path) -> None:
    windows = portrait.WindowSpec(width=900, stride=900)
    planned = portrait.plan(corpus / "third.parquet", windows=windows)
    assert planned.detectable_units[1000] is None
    assert planned.detectable_units[10_000] is not None


REFUSED: dict[str, tuple[Any, dict[str, Any]]] = {
    "no such file": ("missing.txt", {}),
    "no match": ("*.nothing", {}),
    "empty": ("empty.txt", {}),
    "binary": ("binary.txt", {}),
    "not UTF-8": ("latin.txt", {}),
    "no column": ("rows.jsonl", {"column": "words"}),
    "no column in a table": ("table.parquet", {"column": "words"}),
    "not Parquet": ("rows.jsonl", {"format": "parquet"}),
    "truncated": ("cut.jsonl.gz", {}),
    "no source's name": ("rows.jsonl", {"source_column": "set"}),
    "format": ("rows.jsonl", {"format": "xml"}),
    "preset": ("rows.jsonl", {"preset": "none"}),
    "bytes for pybloom": (
        "rows.jsonl",
        {"windows": portrait.WindowSpec(unit="byte"), "filter": portrait.FilterSpec("pybloom")},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_built_cannot_be_planned(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = b'{"text": "one"}\n{"text": "two"}\n'
    Path("empty.txt").touch()
    Path("binary.txt").write_bytes(b"a\0b")
    Path("latin.txt").write_bytes(b"caf\xe9 au lait")
    Path("rows.jsonl").write_bytes(rows)
    Path("cut.jsonl.gz").write_bytes(gzip.compress(rows)[:-9])
    pq.write_table(pa.table({"text": ["one"]}), "table.parquet")
    sources, given = REFUSED[name]
    with pytest.raises(portrait.PortraitError) as of_build:
        portrait.build(sources, "out", **given)
    with pytest.raises(portrait.PortraitError) as of_plan:
        portrait.plan(sources, out="out", **given)
    assert (of_plan.type, str(of_plan.value)) == (of_build.type, str(of_build.value))


def test_a_plan_says_all_in_json_and_writes_nothing(corpus: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("plan", f"web={corpus / 'third.parquet'}", "--json", "--filter", "fuse", "--fpr", "0.001")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    said = json.loads(done.out)
    planned = portrait.plan({"web": corpus / "third.parquet"}, filter=portrait.FilterSpec("fuse", 0.001))
    expected = json.loads(json.dumps(planned.to_dict()))
    assert said.pop("seconds") > 0
    expected.pop("seconds")
    assert said == expected
    assert said["fpr"] == 1 / 1024
    assert list(tmp_path.iterdir()) == []


def test_a_plan_is_a_page_for_people(corpus: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli(
        "plan", f"a={corpus / 'third.parquet'}", f"b={corpus / 'txt'}", "--sample", "2MB", "--work-dir", "w"
    )
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["source", "documents", "text", "windows", "distinct", "keys"]
    assert [line.split()[0] for line in lines[1:4]] == ["a", "b", "all"]
    facts = {line[:10].strip(): line[11:] for line in lines[5:]}
    assert list(facts) == ["sample", "portrait", "rate", "guarantee", "detectable", "keys", "memory", "time"]
    assert " in w, read in 2 tasks" in facts["keys"]
    assert "of text; distinct keys may be fewer" in facts["sample"]
    assert list(tmp_path.iterdir()) == []
