"""What the hub's library shows while it works."""

from __future__ import annotations

import os
import sys

#: The variable with which the hub's library is told, before it is loaded.
_VARIABLE = "HF_HUB_DISABLE_PROGRESS_BARS"


def hide_progress(quiet: bool = False) -> None:
    """Hide the progress bars of the hub's library where nobody sees them, or nobody wants them.

    Args:
        quiet: Whether nobody wants them. Otherwise they are shown on a terminal.
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    if quiet or not terminal:
        os.environ.setdefault(_VARIABLE, "1")
        if "huggingface_hub" in sys.modules:
            sys.modules["huggingface_hub"].utils.disable_progress_bars()
