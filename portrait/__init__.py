"""Portrait: record what a corpus contains, and ask whether a text was in there.

Importing this loads neither pyarrow nor datasets: :func:`build` loads what it needs when called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from portrait.answers.answer import Answer, LayerAnswer
from portrait.answers.matches import Approximate, Match
from portrait.answers.verdict import Verdict
from portrait.bundle.manifest import Manifest
from portrait.errors import (
    BadRowError,
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
    SpoolError,
    TextError,
    UnreadableFileError,
    UnsupportedBundleError,
    WorkerError,
)
from portrait.portraits.portrait import Portrait, open, query  # noqa: A004  # portrait.open, as gzip.open
from portrait.presets import PRESETS
from portrait.spec import FilterSpec, WindowSpec
from portrait.version import __version__

if TYPE_CHECKING:
    from portrait.building.build import build, read_share
    from portrait.engines.execution import Execution
    from portrait.operations.convert import convert
    from portrait.operations.layers import add, drop, merge
    from portrait.operations.verify import Verified, verify
    from portrait.operations.wrap import wrap
    from portrait.planning.plan import Plan, plan
    from portrait.reports.report import Report
    from portrait.reports.runner import report

__all__ = [
    "PRESETS",
    "Answer",
    "Approximate",
    "BadRowError",
    "BundleError",
    "CorpusError",
    "DamagedBundleError",
    "EmptyCorpusError",
    "Execution",
    "FilterSpec",
    "LayerAnswer",
    "Manifest",
    "Match",
    "MissingExtraError",
    "NotAPortraitError",
    "OutputError",
    "OutputExistsError",
    "Plan",
    "Portrait",
    "PortraitError",
    "Report",
    "SpecError",
    "SpoolError",
    "TextError",
    "UnreadableFileError",
    "UnsupportedBundleError",
    "Verdict",
    "Verified",
    "WindowSpec",
    "WorkerError",
    "__version__",
    "add",
    "build",
    "convert",
    "drop",
    "merge",
    "open",
    "plan",
    "query",
    "read_share",
    "report",
    "verify",
    "wrap",
]


#: What most programs never use, and the module that holds it: loaded when it is first mentioned.
_LATER = {
    "add": "portrait.operations.layers",
    "drop": "portrait.operations.layers",
    "merge": "portrait.operations.layers",
    "Report": "portrait.reports.report",
    "Verified": "portrait.operations.verify",
    "Execution": "portrait.engines.execution",
    "build": "portrait.building.build",
    "read_share": "portrait.building.build",
    "convert": "portrait.operations.convert",
    "Plan": "portrait.planning.plan",
    "plan": "portrait.planning.plan",
    "report": "portrait.reports.runner",
    "verify": "portrait.operations.verify",
    "wrap": "portrait.operations.wrap",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
