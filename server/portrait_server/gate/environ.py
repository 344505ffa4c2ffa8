"""The WSGI environment of a request that granian received."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.http import parse_options_header

from ..errors import MalformedRequestError

if TYPE_CHECKING:
    from granian.rsgi import Scope

#: A WSGI environment.
Environ = dict[str, Any]

_LENGTH = re.compile("[0-9]{1,19}")

_CONSTANTS: Environ = {
    "SCRIPT_NAME": "",
    "CONTENT_TYPE": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}


def environ_of(scope: Scope) -> Environ:
    """Return the WSGI environment of an RSGI scope, with an empty body.

    WSGI's names of headers cannot tell an underscore from a hyphen, so headers with an underscore are left
    out, as proxies do: ``X_Forwarded_For`` would pass for the header that a proxy sets.
    """
    host, _, port = scope.server.rpartition(":")
    environ: Environ = {
        **_CONSTANTS,
        "REQUEST_METHOD": scope.method,
        # WSGI's strings are bytes, decoded as Latin-1.
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "REQUEST_URI": quote(scope.path),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(),
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if environ.get(key) else value
    return environ


def media_type(environ: Environ) -> str:
    """Return the media type of a request's body, in lower case; empty if there is none."""
    return parse_options_header(environ["CONTENT_TYPE"])[0].lower()


def require_clear_framing(environ: Environ) -> None:
    """Check that the headers leave no doubt where a request ends and which host it is for.

    A header that was sent twice has a comma in its value.

    Raises:
        MalformedRequestError: They leave a doubt.
    """
    length, encoding = environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING")
    if length is not None and not _LENGTH.fullmatch(length):
        raise MalformedRequestError("Content-Length must be one number, in digits")
    if encoding is not None and encoding.lower() != "chunked":
        raise MalformedRequestError("Transfer-Encoding must be chunked, or left out")
    if length is not None and encoding is not None:
        raise MalformedRequestError("a request has a Content-Length or a Transfer-Encoding, not both")
    if "," in environ.get("HTTP_HOST", ""):
        raise MalformedRequestError("a request has one Host")


def announced_bytes(environ: Environ) -> int | None:
    """Return the size of the body that a request announces; ``None`` if it comes in chunks of any number."""
    return None if "HTTP_TRANSFER_ENCODING" in environ else int(environ.get("CONTENT_LENGTH") or 0)


def set_body(environ: Environ, body: bytes) -> None:
    """Give a request a body that was read whole."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
