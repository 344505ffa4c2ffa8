"""The service: ask portraits over HTTP.

An application factory and nothing else yet: ``create_app`` gives a Flask application that says it is
alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

import portrait

if TYPE_CHECKING:
    from collections.abc import Mapping


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The application, with ``config`` over the defaults."""
    app = Flask("portrait_server", static_folder=None)
    app.config.from_mapping(config or {})

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok", "version": portrait.__version__}

    return app
