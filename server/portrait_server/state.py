"""What all views of an application share, and how it follows changes on disk."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, cast

from flask import current_app

from portrait import SpecError

from .access.doorkeeper import Doorkeeper
from .metrics import Metrics
from .shelf import Shelf

if TYPE_CHECKING:
    from .settings import Settings

logger = logging.getLogger("portrait_server")

#: The key of the state among Flask's extensions.
EXTENSION = "portrait_server"


class State:
    """The settings, portraits, access rules and counters of one application.

    Args:
        settings: The settings of the server.
        lenient: Start even if a portrait is damaged, see :class:`Shelf`, or the file of keys.

    Raises:
        PortraitError: A portrait, the file of keys or the store cannot be used.
    """

    def __init__(self, settings: Settings, *, lenient: bool = False) -> None:
        self.settings = settings
        self.shelf = Shelf(settings.portraits, roots=settings.roots, lenient=lenient)
        self.metrics = Metrics(self.shelf.states)
        self.doorkeeper = Doorkeeper(
            settings.keys,
            settings.rate,
            settings.store,
            on_refusal=self.metrics.count_rate_refusal,
            lenient=lenient,
        )
        self._lock = threading.Lock()
        self._refreshed = time.monotonic()

    def require_shared_rates(self) -> None:
        """Check that rates hold if several workers count them.

        Raises:
            SpecError: Each worker would count for itself.
        """
        doorkeeper = self.doorkeeper
        if self.settings.workers > 1 and doorkeeper.has_rates and not doorkeeper.rates.shared:
            raise SpecError(
                f"each of {self.settings.workers:,} workers would count rates for itself: set a shared store "
                "(setting 'store'), or one worker"
            )

    def refresh(self, *, force: bool = False) -> None:
        """Follow changes on disk if it is time to look again, or at once (``force``).

        While one thread looks, others do not wait for it.
        """
        due = time.monotonic() - self._refreshed >= self.settings.reload_seconds
        if not (due or force) or not self._lock.acquire(blocking=force):
            return
        try:
            self._refreshed = time.monotonic()
            for follow in (self.shelf.reload, self.doorkeeper.reload):
                try:
                    follow(force=force)
                except Exception:
                    # Whatever went wrong, requests are answered as before, and the next look may succeed.
                    logger.exception("changes on disk could not be followed")
        finally:
            self._lock.release()


def current_state() -> State:
    """Return the state of the application that handles the current request."""
    return cast("State", current_app.extensions[EXTENSION])
