"""A progress bar on stderr, where somebody is looking."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from portrait import extras

if TYPE_CHECKING:
    from portrait.progress import Progress


class Bar:
    """Bytes done so far, as a tqdm bar."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """Show the bar."""
        self._bar = extras.load("tqdm", "build").tqdm(
            total=n_bytes, desc=stage or self._label, unit="B", unit_scale=True, leave=False, file=sys.stderr
        )

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:  # noqa: ARG002
        """Move it."""
        if self._bar is not None:
            self._bar.update(n_bytes)

    def finish(self) -> None:
        """Take it away."""
        if self._bar is not None:
            self._bar.close()


def progress(label: str, *, quiet: bool = False) -> Progress | None:
    """A bar if stderr is a terminal; none where the package that draws it is not installed."""
    wanted = sys.stderr.isatty() and not quiet
    return Bar(label) if wanted and importlib.util.find_spec("tqdm") else None
