"""Headers of every answer: what browsers may do with it, and whose pages may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from .state import state

if TYPE_CHECKING:
    from flask import Flask, Response

_SECURITY = {
    # An answer is no page; views that give one set a policy of their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Answers are about texts that are nobody else's business: no cache keeps them.
    "Cache-Control": "no-store",
}


def register(app: Flask) -> None:
    """Let ``app`` put them on every answer."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    origins = state().settings.cors_origins
    for name, value in _SECURITY.items():
        response.headers.setdefault(name, value)
    origin = request.headers.get("Origin")
    if origins:
        response.vary.add("Origin")
    if origin is not None and (origin in origins or "*" in origins):
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, POST")
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-API-Key"
            response.headers["Access-Control-Max-Age"] = "600"
    return response
