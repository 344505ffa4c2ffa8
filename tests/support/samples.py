"""Hypothesis strategies for texts and specs, and small real portraits to query."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import datasets
from hypothesis import strategies as st

import portrait
from portrait.bundle import reader as bundle
from portrait.filters import kinds as filters
from portrait.spec import NORMALIZERS, UNITS
from support import oracle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portrait.filters.protocols import Filter

#: All characters that both Python and the kernel know. They may follow different versions of Unicode, so
#: unassigned code points (Cn) are left out, and so are surrogates (Cs), which are not characters.
CHARS = st.characters(exclude_categories=["Cs", "Cn"])

MARKS = (
    "\u0300\u0301\u0302\u0308\u0316\u0323\u0327\u031b\u0338\u0344\u0345\u034f\u05b0\u0653\u093c\u3099\u1d165"
)
JAMO = "\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2가각힣"
SPACES = "".join(sorted(oracle.WHITE_SPACE))
#: Composed letters, singletons, composition exclusions, and characters that grow when normalised.
COMPOSED = "éệÅ\u212b\u2126\u1e69\u0958\u0f43\ufb2c\u2adc\U0001d160\u1fef\u037e\u304c\u09cb\u0b94\u1109a"
#: Letters that case folding or compatibility mappings change, some into several or depending on context.
FOLDED = "ßẞİıſςΣŉǰΐᾴᾼﬁﬄ㎏ﷺ½①ⅣＡﾊﾞ㈱…´¨℡\u1e9b\u0149ÉЖԱև\U0001d504\U0001f130ꮿᏏ"
#: Right-to-left text with marks and direction controls.
BIDI = "שָׁלוֹם\u200fمَرْحَبًا\u202b\u2067ﻼ"
EMOJI = "👩🏽‍💻🇪🇺❤\ufe0f👨‍👩‍👧"
NOT_QUITE_SPACES = "\u200b\u180e\ufeff\x1c\x1f\u2060"

PIECES = st.one_of(
    st.text("ab", max_size=12),
    st.text("the cat sat on \t\r\n", max_size=30),
    st.text(SPACES, min_size=1, max_size=6),
    st.sampled_from(["\r\n", "\r\n\r\n", "  ", " \n ", "\n \x1c\n", "\t\n\n\x1f"]),
    st.builds(str.__add__, st.sampled_from("aeouA가か"), st.text(MARKS, max_size=5)),
    st.text(MARKS, max_size=6),
    st.text(JAMO, max_size=6),
    st.text("天地玄黃宇宙洪荒", max_size=12),
    st.text(COMPOSED + MARKS, max_size=5),
    st.text(FOLDED + MARKS, max_size=5),
    st.text(BIDI, max_size=8),
    st.sampled_from(
        ["It\u2019s,", "it\u00b4s", "\u201cQUOTE\u201d\u2014", "co\u00adop", "\u2764\ufe0f\u0301", "\0\0"]
    ),
    st.text(EMOJI + NOT_QUITE_SPACES, max_size=6),
    st.text(CHARS, max_size=10),
)


def texts(max_pieces: int = 8) -> st.SearchStrategy[str]:
    """Return a strategy for texts of up to ``max_pieces`` random pieces of any kind."""
    return st.lists(PIECES, max_size=max_pieces).map("".join)


def samplings(max_gap: int = 14) -> st.SearchStrategy[portrait.Minimizer | portrait.Stride]:
    """Return a strategy for samplings of both kinds, up to a span or stride."""
    return st.builds(portrait.Minimizer, st.integers(1, max_gap)) | strides(max_gap)


def strides(max_stride: int = 14) -> st.SearchStrategy[portrait.Stride]:
    """Return a strategy for strides up to a number of units."""
    return st.builds(portrait.Stride, st.integers(1, max_stride))


def least_width(sampling: portrait.Minimizer | portrait.Stride, unit: str) -> int:
    """Return the least width of windows of a sampling: a minimizer needs room for a group of units."""
    return 1 if isinstance(sampling, portrait.Stride) else 2 if unit == "word" else 8


@st.composite
def specs(draw: st.DrawFn, max_width: int = 10, max_gap: int = 14) -> portrait.WindowSpec:
    """Return a window spec of any sampling, unit and normaliser.

    The width is at most ``max_width`` above the least one, and the span or stride at most ``max_gap``.
    """
    sampling, unit = draw(samplings(max_gap)), draw(st.sampled_from(UNITS))
    least = least_width(sampling, unit)
    return portrait.WindowSpec(
        draw(st.integers(least, least + max_width - 1)),
        sampling,
        unit,  # type: ignore[arg-type]  # one of the known names
        draw(st.sampled_from(NORMALIZERS)),
    )


def plain(spec: portrait.WindowSpec, *, short_documents: bool = False) -> oracle.Spec:
    """Return the oracle's form of a window spec."""
    gap = {"span" if spec.sampling.name == "minimizer" else "stride": spec.sampling.gap}
    return oracle.Spec(
        spec.width,
        unit=spec.unit,
        normalizer=spec.normalizer,
        short_documents=short_documents,
        **gap,
    )


class Sample(NamedTuple):
    """An open portrait and its oracle's inputs: the spec, and each layer's membership test and rate."""

    portrait: portrait.Portrait
    spec: oracle.Spec
    layers: list[tuple[oracle.Contains, float]]


def sample(opened: portrait.Portrait) -> Sample:
    """Return the sample of an open portrait, with its filters as membership tests."""
    files = bundle.read(opened.path)
    layers = [(contains(filters.open_layer(files, layer)), layer.fpr) for layer in opened.manifest.layers]
    short_documents = opened.manifest.layers[0].document_keys == "all"
    return Sample(opened, plain(opened.spec, short_documents=short_documents), layers)


def contains(layer: Filter) -> oracle.Contains:
    """Return the membership test of a filter, which takes a key as an integer."""
    return lambda key: layer.contains(key.to_bytes(8, "little")) == b"\x01"


def build(
    sources: Mapping[str, Sequence[str]],
    spec: portrait.WindowSpec,
    fpr: float = 0.01,
    *,
    short_documents: bool = False,
) -> Sample:
    """Build the portrait of some documents by source.

    Its files are deleted, but remain mapped into memory.
    """
    corpus = {name: datasets.Dataset.from_dict({"text": list(docs)}) for name, docs in sources.items()}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "sample.portrait")
        made = portrait.build(
            corpus,
            out,
            windows=spec,
            filter=portrait.FilterSpec(fpr=fpr),
            short_documents=short_documents,
        )
        return sample(made)
