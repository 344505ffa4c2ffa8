"""Visitors: whom a request is from, by its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait_server.access.keys import new_key
from portrait_server.gate.visitors import Visitor, visitor_of
from portrait_server.settings import settings_of
from portrait_server.state import State

if TYPE_CHECKING:
    from pathlib import Path


def visitor(state: State, **headers: str) -> Visitor:
    """Return the visitor of a request with these headers."""
    environ: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.7"}
    return visitor_of({**environ, **headers}, state)


def test_without_keys_every_address_is_a_client() -> None:
    assert visitor(State(settings_of({}))) == Visitor("address 192.0.2.7", True)


def test_behind_a_proxy_the_client_has_the_forwarded_address() -> None:
    state = State(settings_of({"trusted_proxies": 1}))
    forwarded = visitor(state, HTTP_X_FORWARDED_FOR="198.51.100.1, 2001:db8::7")
    assert forwarded == Visitor("address 2001:db8::/64", True)


def test_with_keys_every_key_is_a_client(tmp_path: Path) -> None:
    secret, key = new_key("alice")
    file = tmp_path / "keys.toml"
    file.write_text(key.to_line())
    state = State(settings_of({"keys": file}))
    alice = Visitor("key alice", True)
    assert visitor(state, HTTP_AUTHORIZATION=f"Bearer {secret}") == alice
    assert visitor(state, HTTP_X_API_KEY=secret) == alice
    stranger = Visitor("address 192.0.2.7", False)
    assert visitor(state) == stranger
    assert visitor(state, HTTP_AUTHORIZATION=f"Bearer {secret},Bearer {secret}") == stranger
