"""For servers other than granian: the application, with settings from a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from portrait import SpecError

from . import create_app
from .settings import read_settings, settings_of
from .state import State

if TYPE_CHECKING:
    from flask import Flask

#: The variable that names the file of settings.
VARIABLE = "PORTRAIT_SERVICE_CONFIG"


def from_environment() -> Flask:
    """The application with the settings in the file that ``PORTRAIT_SERVICE_CONFIG`` names.

    Raises :class:`portrait.PortraitError` for settings that are wrong.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        raise SpecError(f"set {VARIABLE} to the file of settings")
    settings = settings_of(read_settings(Path(path)))
    app = create_app({name.upper(): value for name, value in settings.model_dump().items()})
    held = app.extensions["portrait_server"]
    assert isinstance(held, State)
    if settings.workers > 1 and held.rated and not held.rates.shared:
        raise SpecError("rates would be counted by each worker by itself: set a shared store")
    return app
