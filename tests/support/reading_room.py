"""A portrait of two layers: ``signs`` and ``walls`` of a reading room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import portrait

if TYPE_CHECKING:
    from pathlib import Path

NOTICE = (
    "The reading room closes at six; whoever is found behind the atlas will be asked to read from it. " * 4
)


def build_room(directory: Path) -> portrait.Portrait:
    """Build ``room.portrait`` in ``directory``."""
    for name, n in {"signs": 3, "walls": 5}.items():
        (directory / f"{name}.txt").write_text(NOTICE * n)
    sources = {name: directory / f"{name}.txt" for name in ("signs", "walls")}
    return portrait.build(
        sources, directory / "room.portrait", license="CC0-1.0", trained_models=["ada", "bob"]
    )
