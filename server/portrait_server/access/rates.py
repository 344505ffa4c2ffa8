"""Rates: how many texts a caller may ask within a span of time.

Rates are counted in fixed windows. That costs one atomic increment and lets up to twice the rate through
around the boundary of two windows. With a shared store, all workers count together.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import limits
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from portrait import SpecError

from ..errors import RateLimitError, StoreError

if TYPE_CHECKING:
    from limits import RateLimitItem

_BAD_URL = "setting 'store': not a URL that can be used: write it like redis://HOST:6379/0"
_SCHEMES = ("redis", "rediss", "redis+unix", "memcached")


def parse_rate(rate: object) -> RateLimitItem:
    """Return the meaning of a rate such as ``600/minute``.

    Raises:
        SpecError: ``rate`` is not a rate.
    """
    try:
        item = limits.parse(rate if isinstance(rate, str) else "")
    except ValueError:
        item = None
    if item is None or item.amount < 1:
        raise SpecError(f"a rate is a number and a unit of time, like 600/minute, not {rate!r}")
    return item


class Rates:
    """The counts of what callers ask, in this process or in a shared store.

    Attributes:
        shared: Whether the counts are in a store that all workers share.

    Args:
        store: The URL of the shared store; ``None`` counts in this process.

    Raises:
        SpecError: The store cannot be used.
    """

    def __init__(self, store: str | None) -> None:
        self.shared = store is not None
        if store is not None and store.partition("://")[0] not in _SCHEMES:
            raise SpecError(f"setting 'store': must be a URL that begins with one of {', '.join(_SCHEMES)}")
        try:
            # Every store raises the same class of error, and requests do not wait long for a dead one.
            options: dict[str, float] = {"socket_timeout": 2, "socket_connect_timeout": 2}
            redis = store is not None and store.startswith("redis")
            storage = storage_from_string(
                store or "memory://", wrap_exceptions=True, **(options if redis else {})
            )
            if store is not None:
                _make_client(storage)
        except ConfigurationError as error:
            if "prerequisite" not in str(error):
                raise SpecError(_BAD_URL) from None
            raise SpecError(
                f"setting 'store': {error}: pip install 'data-portrait[redis]' or 'data-portrait[memcached]'"
            ) from None
        except Exception:  # of the store's client: each has its own, which may quote a password
            raise SpecError(_BAD_URL) from None
        self._limiter = FixedWindowRateLimiter(storage)

    def charge(self, account: str, rate: str, n_texts: int = 1) -> None:
        """Count texts against a rate.

        Args:
            account: The name that the texts are counted under.
            rate: The account's rate.
            n_texts: How many texts.

        Raises:
            RateLimitError: The rate is used up.
            StoreError: The store does not answer.
        """
        item, name = parse_rate(rate), _name(account)
        try:
            # A failed hit is counted, too: several texts that the rate has no room for must not use it up.
            room = n_texts == 1 or self._limiter.test(item, name, cost=n_texts)
            if room and self._limiter.hit(item, name, cost=n_texts):
                return
        except StorageError:
            raise _dead_store() from None
        raise self._exceeded(item, name)

    def count(self, account: str, rate: str) -> None:
        """Count one more event of an account, whether or not its rate is used up."""
        self._limiter.hit(parse_rate(rate), _name(account))

    def require(self, account: str, rate: str) -> None:
        """Check that an account's rate is not used up, and count nothing.

        Raises:
            RateLimitError: The rate is used up.
        """
        item, name = parse_rate(rate), _name(account)
        if not self._limiter.test(item, name):
            raise self._exceeded(item, name)

    def _exceeded(self, item: RateLimitItem, name: str) -> RateLimitError:
        try:
            reset = self._limiter.get_window_stats(item, name).reset_time
        except StorageError:
            raise _dead_store() from None
        wait = max(1, int(reset - time.time()) + 1)
        return RateLimitError(f"the rate of {item} is used up: try again in {wait:,} s", retry_after=wait)

    @property
    def alive(self) -> bool:
        """Whether the store answers."""
        return bool(self._limiter.storage.check())


def _make_client(storage: Any) -> None:
    """Make what connects to a store, and no connection: an option that it does not have is noticed here."""
    client = storage.storage
    if (pool := getattr(client, "connection_pool", None)) is not None:
        pool.make_connection()


def _name(account: str) -> str:
    # Stores differ in the characters that a name may have, and no address needs to be stored.
    return hashlib.sha256(account.encode()).hexdigest()[:32]


def _dead_store() -> StoreError:
    return StoreError("rates cannot be counted now: try again later", retry_after=5)
