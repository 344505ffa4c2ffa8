"""The options that say how texts are cut and recorded."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from portrait.presets import PRESETS, preset
from portrait.spec import (
    FILTER_KINDS,
    NORMALIZERS,
    UNITS,
    Minimizer,
    Sampling,
    Stride,
    WindowSpec,
    default_sampling,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIONS = [
    click.option(
        "--preset",
        "preset_",
        type=click.Choice(list(PRESETS)),
        default="default",
        show_default=True,
        help="Sets several of the options below; those given as well take precedence.",
    ),
    click.option("--width", type=int, help="Units in a window.  [default: 50]"),
    click.option(
        "--span",
        type=int,
        help="The text itself chooses windows, at least one of so many in a row.  [default: 42; the "
        "width less 8 characters or bytes, or 2 words]",
    ),
    click.option(
        "--stride", type=int, help="In place of --span: windows so many units apart, whatever the text."
    ),
    click.option("--unit", type=click.Choice(UNITS), help="What windows are counted in.  [default: char]"),
    click.option(
        "--normalizer",
        type=click.Choice(NORMALIZERS),
        help="What every text goes through first; spaces: Unicode NFC, and any run of white space is one "
        "space; loose: also folds case and compatibility forms, and whatever separates letters and digits is "
        "one space.  [default: spaces]",
    ),
    click.option(
        "--filter",
        "filter_",
        type=click.Choice(FILTER_KINDS),
        help="What records the windows; ribbon is the smallest, for publishing; bloom is built fastest.  "
        "[default: bloom]",
    ),
    click.option(
        "--fpr",
        metavar="RATE",
        callback=lambda _context, _parameter, text: None if text is None else parse_rate(text),
        help="False-positive rate per window, such as 0.001 or 1/128.  [default: 0.01; of ribbon 1/128]",
    ),
]


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of windows and filters; the command gets the specs, ``windows`` and ``filter_``."""

    @wraps(command)
    def wrapped(
        *arguments: Any,
        preset_: str,
        width: int | None,
        span: int | None,
        stride: int | None,
        unit: Any,
        normalizer: Any,
        filter_: Any,
        fpr: float | None,
        **options: Any,
    ) -> Any:
        chosen = preset(preset_)
        windows: dict[str, Any] = {"width": width, "unit": unit, "normalizer": normalizer}
        windows["sampling"] = sampling(span, stride)
        recorded = chosen.filter if filter_ is None else chosen.filter.of_kind(filter_)
        return command(
            *arguments,
            windows=_changed(chosen.windows, _given(windows)),
            filter_=recorded if fpr is None else replace(recorded, fpr=fpr),
            **options,
        )

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def parse_rate(text: str) -> float:
    """Return a rate written as a number or as a fraction.

    Raises:
        click.BadParameter: The text is neither.
    """
    numerator, slash, denominator = text.partition("/")
    try:
        return float(numerator) / float(denominator) if slash else float(numerator)
    except (ValueError, ZeroDivisionError) as error:
        raise click.BadParameter(f"{text!r} is not a rate, such as 0.01 or 1/128") from error


def sampling(span: int | None, stride: int | None) -> Sampling | None:
    """Return the sampling that options name, if they name one.

    Raises:
        click.UsageError: They name two.
    """
    if span is not None and stride is not None:
        raise click.UsageError("--span and --stride exclude each other: give one of them")
    return Minimizer(span) if span is not None else None if stride is None else Stride(stride)


def _changed(windows: WindowSpec, changes: dict[str, Any]) -> WindowSpec:
    """Return windows with changes; the default span follows the width and the unit."""
    if windows.sampling == default_sampling(windows.width, windows.unit):
        changes = {"sampling": None, **changes}
    return replace(windows, **changes)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
