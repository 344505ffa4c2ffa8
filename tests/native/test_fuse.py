"""The kernel's own checks of the arguments of a binary fuse filter."""

from __future__ import annotations

import struct

import pytest

from portrait import _native


def test_the_kernel_refuses_arguments_out_of_range() -> None:
    for bits, n_partitions in ((0, 1), (33, 1), (8, 0), (8, 3)):
        with pytest.raises(ValueError, match="out of range"):
            _native.build_fuse(struct.pack("<5Q", *range(5)), bits, n_partitions)
