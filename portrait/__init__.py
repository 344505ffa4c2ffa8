"""Portrait: record what a corpus contains, and ask whether a text was in there.

Importing this loads neither pyarrow nor datasets: :func:`build` loads what it needs when called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait.answer import Answer, LayerAnswer, Match, Verdict
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

if TYPE_CHECKING:
    from portrait.builder import build

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


def __getattr__(name: str) -> Any:
    # Most programs only ask; what building needs is loaded when it is first mentioned.
    if name == "build":
        from portrait.builder import build

        globals()["build"] = build
        return build
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
