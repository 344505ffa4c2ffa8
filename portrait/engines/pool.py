"""A pool of processes for a stream of tasks: one function, results in the order of the tasks.

:mod:`portrait.engines.local` runs the tasks of a build: a finite list, results as they come, a second
attempt where a process dies, and one function a call. Here the stream may have no end and is read only a
few tasks ahead, a caller writes the results down in order, and ``prepare`` opens what all tasks of a process
need, once. Where a process dies, the caller resumes from what it has written.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, Any, TypeVar

from portrait.errors import SpecError, WorkerError
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Tasks queued for each process: enough that no process is idle, few enough to bound the memory.
_QUEUED = 2
_MAX_WORKERS = 4096


def available() -> int:
    """Return the number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_workers(n_workers: int) -> int:
    """Return ``n_workers`` if it is a number of processes.

    Raises:
        SpecError: It is not a number of processes, or too large a number.
    """
    if not isinstance(n_workers, int) or isinstance(n_workers, bool) or not 1 <= n_workers <= _MAX_WORKERS:
        raise SpecError(
            f"the number of workers is 1 to {count(_MAX_WORKERS)}, not {n_workers!r}", parameter="workers"
        )
    return n_workers


def in_order(
    prepare: Callable[[], Callable[[Item], Result]], tasks: Iterable[Item], n_workers: int
) -> Generator[Result, None, None]:
    """Yield the result of each task, in order. Closing the iterator stops the processes.

    Args:
        prepare: Returns the function that does the work; called once in each process. It, the tasks and the
            results pickle.
        tasks: The tasks; a few for each process are read ahead, no more.
        n_workers: How many processes; 1 is this very process.

    Raises:
        WorkerError: A process died.
    """
    if n_workers == 1:
        yield from map(prepare(), tasks)
        return
    # Not forked: a fork of a process with threads, which Arrow and others start, may never wake up.
    pool = ProcessPoolExecutor(
        n_workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(pickle.dumps(prepare),)
    )
    waiting: deque[Future[Any]] = deque()
    try:
        for task in tasks:
            with without_interrupts():
                waiting.append(pool.submit(_do, task))
            if len(waiting) >= _QUEUED * n_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process died: it may have been killed for lack of memory: use fewer workers",
            parameter="workers",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Defer Ctrl-C in this thread to the end of the block, and keep it from processes that start there.

    Ctrl-C reaches every process of the terminal. The process that people started decides what it means;
    workers that have just begun would print that they were interrupted.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


#: In a process of the pool: the pickled ``prepare``, and the function that it returned.
_prepare = b""
_work: Callable[[Any], Any] | None = None


def _begin(prepare: bytes) -> None:
    global _prepare
    _prepare = prepare
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """End this process when the parent is gone, even in the middle of a task."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _do(task: Any) -> Any:
    # Prepared here rather than at the start of the process, so that an error reaches the caller.
    global _work
    if _work is None:
        _work = pickle.loads(_prepare)()
    return _work(task)
