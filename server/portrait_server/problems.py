"""Every error as a problem document (RFC 9457), made in one place.

The status is read off the error's class. What went wrong inside the server is logged, not told.
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

from .errors import ServiceError, WithdrawnPortraitError

if TYPE_CHECKING:
    from flask import Flask

MEDIA_TYPE = "application/problem+json"

logger = logging.getLogger("portrait_server")


def register(app: Flask) -> None:
    """Let ``app`` answer every error with a problem document."""
    app.register_error_handler(PortraitError, of_error)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_error)


def document(status: int, detail: str, code: str, **more: Any) -> dict[str, Any]:
    """A problem document; ``code`` names the kind of error for programs."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **more}


def response(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A problem document on its way."""
    return Response(json.dumps(problem) + "\n", problem["status"], headers, content_type=MEDIA_TYPE)


def describe(error: Exception) -> dict[str, Any]:
    """The problem document of an error of the house; of any other, only that there was one."""
    told = isinstance(error, ServiceError | WithdrawnPortraitError)
    if isinstance(error, PortraitError) and (told or error.http_status < 500):
        return document(error.http_status, str(error), _snake(type(error).__name__.removesuffix("Error")))
    # Not the error itself, nor what it was working on: messages may quote the text that was asked.
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = "" if where is None else f" at {where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
    logger.error("internal error: %s%s", type(error).__name__, place)
    return document(500, "something went wrong inside the server; its log says where", "internal")


def of_error(error: Exception) -> Response:
    """The answer to an error that was raised."""
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
    """The answer to one of the framework's own errors."""
    if error.code is None or error.code < 400:
        return error
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    status = HTTPStatus(error.code)
    detail = {
        HTTPStatus.NOT_FOUND: "nothing is here: /docs lists what there is",
        HTTPStatus.METHOD_NOT_ALLOWED: f"only {kept.get('Allow')} here",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is larger than this server takes",
    }.get(status, status.phrase)
    return response(document(status, detail, _snake(status.phrase.replace(" ", ""))), kept)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
