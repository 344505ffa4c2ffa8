"""RedisBloom dumps of the original library, and ways to damage them.

``golden/redisbloom`` was dumped from RedisBloom 2.4.3; each ``.expected.json`` holds that server's answers
about every window of some texts.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from support.places import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import portrait


REDISBLOOM = GOLDEN / "redisbloom"


NAMES = ["words.50-50.bf", "words-quip.25-1.bf", "words-scaling.50-25.bf", "words-legacy.50-50.bf"]


DOCUMENTS = [
    json.loads(line)["text"] for line in (REDISBLOOM / "corpus.jsonl").read_text("utf-8").splitlines()
]


def hits(opened: portrait.Portrait, text: str) -> str:
    """Return the hits of a portrait with one layer as the fixtures write them: "1" or "0" for each window."""
    (layer_hits,) = opened.hits(text).values()
    return "".join(map(str, layer_hits))


def renamed(folder: Path, name: str) -> Path:
    """Rename the first fixture's index and return its path; its part files keep their names."""
    return (folder / NAMES[0]).rename(folder / name)


def change_index(**fields: Any) -> Callable[[Path], None]:
    """Return a function that sets these fields of an index."""

    def change(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return change


def change_block(i: int, **fields: Any) -> Callable[[Path], None]:
    """Return a function that sets these fields of an index's ``i``-th block."""

    def change(path: Path) -> None:
        index = json.loads(path.read_text())
        index["blocks"][i] |= fields
        path.write_text(json.dumps(index))

    return change


def change_info(**fields: Any) -> Callable[[Path], None]:
    """Return a function that sets these fields of an index's ``bf_info``."""

    def change(path: Path) -> None:
        index = json.loads(path.read_text())
        index["bf_info"] |= fields
        path.write_text(json.dumps(index))

    return change


def part_of(path: Path) -> Path:
    """Return the path of the first part file of an index."""
    return path.with_name(f"{path.name}.part0.bin")


def poke(offset: int, layout: str, value: float) -> Callable[[Path], None]:
    """Return a function that overwrites a field of the header in the first part file.

    It also empties the index's ``bf_info``, which would otherwise contradict the header.

    Args:
        offset: The field's offset in bytes.
        layout: The field's format, as ``struct`` spells it.
        value: The new value.
    """

    def change(path: Path) -> None:
        change_index(bf_info={})(path)
        data = bytearray(part_of(path).read_bytes())
        struct.pack_into(layout, data, offset, value)
        part_of(path).write_bytes(data)

    return change
