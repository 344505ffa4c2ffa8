"""The kernel's own checks of the sizes of a pybloom-live filter."""

from __future__ import annotations

import pytest

from portrait import _native


@pytest.mark.parametrize(
    ("n_slices", "slice_bits", "n_bytes"), [(0, 8, 0), (1, 0, 0), (1025, 8, 1025), (2, 8, 3), (2, 1 << 63, 8)]
)
def test_the_kernel_refuses_inconsistent_sizes(n_slices: int, slice_bits: int, n_bytes: int) -> None:
    with pytest.raises(ValueError, match=f"{slice_bits} bits"):
        _native.Filter.pybloom(bytes(n_bytes), n_slices, slice_bits)


def test_the_builder_refuses_to_allocate_more_than_memory() -> None:
    with pytest.raises(MemoryError, match="not enough memory"):
        _native.PyBloomBits(1, 1 << 62)
