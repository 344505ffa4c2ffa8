"""The other end of a pipe of :mod:`portrait.engines.local`: does what comes through it."""

from __future__ import annotations

import os
import pickle
import select
import threading
from multiprocessing.connection import Connection

from portrait.engines.task import portable


def serve(descriptor: int) -> None:
    """Do the tasks that come through a pipe, until it is closed at the other end."""
    pipe = Connection(descriptor)
    threading.Thread(target=_follow, args=(descriptor,), daemon=True).start()

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        pipe.send_bytes(pickle.dumps(("progress", (n_bytes, documents, text_bytes))))

    while True:
        try:
            given = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            work, task = pickle.loads(given)
            answer = ("done", work(task, report))
        except MemoryError:
            # This process is of no use any more; another one may fare better.
            os._exit(1)
        except Exception as error:
            answer = ("error", portable(error))
        try:
            pipe.send_bytes(pickle.dumps(answer))
        except OSError:
            return


def _follow(descriptor: int) -> None:
    """Do not outlive a parent that is killed: nobody would ever end this process."""
    poll = select.poll()
    poll.register(descriptor, 0)  # which still reports that the other end has gone
    poll.poll()
    os._exit(1)
