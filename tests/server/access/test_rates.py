"""Rates: how they are parsed, and how requests are counted against them."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace

import pytest
from portrait_server.access.rates import Rates, parse_rate
from portrait_server.errors import RateLimitError, StoreError
from support.forge import within
from support.live import free_port

from portrait import SpecError


def test_a_rate_is_a_number_and_a_unit_of_time() -> None:
    item = parse_rate("600/minute")
    assert (item.amount, item.get_expiry()) == (600, 60)


@pytest.mark.parametrize("rate", ["", "often", "0", "5", "5/fortnight", "0/minute", 5, None, True, ["5/day"]])
def test_anything_else_is_not_a_rate(rate: object) -> None:
    with pytest.raises(SpecError, match="600/minute"):
        parse_rate(rate)


def test_accounts_are_counted_separately() -> None:
    rates = Rates(None)
    rates.charge("alice", "3/day", 2)
    rates.charge("bob", "3/day", 3)
    rates.charge("alice", "3/day")
    with pytest.raises(RateLimitError, match="3 per 1 day is used up") as caught:
        rates.charge("alice", "3/day")
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 86_401
    assert rates.alive
    assert not rates.shared


def test_more_texts_than_the_rate_allows_are_refused_and_not_counted() -> None:
    rates = Rates(None)
    with pytest.raises(RateLimitError):
        rates.charge("alice", "3/day", 4)
    rates.charge("alice", "3/day", 3)


def test_texts_that_the_rate_has_no_room_for_do_not_use_it_up() -> None:
    rates = Rates(None)
    rates.charge("alice", "5/day", 3)
    with pytest.raises(RateLimitError):
        rates.charge("alice", "5/day", 3)
    rates.charge("alice", "5/day", 2)


def test_events_can_be_counted_without_limit_and_a_rate_required() -> None:
    rates = Rates(None)
    for _ in range(2):
        rates.require("alice", "2/day")
        rates.count("alice", "2/day")
    rates.count("alice", "2/day")
    with pytest.raises(RateLimitError, match="2 per 1 day is used up"):
        rates.require("alice", "2/day")
    rates.require("bob", "2/day")


@pytest.mark.parametrize("store", ["ftp://x", "memory://", ""])
def test_a_store_that_workers_cannot_share_is_refused(store: str) -> None:
    with pytest.raises(SpecError, match="setting 'store'"):
        Rates(store)


@pytest.mark.parametrize(
    "store",
    [
        "redis://host:port",
        "redis://[::1",
        "redis://host:99999",
        "memcached://host:port",
        "redis://:pass#word@h:p",
        "redis://host/0?colour=blue",
        "memcached://",
    ],
)
def test_a_url_that_no_store_can_have_is_a_wrong_setting(store: str) -> None:
    pytest.importorskip("redis")
    pytest.importorskip("pymemcache")
    with pytest.raises(SpecError) as caught:
        Rates(store)
    assert str(caught.value) == (
        "setting 'store': not a URL that can be used: write it like redis://HOST:6379/0"
    )


def test_a_dead_store_is_an_error() -> None:
    pytest.importorskip("redis")
    rates = Rates(f"redis://127.0.0.1:{free_port()}")
    assert rates.shared
    assert not rates.alive
    with pytest.raises(StoreError) as caught:
        rates.charge("alice", "3/day")
    assert caught.value.retry_after == 5


@pytest.mark.parametrize(("seconds", "wait"), [(0, 61), (0.5, 60), (58.5, 2), (59.5, 1)])
def test_the_time_to_wait_is_that_until_the_window_ends(
    seconds: float, wait: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    rates = Rates(None)
    rates.charge("alice", "1/minute")
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0 + seconds)
    with pytest.raises(RateLimitError) as caught:
        rates.charge("alice", "1/minute")
    assert caught.value.retry_after == wait
    assert str(caught.value) == f"the rate of 1 per 1 minute is used up: try again in {wait:,} s"


def test_two_texts_that_the_rate_has_no_room_for_do_not_use_it_up() -> None:
    rates = Rates(None)
    rates.charge("alice", "5/day", 4)
    for _ in range(2):
        with pytest.raises(RateLimitError):
            rates.charge("alice", "5/day", 2)
    rates.charge("alice", "5/day")


def test_the_time_to_wait_is_a_second_where_the_store_s_clock_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates = Rates(None)
    rates.charge("alice", "1/minute")
    ahead = time.time() + 3600
    monkeypatch.setattr("portrait_server.access.rates.time", SimpleNamespace(time=lambda: ahead))
    with pytest.raises(RateLimitError) as caught:
        rates.charge("alice", "1/minute")
    assert caught.value.retry_after == 1


def test_a_store_that_does_not_answer_is_an_error() -> None:
    pytest.importorskip("redis")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rates = Rates(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        with within(60), pytest.raises(StoreError):
            rates.charge("alice", "3/day")
