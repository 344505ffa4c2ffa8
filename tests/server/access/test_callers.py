"""Callers, and the networks that their addresses count as."""

from __future__ import annotations

import pytest
from portrait_server.access.callers import Caller, network_of


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
