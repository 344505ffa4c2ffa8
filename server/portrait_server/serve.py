"""``portrait serve``: check the settings, announce them, and let granian run the workers."""

from __future__ import annotations

import logging
import logging.config
import os
import signal
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from portrait import OutputError, SpecError

from . import create_app
from .counters import SharedCounters
from .gate.rsgi import Gate
from .messages import OneLineFormatter, counted
from .orphans import end_with
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
        "message": {"()": OneLineFormatter, "format": "portrait: %(levelname)s: %(message)s"},
        "line": {"format": "%(message)s"},
    },
    "handlers": {
        "message": {"class": "logging.StreamHandler", "formatter": "message", "stream": "ext://sys.stderr"},
        "line": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"},
    },
    "loggers": {
        "_granian": {"handlers": ["message"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": [], "level": "WARNING", "propagate": False},
        "portrait_server": {"handlers": ["message"], "level": "INFO", "propagate": False},
        "portrait_server.access": {"handlers": ["line"], "level": "INFO", "propagate": False},
    },
}


class _Server(MPServer):
    """granian's server, except that SIGHUP makes the workers look for new files instead of replacing them."""

    def signal_handler_reload(self, *_: Any, **__: Any) -> None:
        # For a moment, a worker that has just been forked has this handler too.
        main: Any = self.pid
        if os.getpid() == main:
            for worker in self.wrks:
                with suppress(ProcessLookupError):
                    os.kill(worker.inner.pid, signal.SIGHUP)


def run(values: Mapping[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        values: The settings, unchecked.

    Raises:
        PortraitError: A setting, a portrait, the file of keys or the address is wrong.
    """
    settings = settings_of(values)
    if not settings.portraits:
        raise SpecError("no portrait to serve: name at least one")
    logging.config.dictConfig(_LOGGING)
    counters = SharedCounters()
    try:
        state = _check(settings)
        port = _free_port(settings)
        _announce(state, port)
        server = _Server(
            target="portrait_server",
            address=settings.host,
            port=port,
            interface=Interfaces.RSGI,
            workers=settings.workers,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=int(settings.header_seconds * 1000)),
            websockets=False,
            # Idle clients cost little; the gate limits the busy ones.
            backpressure=4096,
            respawn_failed_workers=True,
            workers_kill_timeout=settings.shutdown_seconds + 5,
            log_dictconfig=_LOGGING,
            log_level=LogLevels.warning,
        )
        # granian's types expect a callable, which an RSGI application need not be.
        loader: Any = partial(_load, settings.model_dump(), os.getpid())
        server.serve(target_loader=loader, wrap_loader=False)
    finally:
        counters.remove()


def _check(settings: Settings) -> State:
    """Open everything once, so that errors are reported before anything is served."""
    for root in settings.roots:
        if not root.is_dir():
            raise SpecError(f"setting 'roots': {root}: not a directory")
    state = State(settings)
    state.require_shared_rates()
    if settings.compat is not None and settings.compat not in state.shelf.names:
        raise SpecError(f"setting 'compat': {settings.compat!r} is not one of the portraits to serve")
    return state


def _free_port(settings: Settings) -> int:
    """Return the port after checking that it is free: all workers bind it themselves and share it."""
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
        raise OutputError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error


def _announce(state: State, port: int) -> None:
    settings, doorkeeper = state.settings, state.doorkeeper
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    callers = "anyone" if doorkeeper.keyring is None else counted(len(doorkeeper.keyring.keys), "key")
    logger.info(
        "serving %s at http://%s:%d with %s, to %s",
        ", ".join(state.shelf.names),
        host,
        port,
        counted(settings.workers, "worker"),
        callers,
    )
    counting = doorkeeper.counting
    logger.info("rate limits: %s", counting if not doorkeeper.has_rates else f"counted {counting}")


def _load(values: dict[str, Any], parent_pid: int) -> Gate:
    """Return the application of a worker, behind its gate."""
    end_with(parent_pid)
    config = {name.upper(): value for name, value in values.items()}
    return Gate(create_app({**config, "LENIENT": True}))
