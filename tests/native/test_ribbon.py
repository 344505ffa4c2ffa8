"""The kernel's own checks of the arguments of a ribbon filter."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from portrait import _native

if TYPE_CHECKING:
    from typing_extensions import Buffer

KEYS = struct.pack("<5Q", *range(5))


def test_the_kernel_refuses_arguments_out_of_range() -> None:
    for n_columns, n_partitions in ((0, 1), (33, 1), (8, 0)):
        with pytest.raises(ValueError, match="out of range"):
            _native.build_ribbon(KEYS, n_columns, n_partitions)
    for first, after in ((0, 4), (2, 2), (3, 2), (4, None)):
        with pytest.raises(ValueError, match="out of range"):
            _native.build_ribbon(KEYS, 8, 3, first, after)


def test_the_kernel_refuses_keys_that_are_not_sorted_and_unique() -> None:
    for keys in (KEYS[::-1], KEYS[:8] * 2):
        with pytest.raises(ValueError, match="not in ascending order without duplicates"):
            _native.build_ribbon(keys, 8, 1)


def test_the_kernel_refuses_shards_that_contradict_themselves() -> None:
    columns, table = _native.build_ribbon(KEYS, 8, 1)
    data = bytes(columns)
    broken: tuple[tuple[list[tuple[Buffer, Buffer]], str], ...] = (
        ([], "there are no partitions"),
        ([(data, b"")], "the table describes 0 bytes of columns, but there are 192"),
        ([(data, bytes(7))], "the table has 7 bytes after its last whole number"),
        ([(data, struct.pack("<Q", 2))], "partition 0 cannot have 2 blocks"),
        ([(data, struct.pack("<Q", 1 << 32))], "partition 0 cannot have 4294967296 blocks"),
        ([(data, struct.pack("<Q", 4))], "the columns of partition 0 end after the 192 bytes of columns"),
        ([(data + bytes(64), table)], "the table describes 192 bytes of columns, but there are 256"),
    )
    for shards, what in broken:
        with pytest.raises(ValueError, match=what):
            _native.Filter.ribbon(shards, 8)
    with pytest.raises(ValueError, match="a filter has 1 to 32 columns, not 33"):
        _native.Filter.ribbon([(columns, table)], 33)


def test_filters_of_other_kinds_have_one_rate() -> None:
    bloom = _native.Filter.bloom([b"\x0f" * 64])
    assert bloom.sampled_rate() == bloom.rate() == 0.5**8
