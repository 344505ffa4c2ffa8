"""Pure maths: how large a filter must be, and what a run of hits is worth.

Sizes and rates are derived here and nowhere else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from portrait.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bits and lanes of a block of the split-block Bloom filter.
BLOCK_BITS = 256
BLOCK_BYTES = BLOCK_BITS // 8
LANES = 8
LANE_BITS = BLOCK_BITS // LANES

#: Keys in the sketch of a layer: fewer are counted exactly, more with a standard error of 0.2 %.
SKETCH_KEYS = 1 << 18

#: Up to so many keys a fuse filter is solved by elimination, which takes fewer slots than peeling.
_SOLVED_KEYS = 1 << 18

#: For how many shares of windows that edits leave whole the kernel scores stretches (1/2 and 1/10).
N_SHARES_KEPT = 2


def distinct_keys(smallest: Sequence[int]) -> int:
    """How many different 64-bit keys there are, whose :data:`SKETCH_KEYS` smallest are ``smallest``.

    All of them, where there are fewer. Else the estimate (k − 1)/U of Beyer et al. (*On Synopses for
    Distinct-Value Estimation under Multiset Operations*, 2007), where U is the k-th smallest as a share
    of all keys; it is unbiased, with a relative standard error of 1/√(k − 2).
    """
    if len(smallest) < SKETCH_KEYS:
        return len(smallest)
    return max(SKETCH_KEYS, ((SKETCH_KEYS - 1) << 64) // max(1, smallest[SKETCH_KEYS - 1]))


def keys_to_hold(n_distinct: int) -> int:
    """For how many keys a filter is sized if there are about so many: three standard errors more.

    An estimate too low would overfill it. A number that was counted is enough as it is.
    """
    if n_distinct < SKETCH_KEYS:
        return n_distinct
    return math.ceil(n_distinct * (1 + 3 / math.sqrt(SKETCH_KEYS - 2)))


def bloom_fpr(n_keys: int, n_blocks: int) -> float:
    """The expected false-positive rate of ``n_keys`` distinct keys in ``n_blocks`` blocks.

    A block holds a binomial number j of keys, each of which sets one of 32 bits in each of eight
    lanes; a random key finds all of its eight bits set with probability (1 − (31/32)^j)^8. The
    closed formula of the Parquet specification puts the mean number in j's place and promises too
    low a rate: the crowded blocks give far more false answers than the sparse ones save.
    """
    if n_keys <= 0:
        return 0.0
    if n_blocks == 1:
        return _block_fpr(n_keys)
    mean = n_keys / n_blocks
    # The whole mass lies within a dozen standard deviations of the mean, to double precision.
    reach = 12 * math.sqrt(mean) + 40
    first = max(0, math.floor(mean - reach))
    last = min(n_keys, math.ceil(mean + reach))
    # Weights by recursion from an arbitrary start: dividing by their sum makes them probabilities.
    odds = 1 / (n_blocks - 1)
    weight, total, mass = 1.0, 0.0, 0.0
    for load in range(first, last + 1):
        total += weight * _block_fpr(load)
        mass += weight
        weight *= (n_keys - load) / (load + 1) * odds
    return total / mass


def _block_fpr(n_keys: int) -> float:
    # expm1 and log1p keep the digits that 1 − (1 − 1/32)^j would lose.
    lane_fill = -math.expm1(n_keys * math.log1p(-1 / LANE_BITS))
    return lane_fill**LANES


def bloom_blocks(n_keys: int, fpr: float) -> int:
    """The number of blocks whose expected rate for ``n_keys`` distinct keys is nearest to ``fpr``.

    That is the fewest blocks within ``fpr``, or one fewer: a filter is a whole number of blocks, and
    where one block more or less matters, rounding up alone would make small filters too large. The
    expected rate never exceeds ``fpr`` by more than a twentieth.
    """
    if not 0 < fpr < 1:
        raise SpecError(f"the false-positive rate must lie between 0 and 1, not be {fpr!r}")
    # `low` blocks are too few: 2048 keys leave no bit of a block unset.
    low = n_keys // 2048
    high = low + 1
    while bloom_fpr(n_keys, high) > fpr:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if bloom_fpr(n_keys, middle) > fpr:
            low = middle
        else:
            high = middle
    if high > 1:
        above = bloom_fpr(n_keys, high - 1)
        if above <= 1.05 * fpr and above - fpr < fpr - bloom_fpr(n_keys, high):
            return high - 1
    return high


def pybloom_slices(n_windows: int, fpr: float) -> tuple[int, int]:
    """Slices, and bits in each, of pybloom-live's filter for ``n_windows`` distinct windows at ``fpr``.

    One slice for each halving of the rate; all bits together are n · |ln ε| / (ln 2)². The roundings
    are the package's, operation by operation: another order may end in another bit.
    """
    if not 0 < fpr < 1:
        raise SpecError(f"the false-positive rate must lie between 0 and 1, not be {fpr!r}")
    n_slices = math.ceil(math.log(1 / fpr, 2))
    return n_slices, math.ceil(n_windows * -math.log(fpr) / (n_slices * math.log(2) ** 2))


def fuse_bytes(n_keys: int, n_partitions: int, fingerprint_bits: int) -> int:
    """About how many bytes a binary fuse filter of ``n_keys`` distinct keys takes, its table included.

    The slots are those of the kernel's first attempt: as many as keys and some more, the more the
    fewer keys there are.
    """
    n = max(2.0, n_keys / n_partitions)
    if n <= _SOLVED_KEYS:
        segment = 1 << min(7, max(1, int(math.log2(n * 4 / 5)) // 2))
        n_slots = n + n / 40 + 3 * segment
    else:
        n_slots = n * (1 + 1.168 * n**-0.2125)
    return n_partitions * (math.ceil(n_slots * fingerprint_bits / 64) * 8 + 8 + 64)


def evalue(n_windows: int, n_layers: int, fpr: float, chain: int) -> float:
    """How many chains of at least ``chain`` windows chance alone would show in one text.

    ``n_windows`` are tested in each of ``n_layers`` layers whose false-positive rate is ``fpr``:
    the chance of one given start, ε^k, times the starts there are.
    """
    return n_layers * n_windows * fpr**chain


def stretch_evalue(n_windows: int, n_layers: int, score: float) -> float:
    """At most how many stretches of this score or more chance alone would show in one text.

    From a given first window on, e^score is the gain of a bet on each hit and miss whose expectation is
    nil where every new window hits by chance with probability ε, independently; so it reaches a level
    with a probability of at most its inverse (Ville's inequality), at any of ``n_windows`` first windows
    in ``n_layers`` layers, for each of the shares of windows kept that are tried.
    """
    return N_SHARES_KEPT * n_layers * n_windows * math.exp(-score)


def significant_chain(n_windows: int, n_layers: int, fpr: float, threshold: float) -> int | None:
    """The shortest chain, in windows, whose E-value is at most ``threshold``.

    ``None`` where there is none: a filter that answers yes to everything proves nothing.
    """
    if fpr >= 1:
        return None
    if fpr <= 0 or n_windows == 0:
        return 1
    chain = max(1, math.ceil((math.log(n_layers * n_windows) - math.log(threshold)) / -math.log(fpr)))
    # The logarithms round; the definition is the E-value itself.
    while evalue(n_windows, n_layers, fpr, chain) > threshold:
        chain += 1
    while chain > 1 and evalue(n_windows, n_layers, fpr, chain - 1) <= threshold:
        chain -= 1
    return chain


def detectable_length(width: int, stride: int, chain: int) -> int:
    """Units of the shortest passage certain to hold ``chain`` consecutive stored windows."""
    return width + stride - 1 + (chain - 1) * stride
