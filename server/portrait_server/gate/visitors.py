"""Visitors: whom a request is from, as far as its headers say, before anything of its body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..access.callers import client_address, network_of
from ..access.keys import presented_key
from ..errors import UnauthorizedError

if TYPE_CHECKING:
    from ..state import State
    from .environ import Environ


class Visitor(NamedTuple):
    """Whoever sends a request.

    Attributes:
        client: The name under which its share of the worker is counted: that of its key or its address.
        identified: Whether it may ask: it has a valid key, or the server has no keys.
    """

    client: str
    identified: bool


def visitor_of(environ: Environ, state: State) -> Visitor:
    """Return the visitor that a request is from."""
    address = client_address(environ, state.settings.trusted_proxies)
    secret = presented_key(environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_X_API_KEY"))
    try:
        return Visitor(state.doorkeeper.identify(secret, address).account, True)
    except UnauthorizedError:
        return Visitor(f"address {network_of(address)}", False)
