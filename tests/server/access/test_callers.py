"""Callers, and the networks that their addresses count as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from portrait_server.access.callers import Caller, client_address, network_of
from werkzeug.middleware.proxy_fix import ProxyFix


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
        ("192.0.2.7:80", "unknown"),
    ],
)
def test_an_address_counts_as_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_caller_may_query_all_portraits_or_some() -> None:
    assert Caller("address 192.0.2.7").may_ask("law")
    assert Caller("key alice", "alice", ("law",)).may_ask("law")
    assert not Caller("key alice", "alice", ("law",)).may_ask("news")
    assert not Caller("key alice", "alice", ()).may_ask("law")


FORWARDED = st.lists(st.sampled_from(["192.0.2.1", "2001:db8::1", "", "x", '"192.0.2.2"']), max_size=4)


@given(FORWARDED, st.integers(0, 3))
def test_the_address_behind_proxies_is_the_one_that_the_application_sees(
    forwarded: list[str], n_proxies: int
) -> None:
    environ = {"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": ", ".join(forwarded)}
    seen = []

    def app(fixed: dict[str, str], _: object) -> list[bytes]:
        seen.append(fixed["REMOTE_ADDR"])
        return []

    ProxyFix(app, x_for=n_proxies)(dict(environ), lambda *_: None)  # type: ignore[arg-type]
    assert client_address(environ, n_proxies) == seen[0]
