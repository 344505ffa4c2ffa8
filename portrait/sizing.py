"""Pure maths: how large a filter must be for a number of keys and a rate.

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

#: The smallest keys by which a build counts all of a layer's: up to this many are counted exactly, more with
#: a standard error of 0.2 %.
SKETCH_KEYS = 1 << 18

#: The largest number of columns of a ribbon filter.
RIBBON_COLUMNS = 32
#: Bytes of a word, which holds a column's bits of a block, and slots of a block.
WORD_BYTES, BLOCK_SLOTS = 8, 64
#: A partition of a ribbon filter has this many blocks or more, and is padded to whole cache lines.
_LEAST_BLOCKS, _LINE_BYTES = 3, 64


def distinct_keys(smallest: Sequence[int]) -> int:
    """Return how many distinct 64-bit keys there are, from the smallest of them.

    Fewer than :data:`SKETCH_KEYS` are all there are. Otherwise the count is the estimate (k − 1)/U of
    Beyer et al. (*On Synopses for Distinct-Value Estimation under Multiset Operations*, 2007), where U
    is the k-th smallest key as a share of the key space; it is unbiased, with a relative standard error
    of 1/√(k − 2).

    Args:
        smallest: The :data:`SKETCH_KEYS` smallest distinct keys in ascending order, or all of them.
    """
    if len(smallest) < SKETCH_KEYS:
        return len(smallest)
    return max(SKETCH_KEYS, ((SKETCH_KEYS - 1) << 64) // max(1, smallest[SKETCH_KEYS - 1]))


def keys_to_hold(n_distinct: int) -> int:
    """Return for how many keys to size a filter: an estimate plus three standard errors.

    An estimate that is too low would overfill the filter. A number that was counted needs no margin.

    Args:
        n_distinct: The number that :func:`distinct_keys` gave.
    """
    if n_distinct < SKETCH_KEYS:
        return n_distinct
    return math.ceil(n_distinct * (1 + 3 / math.sqrt(SKETCH_KEYS - 2)))


def bloom_fpr(n_keys: int, n_blocks: int) -> float:
    """Return the expected false-positive rate of a split-block Bloom filter.

    A block holds a binomial number j of keys, each of which sets one of 32 bits in each of eight
    lanes; a random key finds all of its eight bits set with probability (1 − (31/32)^j)^8. The closed
    formula of the Parquet specification replaces j by its mean and promises too low a rate: crowded
    blocks give far more false answers than sparse ones save.

    Args:
        n_keys: Distinct keys in the filter.
        n_blocks: Blocks of :data:`BLOCK_BITS` bits.
    """
    if n_blocks == 1:
        return _block_fpr(n_keys)
    mean = n_keys / n_blocks
    # To double precision, the whole mass lies within a dozen standard deviations of the mean.
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
    """Return the number of blocks whose expected rate is nearest to a target.

    This is the fewest blocks within the target, or one fewer: where a single block matters, always
    rounding up would make small filters too large. The expected rate exceeds the target by at most 5 %
    of it.

    Args:
        n_keys: Distinct keys in the filter.
        fpr: The target false-positive rate, a share.

    Raises:
        SpecError: The rate does not lie between 0 and 1.
    """
    _require_rate(fpr)
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
    """Return the number of slices, and of bits in each, of pybloom-live's filter.

    There is one slice for each halving of the rate; all bits together are n · |ln ε| / (ln 2)². The
    roundings are the package's, operation by operation: another order may end in another bit.

    Args:
        n_windows: Distinct windows in the filter.
        fpr: The target false-positive rate, a share.

    Raises:
        SpecError: The rate does not lie between 0 and 1.
    """
    _require_rate(fpr)
    n_slices = math.ceil(math.log(1 / fpr, 2))
    return n_slices, math.ceil(n_windows * -math.log(fpr) / (n_slices * math.log(2) ** 2))


def ribbon_partition_bytes(n_blocks: int, n_columns: int) -> int:
    """Return how many bytes the columns of a partition of a ribbon filter take.

    Args:
        n_blocks: Blocks of :data:`BLOCK_SLOTS` slots.
        n_columns: Columns of the filter.
    """
    return -(-n_blocks * n_columns * WORD_BYTES // _LINE_BYTES) * _LINE_BYTES


def ribbon_bytes(n_keys: int, n_partitions: int, n_columns: int) -> int:
    """Return about how many bytes a ribbon filter takes, its table of partitions included.

    A partition is as large as its n keys need, so that at most L = 114 − ``n_columns`` of them ever wait for
    a slot. For random keys that takes about 1.35 · n/L · ln(1 + 1.1 · n/L²) slots more than keys, fitted to
    partitions of up to 65,536 keys, and half a block at the end.

    Args:
        n_keys: Distinct keys in the filter.
        n_partitions: Partitions of the filter.
        n_columns: Columns of the filter.
    """
    n = n_keys / n_partitions
    most_waiting = 114 - n_columns
    more = 1.35 * n / most_waiting * math.log1p(1.1 * n / most_waiting**2)
    n_blocks = max(_LEAST_BLOCKS, math.ceil((n + 38 + more) / BLOCK_SLOTS))
    return n_partitions * (ribbon_partition_bytes(n_blocks, n_columns) + WORD_BYTES)


def _require_rate(fpr: float) -> None:
    if not 0 < fpr < 1:
        raise SpecError(f"the false-positive rate must lie between 0 and 1, not be {fpr!r}")
