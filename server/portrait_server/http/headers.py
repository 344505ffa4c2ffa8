"""Headers of every response: what browsers may do with it, and which other pages may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from ..state import current_state

if TYPE_CHECKING:
    from flask import Flask, Response

_SECURITY = {
    # Most responses are not pages; views that return one set a policy of their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Answers are about texts that may be confidential: no cache keeps them.
    "Cache-Control": "no-store",
}


def register(app: Flask) -> None:
    """Make ``app`` set these headers on every response."""
    app.after_request(_set_headers)


def _set_headers(response: Response) -> Response:
    for name, value in _SECURITY.items():
        response.headers.setdefault(name, value)
    _allow_origin(response, current_state().settings.cors_origins)
    return response


def _allow_origin(response: Response, allowed: tuple[str, ...]) -> None:
    origin = request.headers.get("Origin")
    if allowed:
        response.vary.add("Origin")
    if origin is None or (origin not in allowed and "*" not in allowed):
        return
    response.headers["Access-Control-Allow-Origin"] = "*" if "*" in allowed else origin
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, POST")
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-API-Key"
        response.headers["Access-Control-Max-Age"] = "600"
