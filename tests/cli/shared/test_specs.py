"""The options of windows and filters: presets, and what is given as well."""

from __future__ import annotations

import click
import pytest

from portrait.cli.shared.specs import spec_options
from portrait.errors import SpecError
from portrait.presets import PRESETS
from portrait.spec import FilterSpec, WindowSpec


def parsed(*arguments: str) -> tuple[WindowSpec, FilterSpec]:
    @click.command("build")
    @spec_options
    def command(windows: WindowSpec, filter_: FilterSpec) -> tuple[WindowSpec, FilterSpec]:
        return windows, filter_

    specs: tuple[WindowSpec, FilterSpec] = command.main(list(arguments), standalone_mode=False)
    return specs


def test_nothing_given_is_the_library_s_default() -> None:
    assert parsed() == (WindowSpec(), FilterSpec())


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_specs(name: str) -> None:
    assert parsed("--preset", name) == (PRESETS[name].windows, PRESETS[name].filter)


def test_every_option_is_a_field() -> None:
    given = ["--width", "7", "--stride", "3", "--unit", "word", "--normalizer", "loose"]
    assert parsed(*given, "--filter", "fuse", "--fpr", "0.5") == (
        WindowSpec(7, 3, "word", "loose"),
        FilterSpec("fuse", 0.5),
    )


def test_what_is_given_as_well_takes_precedence() -> None:
    windows, filter_ = parsed("--preset", "gpt3", "--stride", "2", "--fpr", "0.1")
    assert windows == WindowSpec(13, 2, "word", "loose")
    assert filter_ == FilterSpec("bloom", 0.1)


def test_bits_of_a_fingerprint_are_a_rate() -> None:
    assert parsed("--filter", "fuse", "--fingerprint-bits", "9")[1] == FilterSpec("fuse", 2.0**-9)
    with pytest.raises(click.UsageError, match="--fingerprint-bits is for --filter fuse"):
        parsed("--fingerprint-bits", "9")


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(SpecError):
        parsed("--width", "0")
