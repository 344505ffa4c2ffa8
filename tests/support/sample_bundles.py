"""A bundle of two sources, its manifest and shards, and the error with which a bundle is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

#: The text of each source.
SOURCES = {
    "arxiv": "We show that every finite lattice of this kind embeds in a free one. " * 40,
    "日本 web": "Das Wetter bleibt unbeständig: 京都 meldet Regen, Köln meldet Nebel, sonst nichts. " * 90,
}


def build_two_sources(directory: Path) -> Path:
    """Build a bundle of :data:`SOURCES` in ``directory``, and return its path, which ends in two.portrait."""
    for i, text in enumerate(SOURCES.values()):
        (directory / f"{i}.txt").write_text(text)
    out = directory / "two.portrait"
    portrait.build({name: directory / f"{i}.txt" for i, name in enumerate(SOURCES)}, out)
    return out


def read_manifest(bundle: Path) -> dict[str, Any]:
    """Return the manifest as the JSON object that it is."""
    content: dict[str, Any] = json.loads((bundle / "portrait.json").read_bytes())
    return content


def shards(bundle: Path) -> list[tuple[dict[str, Any], dict[str, Any], Path]]:
    """Return each shard's layer, its own record, both as in the manifest, and its file."""
    layers = read_manifest(bundle)["layers"]
    return [(layer, shard, bundle / shard["file"]) for layer in layers for shard in layer["shards"]]


def refusal(bundle: Path, error: type[portrait.PortraitError]) -> str:
    """Check that opening ``bundle`` raises ``error`` and names its path, and return the message."""
    with pytest.raises(error) as caught:
        portrait.open(bundle)
    assert caught.type is error
    message = str(caught.value)
    assert message.startswith(str(bundle))
    assert message.isprintable()
    return message
