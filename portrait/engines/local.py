"""The engine of this machine: a finite list of tasks in processes, in the order in which they finish.

Each process has a pipe of its own, so that the engine knows which task a process had when it died, and
gives that task to another. :mod:`portrait.engines.pool` is the other way to use several processes: a stream
of tasks without end, results in order, no second attempt.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from typing import TYPE_CHECKING

from portrait.engines.pool import without_interrupts
from portrait.engines.task import next_attempt
from portrait.engines.worker import Advance, Failure, Outcome, pack, serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.engines.task import AnyTask, ProgressCallback, Result, Work


#: Arrow loads NumPy, whose linear algebra library starts a thread for each CPU in every process. These
#: threads are never used here, but spin for a while.
_FEW_THREADS = {"OPENBLAS_NUM_THREADS": "1"}


class LocalEngine:
    """An engine of up to ``n_workers`` processes, started when they are needed.

    Tasks that one process can do run in the calling process.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._workers: list[_Worker] = []

    def run(
        self, work: Work[AnyTask, Result], tasks: Iterable[AnyTask], report: ProgressCallback
    ) -> Iterator[tuple[AnyTask, Result]]:
        """See :meth:`portrait.engines.task.Engine.run`."""
        waiting = deque((task, 1) for task in tasks)
        if self.n_workers == 1 or (len(waiting) <= 1 and not self._workers):
            for task, _ in waiting:
                yield task, work(task, report)
            return
        while len(self._workers) < min(self.n_workers, len(waiting)):
            self._workers.append(_Worker())
        busy: dict[_Worker, tuple[AnyTask, int]] = {}
        try:
            while waiting or busy:
                for worker in self._workers:
                    if waiting and worker not in busy:
                        busy[worker] = waiting.popleft()
                        worker.send(pack(work, busy[worker][0]))
                for ready in connection.wait([worker.pipe for worker in busy]):
                    worker = next(worker for worker in busy if worker.pipe is ready)
                    message = worker.receive()
                    if isinstance(message, Advance):
                        report(message.n_bytes, message.documents, message.text_bytes)
                        continue
                    task, attempt = busy.pop(worker)
                    if isinstance(message, _Death):
                        self._workers.remove(worker)
                        waiting.appendleft((task, next_attempt(task, attempt, message.cause)))
                        self._workers.append(_Worker())
                    elif isinstance(message, Failure):
                        raise message.error
                    else:
                        yield task, message.result
        finally:
            # The results of these tasks would be mistaken for those of later ones.
            for worker in busy:
                worker.stop()
                self._workers.remove(worker)

    def close(self) -> None:
        """Stop all processes."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()


@dataclass(frozen=True, slots=True)
class _Death:
    """The end of a worker process before the end of its task."""

    cause: str


class _Worker:
    """A process that performs tasks from a pipe.

    It is an interpreter of its own, which loads this package and nothing of the program that runs here:
    a script need not be importable, as it must be for ``multiprocessing``.
    """

    def __init__(self) -> None:
        self.pipe, theirs = connection.Pipe()
        with theirs, without_interrupts():
            code = (
                f"import sys; sys.path[:] = {sys.path!r}; "
                f"from {serve.__module__} import serve; serve({theirs.fileno()})"
            )
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**_FEW_THREADS, **os.environ},
            )

    def send(self, payload: bytes) -> None:
        # The death of a process is noticed by :meth:`receive`.
        with suppress(OSError):
            self.pipe.send_bytes(payload)

    def receive(self) -> Advance | Outcome | _Death:
        try:
            message: Advance | Outcome = pickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            self.pipe.close()
            code = self._process.wait()
            return _Death(f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}")
        return message

    def stop(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.wait()
