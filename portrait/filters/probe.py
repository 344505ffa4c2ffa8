"""Random keys asked of a finished filter: they confirm its rate and give test vectors for its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from portrait.errors import PortraitError
from portrait.keys.maker import KEY_BYTES
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.filters.protocols import WindowFilter

#: The number of random keys for a filter that takes keys.
PROBE_KEYS = 1 << 20
#: The number for a filter that takes windows: each is a text to hash.
PROBE_WINDOWS = 1 << 17
N_TEST_VECTORS = 16


#: A sample of a filter's bits: evenly spread pages, of filters that are larger than this.
SAMPLED_ABOVE_BYTES = 64 << 20
SAMPLE_PAGE_BYTES = 4 << 10
_N_SAMPLES = 4 << 10

#: How far a recorded rate may be from that of a sample, which for a Bloom filter is half a million blocks.
#: The rates of blocks spread around their mean by about its own size at 1e-2, and by ten times that at 1e-8:
#: the sample's mean has a standard error of 0.1 to 1.4 %, of which the tolerance is seven times or more.
_RELATIVE_TOLERANCE = 0.1
_ABSOLUTE_TOLERANCE = 1e-9


class Probe(NamedTuple):
    """A filter's rate, confirmed with random keys.

    Attributes:
        fpr: The false-positive rate.
        n_keys: The number of random keys.
        n_hits: The number of these that the filter holds.
        absent: Some keys that the filter does not hold, in hexadecimal.
    """

    fpr: float
    n_keys: int
    n_hits: int
    absent: tuple[str, ...]


def sample_starts(n_bytes: int) -> list[int]:
    """Return where the pages of a sample of ``n_bytes`` begin; none if all bytes are few enough to read."""
    if n_bytes <= SAMPLED_ABOVE_BYTES:
        return []
    n_pages = n_bytes // SAMPLE_PAGE_BYTES
    return [i * n_pages // _N_SAMPLES * SAMPLE_PAGE_BYTES for i in range(_N_SAMPLES)]


def contradicts(fpr: float, sampled: float) -> bool:
    """Return whether a filter whose sample has one rate cannot have the other.

    Args:
        fpr: The rate that is recorded of the filter.
        sampled: The rate of a sample of its bits.
    """
    return abs(sampled - fpr) > _RELATIVE_TOLERANCE * fpr + _ABSOLUTE_TOLERANCE


def probe_filter(source: str, ask: Callable[[bytes], bytes], fpr: float, n_keys: int) -> Probe:
    """Ask a filter random keys, which are the same for every filter of a source.

    Args:
        source: The layer's name.
        ask: Returns one byte per key, of 8 bytes each: 1 if the filter holds it.
        fpr: The rate that the filter's bits promise.
        n_keys: The number of keys.

    Raises:
        PortraitError: The observed rate is not the promised one.
    """
    # Programs that only ask do not load it.
    import random

    keys = random.Random(source).randbytes(n_keys * KEY_BYTES)
    hits = ask(keys)
    n_hits = hits.count(1)
    deviation = (n_keys * fpr * (1 - fpr)) ** 0.5
    if abs(n_hits - n_keys * fpr) > 6 * deviation + 3:
        raise PortraitError(
            f"source {source!r}: the filter holds {count(n_hits)} of {count(n_keys)} random keys, but its "
            f"bits promise {count(round(n_keys * fpr))}: the filter is broken, please report this"
        )
    absent = [i for i in range(min(n_keys, 1 << 12)) if not hits[i]][:N_TEST_VECTORS]
    absent_keys = b"".join(keys[i * KEY_BYTES : (i + 1) * KEY_BYTES] for i in absent)
    return Probe(fpr, n_keys, n_hits, hex_keys(absent_keys))


def hex_keys(data: bytes) -> tuple[str, ...]:
    """Return little-endian keys as hexadecimal numbers of 16 digits."""
    return tuple(
        f"{int.from_bytes(data[i : i + KEY_BYTES], 'little'):016x}" for i in range(0, len(data), KEY_BYTES)
    )


def windows_of(opened: WindowFilter) -> Callable[[bytes], bytes]:
    """Return a function that asks a filter with a hash function of its own about random keys.

    It asks the keys' 16 digits as windows. The manifest records the same digits.
    """
    return lambda keys: opened.contains_windows(list(hex_keys(keys)))
