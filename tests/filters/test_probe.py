"""Probing a finished filter with random keys."""

from __future__ import annotations

import random

import pytest

from portrait.errors import PortraitError
from portrait.filters.bloom import BloomBuilder
from portrait.filters.probe import N_TEST_VECTORS, hex_keys, probe_filter, windows_of

N_KEYS = 1 << 16


def test_the_rate_is_confirmed_and_absent_keys_are_recorded() -> None:
    builder = BloomBuilder(1000)
    builder.insert(random.Random(1).randbytes(8 * 20_000))
    bloom = builder.finish()
    probe = probe_filter("main", bloom.contains, bloom.rate(), N_KEYS)
    assert (probe.fpr, probe.n_keys) == (bloom.rate(), N_KEYS)
    assert probe.n_hits == pytest.approx(N_KEYS * bloom.rate(), rel=0.2)
    assert len(probe.absent) == N_TEST_VECTORS
    keys = b"".join(int(key, 16).to_bytes(8, "little") for key in probe.absent)
    assert bloom.contains(keys) == bytes(N_TEST_VECTORS)
    assert probe_filter("main", bloom.contains, bloom.rate(), N_KEYS) == probe
    assert probe_filter("other", bloom.contains, bloom.rate(), N_KEYS).absent != probe.absent


def test_a_full_filter_has_no_absent_keys() -> None:
    probe = probe_filter("main", lambda keys: b"\x01" * (len(keys) // 8), 1.0, N_KEYS)
    assert (probe.n_hits, probe.absent) == (N_KEYS, ())


@pytest.mark.parametrize("answer", [b"\x00", b"\x01"])
def test_a_filter_whose_rate_is_not_the_promised_one_is_an_error(answer: bytes) -> None:
    with pytest.raises(PortraitError, match=r"source 'main': .* of 65,536 random keys, .* promise 655: "):
        probe_filter("main", lambda keys: answer * (len(keys) // 8), 0.01, N_KEYS)


def test_keys_are_written_as_16_hexadecimal_digits() -> None:
    assert hex_keys(bytes([1, *[0] * 7, *[255] * 8])) == ("0" * 15 + "1", "f" * 16)
    assert hex_keys(b"") == ()


class Recorder:
    """An empty filter of windows that records what is looked up in it."""

    def __init__(self) -> None:
        self.windows: list[str] = []

    def contains_windows(self, windows: list[str]) -> bytes:
        self.windows += windows
        return bytes(len(windows))


def test_a_filter_of_windows_is_probed_with_the_keys_digits() -> None:
    recorder = Recorder()
    contains = windows_of(recorder)  # type: ignore[arg-type]  # only this method is called
    assert contains(bytes(16)) == b"\x00\x00"
    assert recorder.windows == ["0" * 16, "0" * 16]
