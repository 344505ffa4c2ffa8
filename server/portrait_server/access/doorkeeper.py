"""The doorkeeper, who knows the keys, identifies callers, and charges them for what they ask."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from portrait import PortraitError

from ..errors import RateLimitError
from ..messages import counted
from .callers import Caller, network_of
from .keys import Keyring, read_keys
from .rates import Rates, parse_rate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Counting = Literal["off", "in this process", "in a store shared by all workers"]

logger = logging.getLogger("portrait_server")

#: The stamp of a missing file.
_MISSING = (0, 0, 0)
#: The stamp of no file: the file is read at the next look.
_UNREAD = (-1, -1, -1)


class Doorkeeper:
    """The access rules of one server.

    Attributes:
        keyring: The keys; ``None`` if anyone may ask.
        rates: The counts of what callers ask.

    Args:
        keys: The file of keys; ``None`` lets anyone ask.
        rate: The rate of a caller without a rate of its own; ``None`` sets no limit.
        store: The URL of the store where all workers count together; ``None`` counts in this process.
        on_refusal: Is called whenever a rate refuses a caller.
        lenient: Start although the file of keys cannot be read, and refuse everyone until it can.

    Raises:
        SpecError: The file of keys, the rate or the store is wrong.
    """

    def __init__(
        self,
        keys: Path | None = None,
        rate: str | None = None,
        store: str | None = None,
        *,
        on_refusal: Callable[[], None] = lambda: None,
        lenient: bool = False,
    ) -> None:
        if rate is not None:
            parse_rate(rate)
        self.rates = Rates(store)
        # Refusals cost no text: they are few, and each process counts its own.
        self._refusals = Rates(None)
        self.keyring: Keyring | None = None
        self._rate = rate
        self._path = keys
        self._stamp = _stamp(keys)
        self._on_refusal = on_refusal
        if keys is not None:
            try:
                self.keyring = read_keys(keys)
            except PortraitError as error:
                if not lenient:
                    raise
                logger.error("nobody has a valid key: %s", error)
                self.keyring, self._stamp = Keyring({}), _UNREAD

    @property
    def has_rates(self) -> bool:
        """Whether any caller has a rate."""
        return self._rate is not None or (self.keyring is not None and self.keyring.has_rates)

    @property
    def counting(self) -> Counting:
        """Where rates are counted."""
        if not self.has_rates:
            return "off"
        return "in a store shared by all workers" if self.rates.shared else "in this process"

    def identify(self, secret: str | None, address: str) -> Caller:
        """Return the caller that a request comes from.

        Args:
            secret: The key that the request presents, if any.
            address: The IP address that the request comes from.

        Raises:
            UnauthorizedError: The server has keys, and this is not a valid one.
        """
        if self.keyring is None:
            return Caller(f"address {network_of(address)}", rate=self._rate)
        key = self.keyring.find(secret)
        return Caller(f"key {key.name}", key.name, key.portraits, key.rate or self._rate)

    def charge(self, caller: Caller, n_texts: int = 1) -> None:
        """Count texts against the caller's rate.

        Raises:
            RateLimitError: The rate is used up.
            StoreError: The store of the rates does not answer.
        """
        if n_texts > 0 and caller.rate is not None:
            try:
                self.rates.charge(caller.account, caller.rate, n_texts)
            except RateLimitError:
                self._on_refusal()
                raise

    def require_patience(self, caller: Caller) -> None:
        """Check that no more of the caller's requests were refused than its rate allows texts.

        Raises:
            RateLimitError: Too many were refused.
        """
        if caller.rate is not None:
            self._refusals.require(caller.account, caller.rate)

    def count_refusal(self, caller: Caller) -> None:
        """Count a request of the caller that was refused for what it contains."""
        if caller.rate is not None:
            self._refusals.count(caller.account, caller.rate)

    def reload(self, *, force: bool = False) -> None:
        """Read the file of keys again if it changed, or in any case (``force``).

        A file that cannot be read leaves the present keys in force, and the log says so.
        """
        stamp = _stamp(self._path)
        if self._path is None or (stamp == self._stamp and not force):
            return
        self._stamp = stamp
        try:
            self.keyring = read_keys(self._path)
        except PortraitError as error:
            logger.error("the present keys stay in force: %s", error)
        else:
            logger.info("read %s", counted(len(self.keyring.keys), "key"))


def _stamp(path: Path | None) -> tuple[int, int, int]:
    """Return what tells a changed file from an unchanged one."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        status = None
    return _MISSING if status is None else (status.st_ino, status.st_size, status.st_mtime_ns)
