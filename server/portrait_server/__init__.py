"""The service: ask portraits over HTTP.

``create_app`` makes the application: a shelf of portraits and a blueprint for each group of endpoints.
``portrait serve`` runs it behind a gate (:mod:`.gate`) that keeps slow clients away from its threads; any
WSGI server can run it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from .api import compat, constant, health, openapi, portraits, query, reference
from .http import access_log, admission, headers, hosts, problems
from .page import web
from .settings import Settings, settings_of
from .state import EXTENSION, State, current_state

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The blueprints of the groups of endpoints.
BLUEPRINTS = (
    health.blueprint,
    query.blueprint,
    portraits.blueprint,
    compat.blueprint,
    openapi.blueprint,
    reference.blueprint,
    web.blueprint,
)


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return a new application; ``app.extensions["shelf"]`` is its shelf.

    Args:
        config: The settings of the service, under the upper-case names of :class:`Settings`:
            ``PORTRAITS``, for example, lists the paths of the portraits to open. ``LENIENT`` starts even if
            one of them is damaged. All other names are Flask's.

    Raises:
        PortraitError: A setting, a portrait or the file of keys is wrong.
    """
    flask_config = dict(config or {})
    values = {
        name: flask_config.pop(name.upper()) for name in Settings.model_fields if name.upper() in flask_config
    }
    state = State(settings_of(values), lenient=flask_config.pop("LENIENT", False))
    settings = state.settings
    app = Flask("portrait_server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    app.config.from_mapping(flask_config)
    app.extensions[EXTENSION] = state
    app.extensions["shelf"] = state.shelf
    access_log.register(app)
    headers.register(app)
    problems.register(app)
    hosts.register(app)
    app.before_request(_refresh)
    admission.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.benchmark:
        app.register_blueprint(constant.blueprint)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    return app


def _refresh() -> None:
    current_state().refresh()
