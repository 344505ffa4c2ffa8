"""Builds with all keys in memory: their layers, and the progress of building them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support import corpora, oracle
from support.progress_callbacks import ProgressRecorder

from portrait import Stride, WindowSpec
from portrait.building.in_memory import InMemoryBuild
from portrait.building.request import Request
from portrait.bundle.writer import BundleWriter

if TYPE_CHECKING:
    import pytest


def test_each_source_becomes_a_layer_with_the_keys_of_its_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {name: corpora.write(Path(name), n_files=n) for name, n in (("web", 3), ("books", 1))}
    request = Request.of(WindowSpec(20, Stride(10)))
    recorder = ProgressRecorder()
    build = InMemoryBuild(request.resolve({name: name for name in texts}), request, recorder)
    build.read()
    with BundleWriter(Path("out")) as writer:
        layers = build.layers(writer)
    assert [layer.source for layer in layers] == ["books", "web"]
    for layer in layers:
        assert layer.documents == len(texts[layer.source])
        assert layer.distinct_keys == len(oracle.portrait(texts[layer.source], oracle.Spec(20, 10)))
    reading, building = recorder.stages
    assert (reading.name, building.name) == ("reading", "building")
    n_keys = sum((layer.windows or 0) + (layer.documents or 0) for layer in layers)
    assert building.n_bytes == building.bytes_done == 8 * n_keys
