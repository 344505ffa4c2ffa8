"""Settings of the libraries that read a hub, changed only while a call into them runs."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from portrait import extras

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Attempts to resume reading after a connection breaks, and the seconds between them. Each is several
#: attempts of the client's own and takes about twenty seconds.
_ATTEMPTS, _PAUSE_SECONDS = 3, 2
_RETRIES = {
    "STREAMING_READ_MAX_RETRIES": _ATTEMPTS,
    "STREAMING_READ_RETRY_INTERVAL": _PAUSE_SECONDS,
    "STREAMING_OPEN_MAX_RETRIES": _ATTEMPTS,
    "STREAMING_OPEN_RETRY_INTERVAL": _PAUSE_SECONDS,
}


class _SharedSettings:
    """The changed settings: the first user changes them, the last one restores them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_users = 0
        self._restore = ExitStack()

    def enter(self) -> None:
        with self._lock:
            if self._n_users == 0:
                with ExitStack() as stack:
                    _change(stack)
                    self._restore = stack.pop_all()
            self._n_users += 1

    def leave(self) -> None:
        with self._lock:
            self._n_users -= 1
            if self._n_users == 0:
                self._restore.close()


_SETTINGS = _SharedSettings()


@contextmanager
def quiet() -> Iterator[None]:
    """Let the libraries draw no progress bars, log no advice, and give up after about a minute.

    The settings are global to the process. They are restored when the last of all overlapping blocks, in
    whatever thread, is left. A generator must not yield within the block: it may never be resumed.
    """
    _SETTINGS.enter()
    try:
        yield
    finally:
        _SETTINGS.leave()


def _change(stack: ExitStack) -> None:
    """Change the settings, and push what restores each of them."""
    datasets = extras.load("datasets", "build")
    hub = extras.load("huggingface_hub.utils", "build")
    config = datasets.config
    for name, value in _RETRIES.items():
        if hasattr(config, name):
            stack.callback(setattr, config, name, getattr(config, name))
            setattr(config, name, value)
    for library in (datasets, hub):
        log = library.logging
        stack.callback(log.set_verbosity, log.get_verbosity())
        log.set_verbosity(log.CRITICAL)
        if not library.are_progress_bars_disabled():
            stack.callback(library.enable_progress_bars)
            library.disable_progress_bars()
