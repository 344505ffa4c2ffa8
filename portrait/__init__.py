"""Portrait: record what a corpus contains, and ask whether a text was in there.

Importing this loads neither pyarrow nor datasets: :func:`build` loads what it needs when called.
"""

from __future__ import annotations

from portrait.answer import Answer, LayerAnswer, Match, Verdict
from portrait.build import build
from portrait.errors import (
    BundleError,
    CorpusError,
    DamagedBundleError,
    EmptyCorpusError,
    MissingExtraError,
    NotAPortraitError,
    OutputError,
    OutputExistsError,
    PortraitError,
    SpecError,
    TextError,
    UnsupportedBundleError,
)
from portrait.manifest import Manifest
from portrait.portraits import Portrait, open, query  # noqa: A004  # portrait.open, as gzip.open
from portrait.spec import FilterSpec, WindowSpec
from portrait.version import __version__

__all__ = [
    "Answer",
    "BundleError",
    "CorpusError",
    "DamagedBundleError",
    "EmptyCorpusError",
    "FilterSpec",
    "LayerAnswer",
    "Manifest",
    "Match",
    "MissingExtraError",
    "NotAPortraitError",
    "OutputError",
    "OutputExistsError",
    "Portrait",
    "PortraitError",
    "SpecError",
    "TextError",
    "UnsupportedBundleError",
    "Verdict",
    "WindowSpec",
    "__version__",
    "build",
    "open",
    "query",
]
