"""Callers: whoever sends a request, known by a key or by an address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


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
