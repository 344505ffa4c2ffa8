"""Builds with all keys in memory: their layers, and the progress of building them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support import corpora, oracle

from portrait import WindowSpec
from portrait.building.in_memory import InMemoryBuild
from portrait.building.request import Request
from portrait.bundle.writer import BundleWriter

if TYPE_CHECKING:
    import pytest


class Listener:
    """The bytes of each stage."""

    def __init__(self) -> None:
        self.stages: dict[str, list[int | None]] = {}

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        self.stages[stage] = [n_bytes, 0]
        self.last = stage

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        self.stages[self.last][1] = (self.stages[self.last][1] or 0) + n_bytes

    def finish(self) -> None: ...


def test_each_source_is_a_layer_of_the_keys_of_its_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {name: corpora.write(Path(name), n_files=n) for name, n in (("web", 3), ("books", 1))}
    request = Request.of(WindowSpec(20, 10))
    listener = Listener()
    build = InMemoryBuild(request.resolve({name: name for name in texts}), request, listener)
    build.read()
    with BundleWriter(Path("out")) as writer:
        layers = build.layers(writer)
    assert [layer.source for layer in layers] == ["books", "web"]
    for layer in layers:
        assert layer.documents == len(texts[layer.source])
        assert layer.distinct_keys == len(oracle.portrait(texts[layer.source], oracle.Spec(20, 10)))
    n_bytes, n_advanced = listener.stages["building"]
    assert (
        n_bytes == n_advanced == sum(8 * ((layer.windows or 0) + (layer.documents or 0)) for layer in layers)
    )
