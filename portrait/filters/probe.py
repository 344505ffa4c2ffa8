"""Asking a finished filter random keys: its rate, confirmed, and test vectors for its record."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from portrait.errors import PortraitError
from portrait.keys.maker import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.filters.pybloom import PyBloom
    from portrait.filters.redisbloom import RedisBloom

PROBE_KEYS = 1 << 20
#: Fewer where each is a text to hash.
PROBE_WINDOWS = 1 << 17
N_TEST_VECTORS = 16


class Probe(NamedTuple):
    """A filter's rate, confirmed with random keys, and some of them that it does not hold."""

    fpr: float
    n_keys: int
    n_hits: int
    absent: tuple[str, ...]


def probe_filter(source: str, ask: Callable[[bytes], bytes], fpr: float, n_keys: int) -> Probe:
    """Ask a filter with the rate ``fpr`` so many random keys, the same ones for every filter of a source.

    Raises :class:`PortraitError` where the rate is another than its bits promise.
    """
    keys = random.Random(source).randbytes(n_keys * KEY_BYTES)
    hits = ask(keys)
    n_hits = hits.count(1)
    deviation = (n_keys * fpr * (1 - fpr)) ** 0.5
    if abs(n_hits - n_keys * fpr) > 6 * deviation + 3:
        raise PortraitError(
            f"source {source!r}: {n_hits} of {n_keys} random keys were found where the filter's bits "
            f"promise {n_keys * fpr:.0f}: the filter is broken, please report this"
        )
    absent = [i for i in range(min(n_keys, 1 << 12)) if not hits[i]][:N_TEST_VECTORS]
    absent_keys = b"".join(keys[i * KEY_BYTES : (i + 1) * KEY_BYTES] for i in absent)
    return Probe(fpr, n_keys, n_hits, hex_keys(absent_keys))


def hex_keys(data: bytes) -> tuple[str, ...]:
    """Little-endian keys as hexadecimal numbers."""
    return tuple(
        f"{int.from_bytes(data[i : i + KEY_BYTES], 'little'):016x}" for i in range(0, len(data), KEY_BYTES)
    )


def windows_of(opened: PyBloom | RedisBloom) -> Callable[[bytes], bytes]:
    """Asks a filter that has a hash of its own: windows of any text will do for random keys.

    Their 16 digits are also what the manifest records.
    """
    return lambda keys: opened.contains_windows(list(hex_keys(keys)))
