"""The card: the page for people who find a portrait beside a model.

It is written between two marks. What stands before and after them is whoever's it is, and stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portrait.bundle.readme import front_matter
from portrait.bundle.readme.section import section
from portrait.storage.regular import read_regular

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest

CARD_NAME = "README.md"
#: A README that is larger than this is not a card.
_MAX_CARD_BYTES = 8 << 20
_BEGIN = "<!-- portrait:begin (replaced whenever the portrait is written; write before or after it) -->"
_END = "<!-- portrait:end -->"
#: The lines of the marks, whatever the first one explains.
_MARK = re.compile(r"^<!-- portrait:(begin|end)\b[^\n]*?-->[ \t]*(\r?)$", re.MULTILINE)


def card(manifest: Manifest, name: str, address: str | None = None) -> str:
    """Return the text of a new README.md, in Markdown.

    Args:
        manifest: The bundle's manifest.
        name: The name of the bundle's directory.
        address: Its address on a hub, if it has one.
    """
    return f"{front_matter.front_matter(manifest)}\n{_marked(manifest, name, address)}\n"


def updated(
    content: bytes, manifest: Manifest, name: str, old: Manifest | None, address: str | None = None
) -> bytes:
    """Return a card with the part that is generated written again, and all else as it is, byte for byte.

    Args:
        content: The card, as :func:`read_card` returns it.
        manifest: The new manifest.
        name: The name of the bundle's directory.
        old: The manifest that the card was written for, as in
            :func:`portrait.bundle.readme.front_matter.updated`.
        address: Its address on a hub, if it has one.
    """
    # Text in another encoding than UTF-8 passes through.
    text = content.decode("utf-8", "surrogateescape")
    marks = _marks(text)
    assert marks is not None  # read_card has checked it
    begin, end = marks
    section = _marked(manifest, name, address).replace("\n", "\r\n" if begin[2] else "\n")
    before = front_matter.updated(text[: begin.start()], manifest, old)
    return f"{before}{section}{text[end.end() - len(end[2]) :]}".encode("utf-8", "surrogateescape")


def read_card(directory: Path) -> bytes | None:
    """Return the card in a directory; ``None`` if there is none, or its README.md is not a card.

    A card is a regular file, or a link that leads to one, with each of the two marks once.
    """
    try:
        content = read_regular(directory / CARD_NAME, _MAX_CARD_BYTES)
    except OSError:
        return None
    return content if is_card(content) else None


def is_card(content: bytes) -> bool:
    """Return whether a README.md is a card: whether it has each of the two marks once."""
    return _marks(content.decode("utf-8", "surrogateescape")) is not None


def _marks(text: str) -> tuple[re.Match[str], re.Match[str]] | None:
    marks = list(_MARK.finditer(text))
    return (marks[0], marks[1]) if [mark[1] for mark in marks] == ["begin", "end"] else None


def _marked(manifest: Manifest, name: str, address: str | None) -> str:
    """Return the part of a card that is generated, from the first mark to the second."""
    return f"{_BEGIN}\n{section(manifest, name, address)}\n{_END}"
