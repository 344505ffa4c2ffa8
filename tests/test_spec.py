"""Specs of windows and filters: defaults, ranges, and errors that name the value."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples

import portrait
from portrait.spec import MAX_UNITS, NORMALIZER_VERSIONS, NORMALIZERS, UNITS, require_source_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BAD_COUNTS = [0, -1, MAX_UNITS + 1, 2**70, 1.0, 50.5, math.nan, "50", None, True]
BAD_FPRS = [0, 0.0, 1, 1.0, -0.01, 2, 1e-13, 5e-324, math.nan, math.inf, -math.inf, "0.01", True, False]
BAD_NAMES = ["", " ", "\t", "\u3000", "a" * 101, "two\nlines", "nul\0", "\u202e", "\ud800"]


def test_the_defaults_are_the_documented_ones() -> None:
    assert portrait.WindowSpec() == portrait.WindowSpec(50, portrait.Minimizer(42), "char", "spaces")
    assert (portrait.Minimizer(), portrait.Stride()) == (portrait.Minimizer(42), portrait.Stride(25))
    assert portrait.FilterSpec() == portrait.FilterSpec("bloom", 0.01)


def test_a_spec_has_a_span_or_a_stride() -> None:
    by_content = portrait.WindowSpec(50, portrait.Minimizer(40))
    assert (by_content.span, by_content.stride) == (40, None)
    by_position = portrait.WindowSpec(50, portrait.Stride(5))
    assert (by_position.span, by_position.stride) == (None, 5)


@pytest.mark.parametrize(
    ("width", "unit", "span"),
    [
        *((50, "char", 42), (50, "byte", 42), (13, "word", 11), (100, "char", 92), (9, "byte", 1)),
        *((8, "char", 1), (2, "word", 1), (1_000_000, "char", 999_992)),
    ],
)
def test_the_span_follows_from_the_width_if_it_is_not_given(width: int, unit: Any, span: int) -> None:
    assert portrait.WindowSpec(width, unit=unit).sampling == portrait.Minimizer(span)


@pytest.mark.parametrize("value", BAD_COUNTS, ids=repr)
def test_a_width_span_or_stride_out_of_range_is_named_with_its_value(value: Any) -> None:
    makers: dict[str, Callable[[], object]] = {
        "width": lambda: portrait.WindowSpec(width=value),
        "span": lambda: portrait.Minimizer(value),
        "stride": lambda: portrait.Stride(value),
    }
    for field, make in makers.items():
        with pytest.raises(portrait.SpecError) as caught:
            make()
        message = str(caught.value)
        assert message.startswith(f"{field} must be a whole number from 1 to {MAX_UNITS:,}")
        assert message.endswith(repr(value))


@pytest.mark.parametrize(("unit", "least"), [("char", 8), ("byte", 8), ("word", 2)])
def test_sampled_windows_have_room_for_a_group(unit: Any, least: int) -> None:
    assert portrait.WindowSpec(least, unit=unit).width == least
    with pytest.raises(portrait.SpecError, match=f"at least {least} "):
        portrait.WindowSpec(least - 1, unit=unit)
    with pytest.raises(portrait.SpecError, match=f"at least {least} "):
        portrait.WindowSpec(least - 1, portrait.Minimizer(3), unit)
    assert portrait.WindowSpec(least - 1, portrait.Stride(3), unit).width == least - 1


@pytest.mark.parametrize("value", [25, "minimizer", ()], ids=repr)
def test_a_sampling_is_a_minimizer_or_a_stride(value: Any) -> None:
    with pytest.raises(portrait.SpecError, match="sampling"):
        portrait.WindowSpec(50, value)


@settings(max_examples=200, deadline=None)
@given(samples.specs(max_width=60, max_gap=80), st.integers(0, 5000), st.integers(1, 9))
def test_lengths_and_numbers_of_windows_are_those_of_the_definition(
    spec: portrait.WindowSpec, n_units: int, n_windows: int
) -> None:
    plain = samples.plain(spec)
    assert spec.sampling.gap == plain.gap
    assert spec.guaranteed_length == oracle.detectable_length(plain, 1)
    assert spec.length_holding(n_windows) == oracle.detectable_length(plain, n_windows)
    assert spec.typical_windows(n_units) == oracle.typical_windows(plain, n_units)
    if spec.sampling.name == "minimizer":
        assert spec.density == pytest.approx(oracle.typical_windows(plain, 10**12) / 10**12, rel=1e-9)


@pytest.mark.parametrize(
    ("field", "choices"), [("unit", ["char", "byte", "word"]), ("normalizer", ["none", "spaces", "loose"])]
)
@pytest.mark.parametrize("value", ["", "Char", "SPACES", "nfc", None, 1, ["char"]], ids=repr)
def test_an_unknown_unit_or_normalizer_is_named_with_the_choices(
    field: str, choices: list[str], value: Any
) -> None:
    with pytest.raises(portrait.SpecError) as caught:
        portrait.WindowSpec(**{field: value})
    message = str(caught.value)
    assert message.startswith(f"unknown {field} {value!r}: ")
    assert all(choice in message for choice in choices)


@pytest.mark.parametrize("value", BAD_FPRS, ids=repr)
def test_a_rate_out_of_range_is_named_with_its_value(value: Any) -> None:
    with pytest.raises(portrait.SpecError) as caught:
        portrait.FilterSpec(fpr=value)
    message = str(caught.value)
    if value in (1e-13, 5e-324):
        assert message == f"the false-positive rate must be at least 1e-12, not {value!r}"
    else:
        assert message == f"the false-positive rate must lie between 0 and 1, not be {value!r}"


@pytest.mark.parametrize("value", ["", "Bloom", "cuckoo", None], ids=repr)
def test_an_unknown_filter_is_named_with_the_choices(value: Any) -> None:
    with pytest.raises(portrait.SpecError, match=f"unknown filter {value!r}: choose one of bloom"):
        portrait.FilterSpec(kind=value)


@pytest.mark.parametrize("value", BAD_NAMES, ids=repr)
def test_a_source_name_that_cannot_be_printed_is_refused(value: str) -> None:
    with pytest.raises(portrait.SpecError) as caught:
        require_source_name(value)
    assert str(caught.value) == f"a source's name is 1 to 100 printable characters, not {value!r}"


@pytest.mark.parametrize("value", ["a", "arXiv 2024", "维基百科", "a" * 100, "a/b"])
def test_a_printable_source_name_is_accepted(value: str) -> None:
    assert require_source_name(value) == value


def test_ranges_include_their_ends() -> None:
    for value in (1, MAX_UNITS):
        spec = portrait.WindowSpec(width=value, sampling=portrait.Stride(value))
        assert spec.guaranteed_length == 2 * value - 1
        assert portrait.WindowSpec(50, portrait.Minimizer(value)).guaranteed_length == 49 + value
    for fpr in (1e-12, 0.5, math.nextafter(1, 0)):
        assert portrait.FilterSpec(fpr=fpr).fpr == fpr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"column": ""}, "column's name is empty"),
        ({"format": "pdf"}, "unknown format 'pdf': choose one of auto, txt, jsonl, parquet"),
    ],
)
def test_a_build_with_a_parameter_out_of_range_leaves_nothing_behind(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("some text")
    with pytest.raises(portrait.SpecError, match=message):
        portrait.build(corpus, tmp_path / "out.portrait", **options)
    assert list(tmp_path.iterdir()) == [corpus]


def test_a_spec_error_is_a_value_error_and_for_the_service_a_client_error() -> None:
    assert issubclass(portrait.SpecError, portrait.PortraitError)
    assert issubclass(portrait.SpecError, ValueError)
    assert (portrait.SpecError.exit_code, portrait.SpecError.http_status) == (2, 400)


@pytest.mark.parametrize(
    "spec",
    [portrait.WindowSpec(), portrait.Minimizer(), portrait.Stride(), portrait.FilterSpec()],
    ids=repr,
)
def test_specs_are_immutable_values(spec: Any) -> None:
    field = dataclasses.fields(spec)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(spec, field, 1)
    assert spec == dataclasses.replace(spec)
    assert hash(spec) == hash(dataclasses.replace(spec))
    assert portrait.WindowSpec(50, portrait.Stride(24)) != portrait.WindowSpec(50, portrait.Stride(25))
    assert portrait.WindowSpec(50, portrait.Stride(42)) != portrait.WindowSpec(50, portrait.Minimizer(42))


def test_every_normaliser_has_the_version_that_the_format_defines() -> None:
    assert dict.fromkeys(NORMALIZERS, 1) == NORMALIZER_VERSIONS


def test_a_ribbon_filter_has_at_most_32_columns() -> None:
    assert portrait.FilterSpec("ribbon", 2.0**-32).fpr == 2.0**-32
    with pytest.raises(portrait.SpecError, match=r"at least 2\^-32"):
        portrait.FilterSpec("ribbon", 2.0**-32 * (1 - 1e-9))
    assert portrait.FilterSpec("bloom", 1e-12).fpr == 1e-12


def test_the_default_rate_depends_on_the_kind_of_filter() -> None:
    assert portrait.FilterSpec() == portrait.FilterSpec("bloom", 0.01)
    assert portrait.FilterSpec("pybloom").fpr == 0.01
    assert portrait.FilterSpec("ribbon") == portrait.FilterSpec("ribbon", 1 / 128)


def test_a_spec_of_another_kind_keeps_a_rate_that_was_chosen() -> None:
    assert portrait.FilterSpec().of_kind("ribbon") == portrait.FilterSpec("ribbon", 1 / 128)
    assert portrait.FilterSpec("ribbon").of_kind("bloom") == portrait.FilterSpec("bloom", 0.01)
    assert portrait.FilterSpec(fpr=0.001).of_kind("ribbon") == portrait.FilterSpec("ribbon", 0.001)
    with pytest.raises(portrait.SpecError, match=r"at least 2\^-32"):
        portrait.FilterSpec(fpr=1e-12).of_kind("ribbon")


def test_a_window_has_at_most_a_million_units() -> None:
    assert portrait.WindowSpec(width=1_000_000, sampling=portrait.Stride(1_000_000)).width == 1_000_000
    for make in (portrait.WindowSpec, portrait.Minimizer, portrait.Stride):
        with pytest.raises(portrait.SpecError, match=r"(width|span|stride) must be .* from 1 to 1,000,000"):
            make(1_000_001)


@pytest.mark.parametrize(
    ("unit", "normalizer", "counting"),
    [
        ("char", "none", "characters"),
        ("char", "spaces", "characters, runs of white space counted as one"),
        ("char", "loose", "characters, folded, runs of punctuation and white space counted as one"),
        ("char", "data-portraits", "characters, white space counted as the original Data Portraits does"),
        ("byte", "none", "bytes of UTF-8"),
        ("byte", "spaces", "bytes of UTF-8, runs of white space counted as one"),
        ("word", "spaces", "words"),
        ("word", "loose", "words separated by punctuation or white space"),
    ],
)
def test_a_length_says_what_it_counts(unit: Any, normalizer: Any, counting: str) -> None:
    spec = portrait.WindowSpec(unit=unit, normalizer=normalizer)
    assert spec.counting == counting
    name, _, manner = spec.length(1234, "or more").partition(" or more")
    assert name == f"1,234 {spec.unit_name}"
    assert counting.startswith(spec.unit_name)
    rest = counting.removeprefix(spec.unit_name).lstrip(", ")
    assert manner == (f" ({rest})" if rest else "")
    assert spec.length(1).startswith(f"1 {spec.unit_name[:-1]}")


def test_every_unit_and_normaliser_has_a_phrase() -> None:
    for unit in UNITS:
        for normalizer in NORMALIZERS:
            spec = portrait.WindowSpec(13, portrait.Stride(1), unit, normalizer)  # type: ignore[arg-type]
            assert spec.counting.startswith(spec.unit_name)
            assert spec.window == f"13 {spec.unit_name}"
