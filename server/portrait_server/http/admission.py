"""Admission: before any view runs, every request is identified and charged, except to public endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, g, request

from ..state import current_state
from . import operations

if TYPE_CHECKING:
    from flask import Flask

    from ..access.callers import Caller

#: The endpoint whose form may carry the key: browsers without scripts cannot send it in a header.
FORM_ENDPOINT = "page.answer"


def register(app: Flask) -> None:
    """Make ``app`` admit every request before its view runs."""
    app.before_request(_admit)


def current_caller() -> Caller:
    """Return the caller of the current request.

    Raises:
        AttributeError: The request is to a public endpoint, or was refused before it was identified.
    """
    return cast("Caller", g.caller)


def identified() -> bool:
    """Return whether the caller of the current request is known."""
    return "caller" in g


def _admit() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    operation = operations.operation_of(view)
    if view is None or request.method == "OPTIONS" or (operation is not None and operation.public):
        return
    # The page's own files are public; the questions it asks are not.
    if operation is None and request.method in ("GET", "HEAD"):
        return
    doorkeeper = current_state().doorkeeper
    g.caller = doorkeeper.identify(_secret(), request.remote_addr or "")
    doorkeeper.charge(g.caller)


def _secret() -> str | None:
    """Return the key that the request presents, if any."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if request.endpoint == FORM_ENDPOINT:
        return request.form.get("key", "").strip() or None
    return request.headers.get("X-API-Key")
