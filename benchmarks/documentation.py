"""Real text that no test and no default was made with: the documentation of other programs.

A directory of Debian's documentation packages, for example:

    apt-get download bash-doc debian-policy debian-reference-en debmake-doc developers-reference git-doc \\
        linux-doc-6.1 maint-guide postgresql-doc-15 sqlite3-doc
    for package in *.deb; do dpkg-deb -x "$package" texts; done
"""

from __future__ import annotations

import gzip
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES = (".html", ".txt")


class _Text(HTMLParser):
    """Collects the text of a page, without tags, scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Note where a script or a style begins."""
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        """Note where a script or a style ends."""
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Keep the text between two tags."""
        if not self._hidden:
            self.parts.append(data)


def documents(directory: Path) -> Iterator[str]:
    """Yield the text of each page and text file below a directory, in the order of their paths.

    Files may be compressed; those that are not UTF-8 are left out.
    """
    for path in sorted(directory.rglob("*")):
        is_packed = path.suffix == ".gz"
        suffix = path.with_suffix("").suffix if is_packed else path.suffix
        if suffix not in SUFFIXES or path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        try:
            text = (gzip.decompress(data) if is_packed else data).decode()
        except UnicodeDecodeError:
            continue
        if suffix == ".html":
            page = _Text()
            page.feed(text)
            text = "".join(page.parts)
        yield text
