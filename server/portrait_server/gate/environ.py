"""The WSGI environment of a request that granian received."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.http import parse_options_header

if TYPE_CHECKING:
    from granian.rsgi import Scope

#: A WSGI environment.
Environ = dict[str, Any]

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
    """Return the WSGI environment of an RSGI scope, with an empty body."""
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
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if environ.get(key) else value
    return environ


def media_type(environ: Environ) -> str:
    """Return the media type of a request's body, in lower case; empty if there is none."""
    return parse_options_header(environ["CONTENT_TYPE"])[0].lower()


def has_body(environ: Environ) -> bool:
    """Return whether a request announces a body."""
    return bool(environ.get("CONTENT_LENGTH")) or "HTTP_TRANSFER_ENCODING" in environ


def set_body(environ: Environ, body: bytes) -> None:
    """Give a request a body that was read whole."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
