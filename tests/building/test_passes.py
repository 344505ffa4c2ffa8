"""Passes over a corpus in one process: progress, the corpus record, files that change meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xxhash
from support import corpora
from support.progress_callbacks import FileToucher, ProgressRecorder, Stage

import portrait
from portrait import CorpusError, EmptyCorpusError, Execution, Stride, WindowSpec
from portrait.building.in_memory import InMemoryBuild
from portrait.building.request import Request
from portrait.building.two_pass import TwoPassBuild
from portrait.progress import Silent


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of several kinds in the directory where the tests run."""
    monkeypatch.chdir(tmp_path)
    corpora.write(Path("corpus"), n_files=4)


def test_one_pass_reads_every_file_once_and_records_it() -> None:
    request = Request.of(WindowSpec(20, Stride(10)))
    recorder = ProgressRecorder()
    build = InMemoryBuild(request.resolve({"web": "corpus"}), request, recorder)
    build.read()
    n_bytes = sum(path.stat().st_size for path in Path("corpus").iterdir())
    assert recorder.stages == [Stage("reading", n_bytes, bytes_done=n_bytes, documents=160)]
    assert recorder.n_finished == 1
    assert build.corpus()["web"]["files"] == [
        {
            "path": str(path),
            "bytes": path.stat().st_size,
            "xxh3_128": xxhash.xxh3_128_hexdigest(path.read_bytes()),
        }
        for path in sorted(Path("corpus").iterdir())
    ]


def test_two_passes_record_every_file_once() -> None:
    request = Request.of(WindowSpec(20, Stride(10)), portrait.FilterSpec("pybloom"))
    recorder = ProgressRecorder()
    build = TwoPassBuild(request.resolve("corpus"), request, recorder)
    build.read()
    assert [stage.name for stage in recorder.stages] == ["reading", "building"]
    assert sum(stage.documents for stage in recorder.stages) == 320
    assert recorder.n_finished == 2
    assert len(build.corpus()["main"]["files"]) == 4


def test_a_pass_that_fails_finishes_its_progress() -> None:
    Path("corpus/bad.jsonl").write_text("no JSON\n")
    request = Request.of()
    recorder = ProgressRecorder()
    with pytest.raises(CorpusError, match=r"bad\.jsonl, line 1"):
        InMemoryBuild(request.resolve("corpus"), request, recorder).read()
    assert recorder.n_finished == 1


def test_a_source_without_text_is_named() -> None:
    Path("empty.jsonl").write_text(json.dumps({"text": ""}) + "\n")
    request = Request.of()
    build = InMemoryBuild(request.resolve({"a": "corpus", "b": "empty.jsonl"}), request, Silent())
    with pytest.raises(EmptyCorpusError, match=r"source 'b' holds no text: empty\.jsonl"):
        build.read()


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    toucher = FileToucher(Path("corpus/00.jsonl"))
    with pytest.raises(CorpusError, match=r"corpus/00\.jsonl: changed while it was read"):
        portrait.build("corpus", "out", execution=Execution(workers=1), progress=toucher)
    assert not Path("out").exists()
