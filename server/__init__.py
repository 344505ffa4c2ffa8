"""The service: ask portraits over HTTP.

``create_app`` makes the application: the shelf of portraits that it answers from, and a blueprint for
each group of endpoints. A blueprint reads the shelf at ``current_app.extensions["shelf"]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from . import health
from .shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping

#: One for each group of endpoints.
BLUEPRINTS = (health.blueprint,)


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The application, with ``config`` over the defaults.

    ``PORTRAITS`` lists the paths of the portraits to hold open.
    """
    app = Flask("portrait_server", static_folder=None)
    app.config["PORTRAITS"] = ()
    app.config.from_mapping(config or {})
    app.extensions["shelf"] = Shelf(app.config["PORTRAITS"])
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
