"""The options that say how texts are cut and recorded, as several commands have them."""

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
        "preset_name",
        type=click.Choice(list(PRESETS)),
        default="default",
        show_default=True,
        help="Several of the options below at once; each that is given as well counts for itself.",
    ),
    click.option("--width", type=int, help="Units in a window.  [default: 50]"),
    click.option("--stride", type=int, help="Units between stored windows.  [default: 25]"),
    click.option("--unit", type=click.Choice(UNITS), help="What windows are counted in.  [default: char]"),
    click.option(
        "--normalizer",
        type=click.Choice(NORMALIZERS),
        help="What is done to a text first; spaces: Unicode NFC, and any white space is one space; loose: "
        "case and compatibility forms, too, are folded, and anything between letters and digits is one "
        "space.  [default: spaces]",
    ),
    click.option(
        "--filter",
        "kind",
        type=click.Choice(FILTER_KINDS),
        help="What remembers the windows; fuse is smaller, bloom is built faster.  [default: bloom]",
    ),
    click.option("--fpr", type=float, help="False-positive rate per window.  [default: 0.01]"),
    click.option(
        "--fingerprint-bits",
        type=click.IntRange(1, 32),
        help="Instead of --fpr, for a fuse filter: the rate is 2^-bits.",
    ),
]


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of windows and filters; the command gets ``windows`` and ``filter_``, the specs."""

    @wraps(command)
    def wrapped(
        *arguments: Any,
        preset_name: str,
        width: int | None,
        stride: int | None,
        unit: Any,
        normalizer: Any,
        kind: Any,
        fpr: float | None,
        fingerprint_bits: int | None,
        **options: Any,
    ) -> Any:
        if fingerprint_bits is not None:
            if kind != "fuse":
                raise click.UsageError("--fingerprint-bits is for --filter fuse")
            fpr = 2.0**-fingerprint_bits
        chosen = preset(preset_name)
        windows = {"width": width, "stride": stride, "unit": unit, "normalizer": normalizer}
        filter_ = {"kind": kind, "fpr": fpr}
        return command(
            *arguments,
            windows=replace(chosen.windows, **_given(windows)),
            filter_=replace(chosen.filter, **_given(filter_)),
            **options,
        )

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
