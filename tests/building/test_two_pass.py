"""Builds that read their corpus twice: counts, and a corpus that changes between the passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import corpora
from support.progress_callbacks import ActionAtFinish

import portrait
from portrait import CorpusError, FilterSpec, SpecError, WindowSpec

SPEC = FilterSpec("pybloom")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(*sources: str) -> str:
    """Return JSON lines, one for each of ``sources``, which names the row's set."""
    return "".join(
        json.dumps({"text": corpora.prose(i, 60), "set": name}) + "\n" for i, name in enumerate(sources)
    )


def rewrite(content: str) -> ActionAtFinish:
    """Return a progress callback that replaces the corpus after each pass."""
    return ActionAtFinish(lambda: Path("a.jsonl").write_text(content))


def test_the_windows_of_each_source_are_counted_and_stored() -> None:
    Path("a.jsonl").write_text(rows("x", "y", "x"))
    built = portrait.build("a.jsonl", "out", filter=SPEC, source_column="set")
    assert built.sources == ("x", "y")
    for layer in built.manifest.layers:
        assert layer.documents == {"x": 2, "y": 1}[layer.source]
        assert len(layer.shards) == 1
        assert layer.test_vectors.present == ()
    assert built.query(corpora.prose(1, 60)).verdict == "found"


def test_a_different_number_of_windows_in_the_second_pass_is_refused() -> None:
    Path("a.jsonl").write_text(rows("x"))
    with pytest.raises(
        CorpusError, match=r"source 'main': \d+ windows in the first pass and \d+ in the second"
    ):
        portrait.build("a.jsonl", "out", filter=SPEC, progress=rewrite(rows("x", "x")))
    assert not Path("out").exists()


def test_a_source_that_is_new_in_the_second_pass_is_refused() -> None:
    Path("a.jsonl").write_text(rows("x"))
    with pytest.raises(CorpusError, match="source 'y' is new in the second pass: a pybloom filter reads"):
        portrait.build("a.jsonl", "out", filter=SPEC, source_column="set", progress=rewrite(rows("x", "y")))
    assert not Path("out").exists()


def test_an_input_that_can_be_read_only_once_is_refused() -> None:
    with pytest.raises(
        SpecError, match="source 'main': a pybloom filter reads its corpus twice, and standard"
    ):
        portrait.build("-", "out", filter=SPEC)


def test_windows_of_bytes_are_refused() -> None:
    Path("a.jsonl").write_text(rows("x"))
    with pytest.raises(SpecError, match="characters"):
        portrait.build("a.jsonl", "out", filter=SPEC, windows=WindowSpec(unit="byte"))
