"""Probing a finished filter with random keys."""

from __future__ import annotations

import random

import pytest

from portrait.errors import PortraitError
from portrait.filters import pybloom
from portrait.filters.bloom import Bloom, BloomBuilder
from portrait.filters.probe import (
    N_TEST_VECTORS,
    PROBE_KEYS,
    PROBE_WINDOWS,
    SAMPLE_PAGE_BYTES,
    SAMPLED_ABOVE_BYTES,
    Probe,
    contradicts,
    hex_keys,
    probe_filter,
    sample_starts,
    windows_of,
)

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


def test_hits_may_differ_from_the_promise_by_six_deviations_and_three() -> None:
    # 10,000 keys at 1 %: 100 expected, with a deviation of √99, so up to 162 are chance.
    def ask(n_hits: int) -> Probe:
        return probe_filter(
            "main", lambda keys: b"\x01" * n_hits + bytes(len(keys) // 8 - n_hits), 0.01, 10_000
        )

    assert [ask(n).n_hits for n in (38, 100, 162)] == [38, 100, 162]
    for n in (37, 163):
        with pytest.raises(PortraitError, match="the filter is broken"):
            ask(n)


def test_an_empty_or_full_filter_may_show_three_chance_answers() -> None:
    assert probe_filter("main", lambda _: b"\x01" * 3 + bytes(97), 0.0, 100).n_hits == 3
    with pytest.raises(PortraitError, match="the filter is broken"):
        probe_filter("main", lambda _: b"\x01" * 4 + bytes(96), 0.0, 100)


def test_absent_keys_are_looked_for_among_the_first_4096() -> None:
    def ask(first_absent: int) -> Probe:
        hits = b"\x01" * first_absent + bytes(1) + b"\x01" * (8192 - first_absent - 1)
        return probe_filter("main", lambda _: hits, 1.0, 8192)

    assert [len(ask(i).absent) for i in (0, 1, 4095, 4096)] == [1, 1, 1, 0]


def test_filters_are_asked_a_million_keys_or_a_hundred_thousand_windows() -> None:
    assert (PROBE_KEYS, PROBE_WINDOWS) == (1_048_576, 131_072)


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


@pytest.mark.parametrize("n_buffers", [1, 3])
def test_the_rate_of_a_large_filter_is_read_off_a_sample(n_buffers: int) -> None:
    n_blocks = 3 * (SAMPLED_ABOVE_BYTES // 96 + 1000)
    part = random.Random(2).randbytes(32 * n_blocks // 3)
    parts = [bytes(part) if n_buffers == 3 else part * 3] * n_buffers
    bloom = Bloom(*parts)
    assert bloom.sampled_rate() != bloom.rate()
    assert bloom.sampled_rate() == pytest.approx(bloom.rate(), rel=0.02)
    assert not contradicts(bloom.rate(), bloom.sampled_rate())
    header = pybloom.Header(0.001, 10, 8 * len(part) * 3 // 10, 1, 1)
    filter_ = pybloom.PyBloom(header, memoryview(part * 3)[: header.n_bytes])
    assert filter_.sampled_rate() != filter_.rate()
    assert not contradicts(filter_.rate(), filter_.sampled_rate())


def test_the_tolerance_is_a_tenth_and_what_never_matters() -> None:
    assert not contradicts(0.01, 0.0109)
    assert contradicts(0.01, 0.0112)
    assert contradicts(0.01, 0.0088)
    assert not contradicts(0.0, 1e-10)
    assert contradicts(0.0, 1e-8)


def test_a_sample_is_4096_pages_evenly_spread_over_filters_above_64_mib() -> None:
    assert sample_starts(64 << 20) == []
    for n_bytes in ((64 << 20) + 1, 100_000_001, 10**12):
        starts = sample_starts(n_bytes)
        assert len(starts) == 4096
        assert all(at % 4096 == 0 for at in starts)
        assert starts[0] == 0
        assert all(at == pytest.approx(i * n_bytes / 4096, abs=2 * 4096) for i, at in enumerate(starts))
        assert starts[-1] + SAMPLE_PAGE_BYTES <= n_bytes
    assert SAMPLE_PAGE_BYTES == 4096
