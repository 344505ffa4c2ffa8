"""The small accuracy benchmark: every promise of the docs holds, and the docs have the tables it prints."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from support.benchmark_scripts import run_script
from support.places import DOCS

if TYPE_CHECKING:
    from pathlib import Path


def write_texts(directory: Path) -> None:
    """Write the documentation of the project itself, in each format that the script reads."""
    for number, page in enumerate(sorted(DOCS.glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        if number % 3 == 0:
            (directory / f"{page.stem}.txt").write_text(text, encoding="utf-8")
        elif number % 3 == 1:
            page_of_it = f"<html><style>p {{}}</style><p>{text}</p></html>"
            (directory / f"{page.stem}.html").write_text(page_of_it, encoding="utf-8")
        else:
            (directory / f"{page.stem}.txt.gz").write_bytes(gzip.compress(text.encode()))
    (directory / "latin-1.txt").write_bytes(b"caf\xe9 " * 1000)


def first_cells(text: str) -> list[str]:
    """Return the first cell of each row of a text's tables."""
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]


def test_every_promise_is_kept(tmp_path: Path) -> None:
    write_texts(tmp_path)
    printed = run_script("accuracy.py", "--small", "--texts", str(tmp_path))
    assert printed.endswith("Every promise was kept.\n")
    # The docs have the same tables, but with the numbers of the full benchmark.
    cells = first_cells(printed)
    assert cells == first_cells((DOCS / "accuracy.md").read_text(encoding="utf-8"))
    assert len(cells) > 80
