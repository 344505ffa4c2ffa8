"""Problem documents (RFC 9457): every error of the service is described here and nowhere else.

The status is that of the error's class. An unexpected error is logged, and the client learns only that
there was one.
"""

from __future__ import annotations

import json
import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.exceptions import HTTPException

from portrait import PortraitError

from ..errors import ServiceError, WithdrawnPortraitError

if TYPE_CHECKING:
    from flask import Flask

MEDIA_TYPE = "application/problem+json"

logger = logging.getLogger("portrait_server")


def register(app: Flask) -> None:
    """Make ``app`` answer every error with a problem document."""
    app.register_error_handler(PortraitError, of_error)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_error)


def document(status: int, detail: str, code: str) -> dict[str, Any]:
    """Return a problem document.

    Args:
        status: The HTTP status.
        detail: What is wrong and what to do, for people.
        code: The name of the kind of error, for programs.
    """
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}


def response(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Return the response that carries a problem document."""
    return Response(json.dumps(problem) + "\n", problem["status"], headers, content_type=MEDIA_TYPE)


def describe(error: Exception) -> dict[str, Any]:
    """Return the problem document of an error; log where an unexpected one was raised."""
    explained = isinstance(error, ServiceError | WithdrawnPortraitError)
    if isinstance(error, PortraitError) and (explained or error.http_status < 500):
        return document(error.http_status, str(error), _snake(type(error).__name__.removesuffix("Error")))
    # The log gets neither the error's message nor its values: they may quote the text asked about.
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = "" if where is None else f" at {where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
    logger.error("internal error: %s%s", type(error).__name__, place)
    return document(500, "something went wrong inside the server; its log says where", "internal")


def of_error(error: Exception) -> Response:
    """Return the response to an error that was raised."""
    headers = {}
    if isinstance(error, ServiceError) and error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    problem = describe(error)
    if problem["status"] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if problem["status"] == HTTPStatus.REQUEST_TIMEOUT:
        headers["Connection"] = "close"
    return response(problem, headers)


def of_http(error: HTTPException) -> Any:
    """Return the response to one of the framework's own errors."""
    if error.code is None or error.code < 400:
        return error
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    status = HTTPStatus(error.code)
    detail = {
        HTTPStatus.NOT_FOUND: "there is nothing at this address: /docs lists the endpoints",
        HTTPStatus.METHOD_NOT_ALLOWED: f"this address takes only {kept.get('Allow')}",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is larger than this server takes",
    }.get(status, status.phrase)
    return response(document(status, detail, _snake(status.phrase.replace(" ", ""))), kept)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
