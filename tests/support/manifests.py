"""Manifests of portraits with sources of every kind, made of a golden portrait's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portrait.bundle.reader import read
from support.places import GOLDEN

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer, Manifest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEB = "hf://datasets/org/web?config=en&split=train"
BOOKS = "hf://datasets/org/books@v1"
#: The record of each source, in the manifest's form.
CORPUS: dict[str, Any] = {
    "books": {"location": [BOOKS], "revision": {BOOKS: {"commit": COMMIT}}, "files": []},
    "crawl": {"location": ["https://example.org/crawl.jsonl"], "revision": None, "files": []},
    "notes": {"location": ["/home/someone/secret/notes.jsonl"], "revision": None, "files": []},
    "web": {
        "location": [WEB],
        "revision": {
            WEB: {"commit": COMMIT, "date": "2025-02-19T08:30:00Z", "config": "en", "split": "train"}
        },
        "files": [],
    },
}


def golden(name: str = "two_sources") -> Manifest:
    """Return the manifest of a golden portrait."""
    return read(GOLDEN / name).manifest


def with_sources(corpus: dict[str, Any], **counts: int | None) -> Manifest:
    """Return a manifest with a layer for each source of a corpus.

    Args:
        corpus: The records of the sources.
        counts: The bytes of text of some sources; others have 1,000,000 bytes. All have 10 documents.
    """
    example = golden()

    def layer(name: str) -> Layer:
        shard = replace(example.layers[0].shards[0], file=f"{name}-00001-of-00001.safetensors")
        return replace(
            example.layers[0],
            source=name,
            documents=10,
            text_bytes=counts.get(name, 1_000_000),
            shards=(shard,),
        )

    return replace(example, layers=tuple(map(layer, corpus)), corpus=corpus)
