"""``portrait serve``: checks the settings, says what it does, and lets granian run the workers."""

from __future__ import annotations

import logging
import logging.config
import os
import shutil
import signal
import socket
import tempfile
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from portrait import OutputError, SpecError

from . import metrics
from .gate import Gate
from .settings import settings_of
from .state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings import Settings

logger = logging.getLogger("portrait_server")

_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "said": {"format": "portrait: %(levelname)s: %(message)s"},
        "line": {"format": "%(message)s"},
    },
    "handlers": {
        "said": {"class": "logging.StreamHandler", "formatter": "said", "stream": "ext://sys.stderr"},
        "line": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"},
    },
    "loggers": {
        "_granian": {"handlers": ["said"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": [], "level": "WARNING", "propagate": False},
        "portrait_server": {"handlers": ["said"], "level": "INFO", "propagate": False},
        "portrait_server.access": {"handlers": ["line"], "level": "INFO", "propagate": False},
    },
}


class _Server(MPServer):
    """granian, but SIGHUP makes the workers look for new files instead of replacing them."""

    def signal_handler_reload(self, *_: Any, **__: Any) -> None:
        # A worker that has just been forked has this handler, too, for a moment.
        main: Any = self.pid
        if os.getpid() == main:
            for worker in self.wrks:
                with suppress(ProcessLookupError):
                    os.kill(worker.inner.pid, signal.SIGHUP)


def run(values: Mapping[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises :class:`portrait.PortraitError` for a setting, a portrait, a file of keys or an address
    that is wrong.
    """
    settings = settings_of(values)
    if not settings.portraits:
        raise SpecError("no portrait to serve: name one or more")
    logging.config.dictConfig(_LOGGING)
    counters = tempfile.mkdtemp(prefix="portrait-metrics-")
    metrics.share(counters)
    try:
        checked = _check(settings)
        port = _free_port(settings)
        _announce(checked, port)
        server = _Server(
            target="portrait_server",
            address=settings.host,
            port=port,
            interface=Interfaces.RSGI,
            workers=settings.workers,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=int(settings.header_seconds * 1000)),
            websockets=False,
            # Clients who do nothing cost little; the limits on those who do are the gate's.
            backpressure=4096,
            respawn_failed_workers=True,
            workers_kill_timeout=settings.shutdown_seconds + 5,
            log_dictconfig=_LOGGING,
            log_level=LogLevels.warning,
        )
        # What it takes is an application, which for RSGI need not be callable.
        loader: Any = partial(_load, settings.model_dump())
        server.serve(target_loader=loader, wrap_loader=False)
    finally:
        shutil.rmtree(counters, ignore_errors=True)


def _check(settings: Settings) -> State:
    """Open everything once, so that what is wrong is said before anything is served."""
    checked = State(settings)
    if settings.workers > 1 and checked.rated and not checked.rates.shared:
        raise SpecError(
            f"rates would be counted by each of {settings.workers} workers by itself: give a shared store "
            "(--store redis://…), or one worker"
        )
    if settings.compat is not None and settings.compat not in checked.shelf.names:
        raise SpecError(f"setting 'compat': {settings.compat!r} is none of the portraits served")
    return checked


def _free_port(settings: Settings) -> int:
    """The port, once it is sure that nobody else has it: workers bind it for themselves, and share it."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            port: int = probe.getsockname()[1]
            return port
    except OSError as error:
        raise OutputError(f"cannot listen at {settings.host}:{settings.port}: {error.strerror}") from error


def _announce(held: State, port: int) -> None:
    settings, names = held.settings, ", ".join(held.shelf.names)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    workers = f"{settings.workers} worker{'s' * (settings.workers > 1)}"
    asks = "anyone" if held.keyring is None else f"{len(held.keyring.keys)} keys"
    logger.info("serving %s at http://%s:%d with %s, to %s", names, host, port, workers, asks)
    logger.info("rate limits: %s", held.counted if not held.rated else f"counted {held.counted}")


def _load(values: dict[str, Any]) -> Gate:
    """In a worker: the application behind its gate."""
    from . import create_app

    config = {name.upper(): value for name, value in values.items()}
    return Gate(create_app({**config, "LENIENT": True}))
