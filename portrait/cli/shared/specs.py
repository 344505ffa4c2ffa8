"""The options that say how texts are cut and recorded."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from portrait.presets import PRESETS, preset
from portrait.spec import FILTER_KINDS, NORMALIZERS, UNITS

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
    click.option("--stride", type=int, help="Units between stored windows.  [default: 25]"),
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
        help="What records the windows; fuse is smaller, bloom is faster to build.  [default: bloom]",
    ),
    click.option("--fpr", type=float, help="False-positive rate per window.  [default: 0.01]"),
    click.option(
        "--fingerprint-bits",
        type=click.IntRange(1, 32),
        help="In place of --fpr, for a fuse filter: the rate is 2^-bits.",
    ),
]


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of windows and filters; the command gets the specs, ``windows`` and ``filter_``."""

    @wraps(command)
    def wrapped(
        *arguments: Any,
        preset_: str,
        width: int | None,
        stride: int | None,
        unit: Any,
        normalizer: Any,
        filter_: Any,
        fpr: float | None,
        fingerprint_bits: int | None,
        **options: Any,
    ) -> Any:
        if fingerprint_bits is not None:
            if filter_ != "fuse":
                raise click.UsageError("--fingerprint-bits is for --filter fuse")
            fpr = 2.0**-fingerprint_bits
        chosen = preset(preset_)
        windows = {"width": width, "stride": stride, "unit": unit, "normalizer": normalizer}
        recorded = {"kind": filter_, "fpr": fpr}
        return command(
            *arguments,
            windows=replace(chosen.windows, **_given(windows)),
            filter_=replace(chosen.filter, **_given(recorded)),
            **options,
        )

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
