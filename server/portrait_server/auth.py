"""Who asks, what they may see, and how much they may ask: looked at before any view."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, g, request

from . import operations
from .state import state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent this request. ``key`` is a key's name; ``rate`` counts under the name ``who``."""

    key: str | None
    who: str
    portraits: tuple[str, ...] | None
    rate: str | None


def register(app: Flask) -> None:
    """Let ``app`` ask everyone who they are, but for what is public."""
    app.before_request(_admit)


def _admit() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    described = operations.described(view)
    if view is None or request.method == "OPTIONS" or (described is not None and described.public):
        return
    # A page's own files are public: the questions it asks are not.
    if described is None and request.method in ("GET", "HEAD"):
        return
    g.caller = _caller()
    charge()


def _caller() -> Caller:
    held = state()
    address = _network(request.remote_addr or "")
    if held.keyring is None:
        return Caller(None, f"address {address}", None, held.settings.rate)
    key = held.keyring.find(_presented())
    return Caller(key.name, f"key {key.name}", key.portraits, key.rate or held.settings.rate)


def _presented() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if request.endpoint == "page.answer":
        # Browsers without scripts can send it in the page's form only.
        return request.form.get("key", "").strip() or None
    return request.headers.get("X-API-Key")


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: whoever has one of those has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


def caller() -> Caller:
    """Whoever sent this request."""
    found: Caller = g.caller
    return found


def charge(cost: int = 1) -> None:
    """Count ``cost`` texts against the caller's rate.

    Raises :class:`~.errors.RateLimitError` and :class:`~.errors.StoreError`.
    """
    who = caller()
    if cost > 0 and who.rate is not None:
        state().rates.charge(who.who, who.rate, cost)


def visible(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The portraits of those names, or all, if the caller may see them.

    Raises :class:`~.errors.UnknownPortraitError`; that a portrait is there and hidden is not told.
    """
    shelf, allowed = state().shelf, caller().portraits
    seen = tuple(name for name in shelf.names if allowed is None or name in allowed)
    if names is None:
        return seen
    for name in names:
        if name not in seen:
            raise shelf.unknown(name)
    return tuple(names)
