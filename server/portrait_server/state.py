"""What an application holds: settings, shelf, keys, counters; and looking for what changed on disk."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, cast

from flask import current_app

import portrait

from .keys import Keyring, read_keys
from .metrics import Metrics
from .rates import Counted, Rates, require_rate
from .shelf import Shelf

if TYPE_CHECKING:
    from pathlib import Path

    from .settings import Settings

logger = logging.getLogger("portrait_server")


class State:
    """Everything that views share; made once for each application.

    ``lenient`` is as for :class:`Shelf`. Raises :class:`portrait.PortraitError` for a portrait, a
    file of keys or a store that cannot be used.
    """

    def __init__(self, settings: Settings, *, lenient: bool = False) -> None:
        self.settings = settings
        self.shelf = Shelf(settings.portraits, lenient=lenient)
        self.metrics = Metrics()
        if settings.rate is not None:
            require_rate(settings.rate)
        self.rates = Rates(settings.store)
        self.keyring: Keyring | None = None
        self._keys_stamp = _stamp(settings.keys)
        if settings.keys is not None:
            self.keyring = read_keys(settings.keys)
        self._lock = threading.Lock()
        self._looked = time.monotonic()

    @property
    def rated(self) -> bool:
        """Whether anybody has a rate."""
        return self.settings.rate is not None or (self.keyring is not None and self.keyring.rated)

    @property
    def counted(self) -> Counted:
        """Where rates are counted."""
        if not self.rated:
            return "off"
        return "in a store shared by all workers" if self.rates.shared else "in this process"

    def refresh(self, *, force: bool = False) -> None:
        """Take in what changed on disk, if it is time to look again, or at once (``force``).

        Whoever comes while another looks does not wait for it.
        """
        due = time.monotonic() - self._looked >= self.settings.reload_seconds
        if not (due or force) or not self._lock.acquire(blocking=force):
            return
        try:
            self._looked = time.monotonic()
            self.shelf.reload(force=force)
            self._reload_keys(force)
        finally:
            self._lock.release()

    def _reload_keys(self, force: bool) -> None:
        path, stamp = self.settings.keys, _stamp(self.settings.keys)
        if path is None or (stamp == self._keys_stamp and not force):
            return
        self._keys_stamp = stamp
        try:
            self.keyring = read_keys(path)
        except portrait.PortraitError as error:
            logger.error("the keys stay as they were: %s", error)
        else:
            logger.info("%d keys are read anew", len(self.keyring.keys))


def _stamp(path: Path | None) -> tuple[int, int, int]:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        status = None
    return (0, 0, 0) if status is None else (status.st_ino, status.st_size, status.st_mtime_ns)


def state() -> State:
    """The state of the application that answers this request."""
    return cast("State", current_app.extensions["portrait_server"])
