"""The options for windows and filters: presets, and options that override them."""

from __future__ import annotations

import click
import pytest

from portrait.cli.shared.specs import spec_options
from portrait.errors import SpecError
from portrait.presets import PRESETS
from portrait.spec import FilterSpec, Stride, WindowSpec


def parse(*arguments: str) -> tuple[WindowSpec, FilterSpec]:
    """Return what a command with these options receives."""

    @click.command("build")
    @spec_options
    def command(windows: WindowSpec, filter_: FilterSpec) -> tuple[WindowSpec, FilterSpec]:
        return windows, filter_

    specs: tuple[WindowSpec, FilterSpec] = command.main(list(arguments), standalone_mode=False)
    return specs


def test_without_options_the_library_s_defaults_apply() -> None:
    assert parse() == (WindowSpec(), FilterSpec())


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_both_specs(name: str) -> None:
    assert parse("--preset", name) == (PRESETS[name].windows, PRESETS[name].filter)


def test_every_option_sets_a_field() -> None:
    options = ["--width", "7", "--stride", "3", "--unit", "word", "--normalizer", "loose"]
    assert parse(*options, "--filter", "fuse", "--fpr", "0.5") == (
        WindowSpec(7, Stride(3), "word", "loose"),
        FilterSpec("fuse", 0.5),
    )


def test_options_override_the_preset() -> None:
    windows, filter_ = parse("--preset", "gpt3", "--stride", "2", "--fpr", "0.1")
    assert windows == WindowSpec(13, Stride(2), "word", "loose")
    assert filter_ == FilterSpec("bloom", 0.1)


def test_fingerprint_bits_set_the_false_positive_rate() -> None:
    assert parse("--filter", "fuse", "--fingerprint-bits", "9")[1] == FilterSpec("fuse", 2.0**-9)
    with pytest.raises(click.UsageError, match="--fingerprint-bits is for --filter fuse"):
        parse("--fingerprint-bits", "9")


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(SpecError):
        parse("--width", "0")
