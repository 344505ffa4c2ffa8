"""The check of ``Host``: the names under which the service answers.

A page on the internet can make its own name lead to an address that only the reader's machine reaches, and
then read what is answered there (DNS rebinding). The browser sends the page's name in ``Host``, which gives
it away.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from ..errors import UnknownHostError
from ..state import current_state

if TYPE_CHECKING:
    from flask import Flask

#: Whoever checks that a server lives calls it by its address; this endpoint says nothing about portraits.
_PROBE = "/healthz"
#: A name or an IPv4 address, or an IPv6 address in brackets, and perhaps a port.
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:/?#@\s]+)(?::[0-9]{0,5})?", flags=re.IGNORECASE)


def register(app: Flask) -> None:
    """Make ``app`` refuse requests under names that ``hosts`` does not list, and never redirect."""
    app.before_request(_check)
    app.before_request(_refuse_redirect)


def is_allowed(host: str | None, allowed: tuple[str, ...]) -> bool:
    """Return whether a ``Host`` header names one of the allowed hosts, whatever the port.

    Args:
        host: The header; ``None`` if there is none.
        allowed: Names and addresses; all are allowed if there are none.
    """
    if not allowed:
        return True
    match = _HOST.fullmatch(host or "")
    return match is not None and _plain(match["name"]) in map(_plain, allowed)


def _plain(name: str) -> str:
    return name.strip("[]").rstrip(".").lower()


def _check() -> None:
    allowed = current_state().settings.hosts
    if request.path != _PROBE and not is_allowed(request.headers.get("Host"), allowed):
        raise UnknownHostError("this server does not answer under the host that the request names")


def _refuse_redirect() -> None:
    # The framework would correct an address such as /static//a, and lead to whatever host the request names.
    if isinstance(request.routing_exception, RequestRedirect):
        raise NotFound
