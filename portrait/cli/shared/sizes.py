"""Sizes in bytes, as people write and read them: 64MB, 5GB, 1.5GiB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(text: str) -> int:
    """Return a size in bytes.

    Args:
        text: A number, with a unit or without: kB, MB, GB, TB, or by powers of 1024 KiB, MiB, GiB, TiB.

    Raises:
        click.BadParameter: The text is not a size.
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGT]?)(I?)B?", text.strip().upper())
    if match is None or (match[3] and not match[2]):
        raise click.BadParameter(f"{text!r} is not a size, such as 64MB or 5GB")
    unit: int = (1024 if match[3] else 1000) ** _POWERS[match[2]]
    return round(float(match[1]) * unit)


def stored_bytes(manifest: Manifest) -> int:
    """Return the size of a portrait's shards together, in bytes."""
    return sum(shard.bytes for layer in manifest.layers for shard in layer.shards)
