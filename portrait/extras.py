"""Optional dependencies, loaded where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from portrait.errors import MissingExtraError


def load(module: str, extra: str) -> Any:
    """Import ``module``. Raises :class:`MissingExtraError` that names the extra which brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]
        raise MissingExtraError(
            f"this needs {missing}, which is not installed: pip install 'portrait[{extra}]'"
        ) from error
