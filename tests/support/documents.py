"""Documents whose portrait must be the same in every file format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import portrait

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.bundle.manifest import Layer


PROSE = (
    "The ferry left at dusk with nobody on deck but a boy, two goats and a crate of oranges. "
    "Halfway across, the engine coughed twice and was silent, and the boy began to sing."
)


DOCUMENTS = [
    PROSE,
    "short",
    "",
    "  Blanks   around,\tand\n\nlines\r\nwithin: the normaliser sees them all, the readers touch none.  ",
    "Grüße aus Köln: naïve cafés, 東京の夜, Ελλάδα, and 🦀🎉 beyond the plane; e\u0301 decomposed. " * 3,
    'quotes " and \\ backslashes \\u0041 and </tags> and {"json": "inside"}, long enough for a window',
    PROSE.upper(),
]


def lines(texts: Sequence[str], *, end: str = "\n", ascii_only: bool = True) -> bytes:
    """Return the texts as JSON lines with ids, each line ending with ``end``."""
    rows = (json.dumps({"id": i, "text": text}, ensure_ascii=ascii_only) for i, text in enumerate(texts))
    return "".join(row + end for row in rows).encode()


def zstd(data: bytes) -> bytes:
    """Return the data as one zstd frame."""
    frame: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return frame


def plain(directory: Path, texts: Sequence[str]) -> Path:
    """Write each text to a file of its own, and return the directory."""
    for i, text in enumerate(texts):
        (directory / f"{i:02}.txt").write_bytes(text.encode())
    return directory


def built(sources: Any, out: Path) -> tuple[Layer, bytes]:
    """Build a portrait of one source; return its only layer and the bytes of its first shard."""
    (layer,) = portrait.build(sources, out).manifest.layers
    return layer, (out / layer.shards[0].file).read_bytes()
