"""Paths of the folders and files that tests read."""

from __future__ import annotations

import os
from pathlib import Path

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
GOLDEN = TESTS / "golden"
README = ROOT / "README.md"
DOCS = ROOT / "docs"
#: Real texts, which are not part of the repository: tests that need them are skipped where they are missing.
TEXTS = Path(os.environ.get("PORTRAIT_TEXTS", ROOT.parent / "shared" / "data"))
