"""The service: ask portraits over HTTP.

``create_app`` makes the application: the shelf of portraits that it answers from, and a blueprint for
each group of endpoints. ``portrait serve`` runs it behind a gate (:mod:`.gate`) that keeps slow
clients out of its way; any WSGI server can run it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from . import access, api, auth, compat, constant, headers, health, openapi, problems, reference, web
from .settings import Settings, settings_of
from .state import State, state

if TYPE_CHECKING:
    from collections.abc import Mapping

#: One for each group of endpoints.
BLUEPRINTS = (
    health.blueprint,
    api.blueprint,
    compat.blueprint,
    openapi.blueprint,
    reference.blueprint,
    web.blueprint,
)


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The application, with ``config`` over the defaults.

    The names of :class:`Settings`, in capitals, are the service's: ``PORTRAITS`` lists the paths of
    the portraits to hold open. ``LENIENT`` starts even where one of those is damaged; all other names
    are Flask's. ``app.extensions["shelf"]`` is the shelf.

    Raises :class:`portrait.PortraitError` for a setting, a portrait or a file of keys that is wrong.
    """
    given = dict(config or {})
    ours = {name: given.pop(name.upper()) for name in Settings.model_fields if name.upper() in given}
    held = State(settings_of(ours), lenient=given.pop("LENIENT", False))
    app = Flask("portrait_server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = held.settings.max_body_bytes
    app.config.from_mapping(given)
    app.extensions["portrait_server"] = held
    app.extensions["shelf"] = held.shelf
    access.register(app)
    headers.register(app)
    problems.register(app)
    app.before_request(_before)
    auth.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if held.settings.benchmark:
        app.register_blueprint(constant.blueprint, url_prefix="/v1")
    proxies = held.settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    return app


def _before() -> None:
    """Refuse what the gate would not let in, so that its refusals look, and are logged, like all others."""
    refusal = request.environ.get("portrait_server.refusal")
    if refusal is not None:
        raise refusal
    state().refresh()
