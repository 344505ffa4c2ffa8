"""A worker process: performs pickled tasks and answers with messages."""

from __future__ import annotations

import os
import pickle
import select
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait.engines.task import ProgressCallback, Work


@dataclass(frozen=True, slots=True)
class Advance:
    """Progress of the task at hand, as a :class:`portrait.engines.task.ProgressCallback` takes it."""

    n_bytes: int
    documents: int = 0
    text_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Success:
    """The result of a task."""

    result: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """The error that a task raised."""

    error: Exception


Outcome = Success | Failure


def pack(work: Work[Any, Any], task: Any) -> bytes:
    """Return a task and what is done with it, for :func:`perform`."""
    return pickle.dumps((work, task))


def perform(payload: bytes, report: ProgressCallback) -> Outcome:
    """Do a task of :func:`pack`, and return its result or its error."""
    try:
        work, task = pickle.loads(payload)
        return Success(work(task, report))
    except MemoryError:
        # This process can no longer be relied on; another one may succeed.
        os._exit(1)
    except Exception as error:
        return Failure(portable(error))


def portable(error: Exception) -> Exception:
    """Return the error itself if it pickles, else a :class:`RuntimeError` with the same message."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception_only(error)).strip())
    return error


def serve(descriptor: int) -> None:
    """Perform the tasks that arrive through a pipe until its other end closes.

    Args:
        descriptor: This end of the pipe, which :class:`portrait.engines.local.LocalEngine` opened.
    """
    pipe = Connection(descriptor)
    threading.Thread(target=_exit_with_parent, args=(descriptor,), daemon=True).start()

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        pipe.send_bytes(pickle.dumps(Advance(n_bytes, documents, text_bytes)))

    while True:
        try:
            payload = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        outcome = perform(payload, report)
        try:
            pipe.send_bytes(pickle.dumps(outcome))
        except OSError:
            return


def _exit_with_parent(descriptor: int) -> None:
    """End this process when the parent is gone, even in the middle of a task."""
    poll = select.poll()
    poll.register(descriptor, 0)  # no events: a hangup is reported all the same
    poll.poll()
    os._exit(1)
