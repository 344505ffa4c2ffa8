"""Optional dependencies, loaded where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from portrait.errors import MissingExtraError


def load(module: str, extra: str) -> Any:
    """Import a module of an optional dependency.

    Args:
        module: The module's full name.
        extra: The extra of this distribution that installs it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]
        raise MissingExtraError(
            f"this needs {missing}, which is not installed: pip install 'data-portrait[{extra}]'"
        ) from error
