"""The application for WSGI servers such as gunicorn, with settings from a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from portrait import SpecError

from . import create_app
from .settings import read_settings, settings_of
from .state import EXTENSION

if TYPE_CHECKING:
    from flask import Flask

    from .state import State

#: The environment variable that names the file of settings.
VARIABLE = "PORTRAIT_SERVICE_CONFIG"


def from_environment() -> Flask:
    """Return the application with the settings in the file that ``PORTRAIT_SERVICE_CONFIG`` names.

    Raises:
        PortraitError: A setting, a portrait or the file of keys is wrong.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        raise SpecError(f"the environment variable {VARIABLE} must name the file of settings")
    settings = settings_of(read_settings(Path(path)))
    app = create_app({name.upper(): value for name, value in settings.model_dump().items()})
    state: State = app.extensions[EXTENSION]
    state.require_shared_rates()
    return app
