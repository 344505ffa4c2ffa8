"""Tasks in processes of this machine.

Each process has a pipe of its own, so that it is known which task it had when it died.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from portrait.engines.pool import without_interrupts
from portrait.engines.task import ATTEMPTS, died
from portrait.engines.worker import serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.engines.task import AnyTask, ProgressCallback, Work


#: Arrow loads NumPy, whose linear algebra starts a thread for each CPU that spins for a while, in every
#: process, and has nothing to do here.
_FEW_THREADS = {"OPENBLAS_NUM_THREADS": "1"}


class LocalEngine:
    """So many processes, started when they are needed. What one can do is done by this very process."""

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._workers: list[_Worker] = []

    def run(
        self, work: Work[AnyTask], tasks: Iterable[AnyTask], report: ProgressCallback
    ) -> Iterator[tuple[AnyTask, dict[str, Any]]]:
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
                        worker.send(work, busy[worker][0])
                for ready in connection.wait([worker.pipe for worker in busy]):
                    worker = next(worker for worker in busy if worker.pipe is ready)
                    kind, content = worker.receive()
                    if kind == "progress":
                        report(*content)
                        continue
                    task, attempt = busy.pop(worker)
                    if kind == "done":
                        yield task, content
                    elif kind == "error":
                        raise content
                    else:
                        self._workers.remove(worker)
                        if attempt == ATTEMPTS:
                            raise died(task, content)
                        self._workers.append(_Worker())
                        waiting.appendleft((task, attempt + 1))
        finally:
            # Their results would be mistaken for those of other tasks.
            for worker in busy:
                worker.stop()
                self._workers.remove(worker)

    def close(self) -> None:
        """Stop all processes."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()


class _Worker:
    """A process that waits for tasks at the other end of a pipe.

    It is an interpreter of its own, which loads this package and nothing of the program that runs here:
    a script need not be written so that it can be imported, as it must for ``multiprocessing``.
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

    def send(self, work: Any, task: Any) -> None:
        data = pickle.dumps((work, task))
        # What is dead is noticed when its answer is waited for.
        with suppress(OSError):
            self.pipe.send_bytes(data)

    def receive(self) -> tuple[str, Any]:
        """What it has to say; ``dead`` where it has gone."""
        try:
            kind, content = pickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            self.pipe.close()
            code = self._process.wait()
            return "dead", f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return kind, content

    def stop(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.wait()
