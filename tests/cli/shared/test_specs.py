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
    assert parse(*options, "--filter", "ribbon", "--fpr", "0.5") == (
        WindowSpec(7, Stride(3), "word", "loose"),
        FilterSpec("ribbon", 0.5),
    )


def test_options_override_the_preset() -> None:
    windows, filter_ = parse("--preset", "gpt3", "--stride", "2", "--fpr", "0.1")
    assert windows == WindowSpec(13, Stride(2), "word", "loose")
    assert filter_ == FilterSpec("bloom", 0.1)


def test_the_default_rate_depends_on_the_filter() -> None:
    assert parse("--filter", "ribbon")[1] == FilterSpec("ribbon", 1 / 128)
    # A preset's own rate stays.
    assert parse("--preset", "paper", "--filter", "ribbon")[1] == FilterSpec("ribbon", 0.001)
    assert parse("--preset", "gpt3", "--filter", "ribbon")[1] == FilterSpec("ribbon", 1 / 128)


@pytest.mark.parametrize(
    ("text", "rate"), [("1/128", 1 / 128), ("0.02", 0.02), ("3e-3", 0.003), ("1 / 4", 0.25)]
)
def test_a_rate_is_a_number_or_a_fraction(text: str, rate: float) -> None:
    assert parse("--fpr", text)[1].fpr == rate


@pytest.mark.parametrize("text", ["", "1/0", "1/", "/2", "1/2/3", "half"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match=r"is not a rate, such as 0\.01 or 1/128"):
        parse("--fpr", text)


def test_a_value_out_of_range_is_refused() -> None:
    for option in (("--width", "0"), ("--fpr", "nan"), ("--fpr", "2/1")):
        with pytest.raises(SpecError):
            parse(*option)
