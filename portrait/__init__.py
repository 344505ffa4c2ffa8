"""Portrait: record what a corpus contains, and ask whether a text was in there.

Importing this package loads errors and specs only; everything else is loaded where it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from portrait.errors import (
    BadRowError,
    BundleError,
    CorpusError,
    DamagedBundleError,
    DisclosureWarning,
    EmptyCorpusError,
    HubError,
    MissingExtraError,
    NotAPortraitError,
    OutputError,
    OutputExistsError,
    PortraitError,
    SignatureError,
    SpecError,
    TextError,
    UnreadableFileError,
    UnsupportedBundleError,
    WorkDirError,
    WorkerError,
)
from portrait.spec import FilterSpec, Minimizer, Stride, WindowSpec
from portrait.version import __version__

if TYPE_CHECKING:
    from portrait.answers.answer import Answer
    from portrait.answers.layer_answer import LayerAnswer, PortraitAnswer
    from portrait.answers.matches import Approximate, Match
    from portrait.answers.verdict import Verdict
    from portrait.building.build import build, read_share
    from portrait.bundle.manifest import Manifest
    from portrait.engines.execution import Execution
    from portrait.hub.pull import pull
    from portrait.hub.push import Pushed, push
    from portrait.operations.compare import compare
    from portrait.operations.comparison import Comparison
    from portrait.operations.convert import convert
    from portrait.operations.layers import add, drop, merge
    from portrait.operations.sign import sign
    from portrait.operations.verify import Verified, verify
    from portrait.operations.wrap import wrap
    from portrait.planning.plan import Plan, plan
    from portrait.portraits.portrait import Portrait, open, query  # noqa: A004  # portrait.open, as gzip.open
    from portrait.presets import PRESETS
    from portrait.reports.report import Report
    from portrait.reports.runner import report
    from portrait.signing.signature import Signature

# fmt: off
__all__ = [
    "PRESETS", "Answer", "Approximate", "BadRowError", "BundleError", "Comparison", "CorpusError",
    "DamagedBundleError", "DisclosureWarning", "EmptyCorpusError", "Execution", "FilterSpec", "HubError",
    "LayerAnswer", "Manifest", "Match", "Minimizer", "MissingExtraError", "NotAPortraitError",
    "OutputError", "OutputExistsError", "Plan", "Portrait", "PortraitAnswer", "PortraitError", "Pushed",
    "Report", "Signature", "SignatureError", "SpecError", "Stride", "TextError", "UnreadableFileError",
    "UnsupportedBundleError", "Verdict", "Verified", "WindowSpec", "WorkDirError", "WorkerError",
    "__version__", "add", "build", "compare", "convert", "drop", "merge", "open", "plan", "pull", "push",
    "query", "read_share", "report", "sign", "verify", "wrap",
]

#: Names loaded at first use, by their modules: a program loads what it uses.
_LAZY = {
    "portrait.answers.answer": ("Answer",),
    "portrait.answers.layer_answer": ("LayerAnswer", "PortraitAnswer"),
    "portrait.answers.matches": ("Approximate", "Match"),
    "portrait.answers.verdict": ("Verdict",),
    "portrait.bundle.manifest": ("Manifest",),
    "portrait.building.build": ("build", "read_share"),
    "portrait.engines.execution": ("Execution",),
    "portrait.hub.pull": ("pull",),
    "portrait.hub.push": ("Pushed", "push"),
    "portrait.operations.compare": ("compare",),
    "portrait.operations.comparison": ("Comparison",),
    "portrait.operations.convert": ("convert",),
    "portrait.operations.layers": ("add", "drop", "merge"),
    "portrait.operations.sign": ("sign",),
    "portrait.operations.verify": ("Verified", "verify"),
    "portrait.operations.wrap": ("wrap",),
    "portrait.planning.plan": ("Plan", "plan"),
    "portrait.portraits.portrait": ("Portrait", "open", "query"),
    "portrait.presets": ("PRESETS",),
    "portrait.reports.report": ("Report",),
    "portrait.reports.runner": ("report",),
    "portrait.signing.signature": ("Signature",),
}
# fmt: on


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            value = globals()[name] = getattr(importlib.import_module(module), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
