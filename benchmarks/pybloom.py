"""Filters of pybloom-live in Portrait and in the package itself: same windows, same bits, one core."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from common import best_seconds, report, stdlib_texts
from pyarrow import array, string
from pybloom_live import BloomFilter

from portrait import _native
from portrait.portraits import pybloom
from portrait.sizing import pybloom_slices

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 50
N_WINDOWS = 200_000


def cut_windows() -> tuple[list[str], list[str]]:
    """Return distinct windows to store, and as many others."""
    text = "".join(data.decode() for data in stdlib_texts(24_000_000))
    windows = list(dict.fromkeys(text[i : i + WIDTH] for i in range(0, len(text) - WIDTH, WIDTH)))
    assert len(windows) >= 2 * N_WINDOWS
    return windows[:N_WINDOWS], windows[N_WINDOWS : 2 * N_WINDOWS]


def with_package(windows: list[str], fpr: float) -> BloomFilter:
    bloom = BloomFilter(N_WINDOWS, fpr)
    for window in windows:
        bloom.add(window, skip_check=True)
    return bloom


def with_kernel(windows: Any, fpr: float) -> _native.PyBloomBits:
    bits = _native.PyBloomBits(*pybloom_slices(N_WINDOWS, fpr))
    validity, offsets, data = windows.buffers()
    bits.add_batch(
        _native.Windows("none", "char", WIDTH, "stride", WIDTH), offsets, 4, data, validity, 0, N_WINDOWS
    )
    return bits


def look_up(bloom: BloomFilter, windows: list[str]) -> list[bool]:
    return [window in bloom for window in windows]


def compare(what: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    here, there = (best_seconds(work, runs=5) / N_WINDOWS * 1e9 for work in (ours, theirs))
    report(what, f"{here:.0f} ns", ">= 5 x", f"{there / here:.0f} x the package's {there:.0f} ns a window")


if __name__ == "__main__":
    stored, others = cut_windows()
    column = array(stored, string())
    for fpr in (0.01, 0.001):
        what = f"pybloom filter at {fpr:.1%}"
        bloom = with_package(stored, fpr)
        assert bytes(with_kernel(column, fpr)) == bloom.bitarray.tobytes()
        compare(f"{what}, insert", partial(with_kernel, column, fpr), partial(with_package, stored, fpr))
        copy = pybloom.from_pybloom(bloom)
        for name, windows in (("stored", stored), ("other", others)):
            assert copy.contains_windows(windows) == bytes(look_up(bloom, windows))
            compare(
                f"{what}, look-up, {name}",
                partial(copy.contains_windows, windows),
                partial(look_up, bloom, windows),
            )
