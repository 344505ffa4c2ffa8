"""Admission: before any view runs, every request is identified, except to public endpoints.

A request that asks about texts is charged by :class:`..api.asking.Asking`, once they are known to be valid;
any other is charged here, like one text. Requests that are refused are counted apart.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from flask import current_app, g, request

from ..access.keys import presented_key
from ..state import current_state
from . import operations

if TYPE_CHECKING:
    from flask import Flask, Response

    from ..access.callers import Caller

#: The endpoint whose form may carry the key: browsers without scripts cannot send it in a header.
FORM_ENDPOINT = "page.answer"


def register(app: Flask) -> None:
    """Make ``app`` admit every request before its view runs."""
    app.before_request(_admit)
    app.after_request(_count_refusal)


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
    doorkeeper.require_patience(g.caller)
    if operation is not None and operation.request is None:
        doorkeeper.charge(g.caller)


def _count_refusal(response: Response) -> Response:
    status = response.status_code
    if identified() and 400 <= status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS:
        current_state().doorkeeper.count_refusal(current_caller())
    return response


def _secret() -> str | None:
    """Return the key that the request presents, if any."""
    secret = presented_key(request.headers.get("Authorization", ""), request.headers.get("X-API-Key"))
    if secret is None and request.endpoint == FORM_ENDPOINT:
        return request.form.get("key", "").strip() or None
    return secret
