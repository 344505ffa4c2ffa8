"""Facts and tables as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def listed(facts: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each fact, its name in front."""
    for name, value in facts.items():
        yield f"{name:<10} {printable(value)}"


def table(rows: Sequence[Sequence[str]], n_names: int = 2) -> Iterator[str]:
    """Yield rows as lines with aligned columns.

    Args:
        rows: Cells, as many in every row; the first row is the head.
        n_names: How many columns hold names, aligned left; the others hold numbers, aligned right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if i < n_names else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
