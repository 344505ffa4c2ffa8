"""Passes over a corpus in one process: progress, what is recorded, files that change meanwhile."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import xxhash
from support import corpora

import portrait
from portrait import CorpusError, EmptyCorpusError, Execution, WindowSpec
from portrait.building.in_memory import InMemoryBuild
from portrait.building.request import Request
from portrait.building.two_pass import TwoPassBuild


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of several kinds in the directory where the tests run."""
    monkeypatch.chdir(tmp_path)
    corpora.write(Path("corpus"), n_files=4)


class Listener:
    """Progress that is written down."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int | None]] = []
        self.n_bytes = 0
        self.documents = 0
        self.n_finished = 0

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        self.stages.append((stage, n_bytes))

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        self.n_bytes += n_bytes
        self.documents += documents

    def finish(self) -> None:
        self.n_finished += 1


def test_one_pass_reads_every_file_once_and_records_it() -> None:
    request = Request.of(WindowSpec(20, 10))
    listener = Listener()
    build = InMemoryBuild(request.resolve({"web": "corpus"}), request, listener)
    build.read()
    n_bytes = sum(path.stat().st_size for path in Path("corpus").iterdir())
    assert listener.stages == [("reading", n_bytes)]
    assert (listener.n_bytes, listener.documents, listener.n_finished) == (n_bytes, 160, 1)
    assert build.corpus()["web"]["files"] == [
        {
            "path": str(path),
            "bytes": path.stat().st_size,
            "xxh3_128": xxhash.xxh3_128_hexdigest(path.read_bytes()),
        }
        for path in sorted(Path("corpus").iterdir())
    ]


def test_two_passes_record_every_file_once() -> None:
    request = Request.of(WindowSpec(20, 10), portrait.FilterSpec("pybloom"))
    listener = Listener()
    build = TwoPassBuild(request.resolve("corpus"), request, listener)
    build.read()
    assert [stage for stage, _ in listener.stages] == ["reading", "building"]
    assert (listener.documents, listener.n_finished) == (320, 2)
    assert len(build.corpus()["main"]["files"]) == 4


def test_a_pass_that_fails_ends_its_progress() -> None:
    Path("corpus/bad.jsonl").write_text("no JSON\n")
    request = Request.of()
    listener = Listener()
    with pytest.raises(CorpusError, match=r"bad\.jsonl, line 1"):
        InMemoryBuild(request.resolve("corpus"), request, listener).read()
    assert listener.n_finished == 1


def test_a_source_without_text_is_named() -> None:
    Path("empty.jsonl").write_text(json.dumps({"text": ""}) + "\n")
    request = Request.of()
    build = InMemoryBuild(request.resolve({"a": "corpus", "b": "empty.jsonl"}), request, Listener())
    with pytest.raises(EmptyCorpusError, match=r"source 'b' holds no text: empty\.jsonl"):
        build.read()


class Meddler(Listener):
    """Changes a file while it is read."""

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        os.utime("corpus/00.jsonl", ns=(1, 1))


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    with pytest.raises(CorpusError, match=r"corpus/00\.jsonl: changed while it was read"):
        portrait.build("corpus", "out", execution=Execution(workers=1), progress=Meddler())
    assert not Path("out").exists()
