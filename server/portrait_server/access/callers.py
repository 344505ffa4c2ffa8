"""Callers: whoever sends a request, known by a key or by an address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from werkzeug.http import parse_list_header

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request.

    Attributes:
        account: The name that the caller's texts are counted under.
        key: The name of the caller's key; ``None`` on a server without keys.
        portraits: The portraits that the caller may ask; ``None`` for all.
        rate: The caller's rate; ``None`` for no limit.
    """

    account: str
    key: str | None = None
    portraits: tuple[str, ...] | None = None
    rate: str | None = None

    def may_ask(self, name: str) -> bool:
        """Return whether the caller may ask the portrait of that name."""
        return self.portraits is None or name in self.portraits


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return the network that rates are counted for: an IPv4 address, or the /64 of an IPv6 address.

    A client that has one address of a /64 usually has all of them.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


def client_address(environ: Mapping[str, Any], n_proxies: int) -> str:
    """Return the address of the client of a request.

    Args:
        environ: The WSGI environment of the request.
        n_proxies: How many proxies in a row set ``X-Forwarded-For``: each adds the address of its client.
    """
    if n_proxies:
        forwarded = parse_list_header(environ.get("HTTP_X_FORWARDED_FOR", ""))
        if len(forwarded) >= n_proxies and forwarded[-n_proxies]:
            return forwarded[-n_proxies]
    return str(environ.get("REMOTE_ADDR", ""))
