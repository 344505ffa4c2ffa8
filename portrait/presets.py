"""Presets: named combinations of specs."""

from __future__ import annotations

from typing import NamedTuple

from portrait.errors import SpecError
from portrait.spec import FilterSpec, Stride, WindowSpec


class Preset(NamedTuple):
    """Specs that belong together, and what they are for."""

    windows: WindowSpec
    filter: FilterSpec
    purpose: str


PRESETS: dict[str, Preset] = {
    "default": Preset(
        WindowSpec(),
        FilterSpec(),
        "copies of 91 characters or more, runs of white space counted as one",
    ),
    "paper": Preset(
        WindowSpec(50, Stride(50), normalizer="data-portraits"),
        FilterSpec(fpr=0.001),
        "the windows of the original Data Portraits, to be compared with published ones",
    ),
    "quip": Preset(
        WindowSpec(25, Stride(1), normalizer="data-portraits"),
        FilterSpec(fpr=0.001),
        "every window of 25 characters, so that the hit rate is the QUIP score",
    ),
    "gpt3": Preset(
        WindowSpec(13, Stride(1), "word", "loose"),
        FilterSpec(),
        "overlaps of 13 words whatever their case and punctuation, as in GPT-3's contamination study",
    ),
}


def preset(name: str) -> Preset:
    """Return a preset by its name.

    Raises:
        SpecError: There is no preset of that name.
    """
    if name not in PRESETS:
        raise SpecError(f"unknown preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
