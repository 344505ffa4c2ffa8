"""One function over many tasks in several processes, the results in the order of the tasks."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Tasks that wait for each process: enough that none is ever idle, few enough to bound the memory.
_QUEUED = 2


def available() -> int:
    """The CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_workers(n_workers: int) -> int:
    """``n_workers``, if it is a number of processes. Raises :class:`SpecError`."""
    if not isinstance(n_workers, int) or isinstance(n_workers, bool) or not 1 <= n_workers <= 4096:
        raise SpecError(f"the number of workers is 1 to 4096, not {n_workers!r}")
    return n_workers


def in_order(
    prepare: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], n_workers: int
) -> Generator[Result, None, None]:
    """What becomes of each task, in order; a single worker is this very process.

    ``prepare`` makes the function that does the work, once in each process; it, the tasks and the
    results are pickled on their way. A few tasks for each worker are read ahead, no more. Close the
    iterator to stop the processes. Raises :class:`WorkerError` where one of them dies.
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
            "a worker process died: it may have been killed for want of memory: "
            "try again with fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ctrl-C waits until this is over, and processes begun meanwhile never hear of it.

    It reaches every process of the terminal; the one that people started decides what it means, and
    those that are just beginning would say that they were interrupted.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


#: In a process of the pool: how to make the function that does the work, and that function.
_prepare = b""
_work: Callable[[Any], Any] | None = None


def _begin(prepare: bytes) -> None:
    global _prepare
    _prepare = prepare
    _follow_parent()


def _follow_parent() -> None:
    """Do not outlive a parent that is killed: nobody would ever end this process."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _do(task: Any) -> Any:
    # Prepared here and not when the process begins, so that an error comes back as a result does.
    global _work
    if _work is None:
        _work = pickle.loads(_prepare)()
    return _work(task)
