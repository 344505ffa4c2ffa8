"""Sizes as people write them: 64MB, 5GB, 1.5GiB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from portrait.bundle.writer import DEFAULT_SHARD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(text: str) -> int:
    """A size in bytes; units are kB, MB, GB, TB, or KiB and so on by powers of 1024.

    Raises :class:`click.BadParameter`.
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGT]?)(I?)B?", text.strip().upper())
    if found is None or (found[3] and not found[2]):
        raise click.BadParameter(f"{text!r} is no size, such as 64MB or 5GB")
    unit: int = (1024 if found[3] else 1000) ** _POWERS[found[2]]
    return round(float(found[1]) * unit)


def max_shard_size_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that limits the size of a shard."""
    return click.option(
        "--max-shard-size",
        "max_shard_bytes",
        default=f"{DEFAULT_SHARD_BYTES // 10**9}GB",
        show_default=True,
        metavar="SIZE",
        callback=lambda _context, _parameter, text: parse_size(text),
        help="The largest file of a layer: 64MB, 5GB, ...",
    )(command)
