"""Rates: how many texts a key, or an address, may ask in a stretch of time.

They are counted in windows of fixed length, which lets twice the rate through across a boundary and
costs one atomic increment. With a shared store the count is that of all workers together.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Literal

import limits
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from portrait import SpecError

from .errors import RateLimitError, StoreError

if TYPE_CHECKING:
    from limits import RateLimitItem

Counted = Literal["off", "in this process", "in a store shared by all workers"]

_STORES = ("redis", "rediss", "redis+unix", "memcached")


def require_rate(rate: object) -> RateLimitItem:
    """What ``rate``, such as ``600/minute``, means. Raises :class:`SpecError`."""
    try:
        return limits.parse(rate if isinstance(rate, str) else "")
    except ValueError:
        raise SpecError(f"a rate is a number and a time, as 600/minute, not {rate!r}") from None


class Rates:
    """Counts what is asked, in this process or in the shared ``store``.

    Raises :class:`SpecError` for a store that cannot be used.
    """

    def __init__(self, store: str | None) -> None:
        self.shared = store is not None
        if store is not None and store.partition("://")[0] not in _STORES:
            raise SpecError(f"setting 'store': a URL that begins with one of {', '.join(_STORES)}")
        try:
            # Errors of any store's client come as one class, and nobody waits long for a dead store.
            options: dict[str, float] = {"socket_timeout": 2, "socket_connect_timeout": 2}
            redis = store is not None and store.startswith("redis")
            storage = storage_from_string(
                store or "memory://", wrap_exceptions=True, **(options if redis else {})
            )
        except ConfigurationError as error:
            raise SpecError(
                f"setting 'store': {error}: pip install 'portrait[redis]' or 'portrait[memcached]'"
            ) from None
        self._limiter = FixedWindowRateLimiter(storage)

    def charge(self, who: str, rate: str, cost: int = 1) -> None:
        """Count ``cost`` texts. Raises :class:`RateLimitError`, :class:`StoreError`."""
        item = require_rate(rate)
        # Stores differ in what a name may hold; and no address has to be in one.
        name = hashlib.sha256(who.encode()).hexdigest()[:32]
        try:
            if cost <= item.amount and self._limiter.hit(item, name, cost=cost):
                return
            reset = self._limiter.get_window_stats(item, name).reset_time
        except StorageError:
            raise StoreError(
                "the rate limits cannot be counted now: try again later", retry_after=5
            ) from None
        wait = max(1, int(reset - time.time()) + 1)
        raise RateLimitError(f"more than {item} asked: try again in {wait} s", retry_after=wait)

    @property
    def alive(self) -> bool:
        """Whether the store answers."""
        return bool(self._limiter.storage.check())
