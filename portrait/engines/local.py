"""Tasks in processes of this machine.

Each process has a pipe of its own, so that it is known which task it had when it died.
"""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections import deque
from multiprocessing import connection, get_context
from typing import TYPE_CHECKING, Any

from portrait.engines.base import ATTEMPTS
from portrait.errors import WorkerError
from portrait.workers import follow_parent, without_interrupts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection

    from portrait.engines.base import AnyTask, Report, Work


class LocalEngine:
    """So many processes, started when they are needed. What one can do is done by this very process."""

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._workers: list[_Worker] = []

    def run(
        self, work: Work[AnyTask], tasks: Iterable[AnyTask], report: Report
    ) -> Iterator[tuple[AnyTask, dict[str, Any]]]:
        """See :meth:`portrait.engines.base.Engine.run`."""
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
                    elif attempt == ATTEMPTS:
                        raise WorkerError(
                            f"{task.label}: the process that worked on it died {ATTEMPTS} times ({content}): "
                            "it may lack memory: try fewer --workers, or find what is odd about it"
                        )
                    else:
                        self._workers[self._workers.index(worker)] = _Worker()
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
    """A process that waits for tasks at the other end of a pipe."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with without_interrupts():
            self._process.start()
        theirs.close()

    def send(self, work: Any, task: Any) -> None:
        # What is dead is noticed when its answer is waited for.
        data = pickle.dumps((work, task))
        try:
            self.pipe.send_bytes(data)
        except OSError:
            return

    def receive(self) -> tuple[str, Any]:
        """What it has to say; ``dead`` where it has gone."""
        try:
            kind, content = pickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode or 0
            self.pipe.close()
            return "dead", f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return kind, content

    def stop(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection) -> None:
    """Do what comes through a pipe, until it is closed."""
    follow_parent()

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        pipe.send_bytes(pickle.dumps(("progress", (n_bytes, documents, text_bytes))))

    while True:
        try:
            work, task = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        try:
            answer = ("done", work(task, report))
        except MemoryError:
            # The process is of no use any more; another one may fare better.
            os._exit(1)
        except Exception as error:
            answer = ("error", _portable(error))
        try:
            pipe.send_bytes(pickle.dumps(answer))
        except OSError:
            return


def _portable(error: Exception) -> Exception:
    """An error that reaches the other side as it is, or one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception_only(error)).strip())
    return error
