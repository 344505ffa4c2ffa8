"""The engine of a Ray cluster, or of one that it starts on this machine for as long as the build lasts.

Ray schedules; a task whose process or machine is lost goes to another one. Tasks hand nothing to each other
but the files of the work directory, so every machine must see those. Tasks and results travel pickled by
this module, so that errors arrive as they were raised.
"""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.engines.task import ATTEMPTS, gave_up, next_attempt
from portrait.engines.worker import Failure, Outcome, pack, perform
from portrait.errors import PortraitError, WorkerError
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.engines.task import AnyTask, ProgressCallback, Result, Task, Work

#: Tasks for each CPU: one that runs, and one that waits, so that no CPU is idle.
_QUEUED = 2
_CONNECT_SECONDS = 15
#: How long tasks may take to end by themselves, and to heed an interrupt.
_DRAIN_SECONDS = 2
_CANCEL_SECONDS = 5
#: All that Ray says about the death of a process: "the process died (or its machine did)".
_DEATH = "or its machine did"
_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
#: The least that Ray accepts: only tasks and their results pass through its memory.
_OBJECT_STORE_BYTES = 80 << 20
#: Read by Ray when it is imported or started; values that the user has set take precedence.
_SETTINGS = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray would warn of GPUs, which nothing here needs
    "RAY_task_oom_retries": str(ATTEMPTS - 1),
}


@dataclass(frozen=True, slots=True)
class _Message:
    """What a task's process returns: the outcome, and what Ray has no channel for."""

    outcome: Outcome
    attempt: int = 1
    n_bytes: int = 0
    documents: int = 0
    text_bytes: int = 0


class RayEngine:
    """An engine of Ray's workers.

    Args:
        n_workers: How many tasks run at a time; by default as many as the cluster has CPUs.
        address: A cluster to connect to, which keeps running. By default a cluster of ``n_workers`` CPUs
            starts on this machine, unless this process has connected to one already.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: The cluster cannot be reached or started.
    """

    def __init__(self, n_workers: int | None = None, address: str | None = None) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        self._ray: Any = extras.load("ray", "ray")
        self._limit = n_workers
        self._ours = not self._ray.is_initialized()
        if self._ours:
            if address is None:
                self._start(n_workers)
                self._limit = None  # Ray itself limits them to its CPUs
            else:
                self._connect(address)
        self.n_workers = n_workers or self._n_cpus()
        self._perform = _remote(self._ray)

    def run(
        self, work: Work[AnyTask, Result], tasks: Iterable[AnyTask], report: ProgressCallback
    ) -> Iterator[tuple[AnyTask, Result]]:
        """See :meth:`portrait.engines.task.Engine.run`. Progress is reported when a task is done."""
        ray = self._ray
        waiting = deque(tasks)
        running: dict[Any, AnyTask] = {}
        directory = str(Path.cwd())
        try:
            while waiting or running:
                room = self._limit or _QUEUED * self._n_cpus()
                while waiting and len(running) < room:
                    task = waiting.popleft()
                    running[self._perform.remote(pack(work, task), directory)] = task
                for ready in ray.wait(list(running), num_returns=1)[0]:
                    task = running.pop(ready)
                    message = self._receive(ready, task)
                    # Ray itself runs a lost task again; that it did is known when the task is done.
                    for attempt in range(1, message.attempt):
                        next_attempt(task, attempt, _DEATH)
                    if isinstance(message.outcome, Failure):
                        raise message.outcome.error
                    report(message.n_bytes, message.documents, message.text_bytes)
                    yield task, message.outcome.result
        finally:
            self._cancel(list(running))

    def _cancel(self, running: list[Any]) -> None:
        """End tasks, and wait until they have ended: before that they may write to files."""
        # Ray may end the calling process if a task that it cancels or kills ends by itself at the same time.
        # So short tasks may end by themselves, and others are interrupted before they are killed. A task on
        # the way to a worker misses the first interrupt.
        for force, seconds in ((None, _DRAIN_SECONDS), (False, 2), (False, _CANCEL_SECONDS), (True, 10)):
            if not running:
                return
            if force is not None:
                for one in running:
                    self._ray.cancel(one, force=force)
            _, running = self._ray.wait(running, num_returns=len(running), timeout=seconds)

    def close(self) -> None:
        """Stop the cluster that this engine started, or disconnect from the one at its address."""
        if self._ours:
            self._ours = False
            self._ray.shutdown()

    def _start(self, n_cpus: int | None) -> None:
        try:
            with _undisturbed():
                self._ray.init(
                    address="local",
                    num_cpus=n_cpus,
                    include_dashboard=False,
                    **_QUIET,
                    object_store_memory=_OBJECT_STORE_BYTES,
                )
        except Exception as error:
            raise WorkerError(f"Ray cannot be started on this machine: {_line(error)}") from error

    def _connect(self, address: str) -> None:
        try:
            _try(address)
            with _undisturbed():
                self._ray.init(address=address, **_QUIET)
        except Exception as error:
            raise WorkerError(
                f"no Ray cluster can be reached at {address!r}: {_line(error)}: give the address of a "
                "running cluster",
                parameter="ray_address",
            ) from error

    def _n_cpus(self) -> int:
        """Return the number of CPUs of the cluster as of now: some clusters grow with their load."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _receive(self, ready: Any, task: Task) -> _Message:
        """Return the message of a task that has ended.

        Raises:
            WorkerError: Every process that worked on the task died, or its machine cannot run it.
        """
        lost = self._ray.exceptions
        try:
            reply: bytes | str = self._ray.get(ready)
        except lost.OutOfMemoryError as error:
            raise gave_up(task, "ended by Ray for lack of memory") from error
        except (lost.WorkerCrashedError, lost.NodeDiedError) as error:
            raise gave_up(task, _DEATH) from error
        except lost.RayError as error:
            raise WorkerError(f"{task.label}: Ray cannot run it: {_line(error)}") from error
        if isinstance(reply, str):
            raise WorkerError(f"{task.label}: {reply}")
        message: _Message = pickle.loads(reply)
        return message


def _remote(ray: Any) -> Any:
    """Return the function that Ray runs.

    It travels to workers by value and needs nothing of this package until it runs there. It returns a pickled
    message, or a text that says why the machine is unfit for the task.
    """
    here = str(Path.cwd())
    # Ray lets workers import from the driver's directory, which may hold anything, such as a source tree.
    stray = [] if here in map(os.path.abspath, filter(None, sys.path)) else [here]
    version = __version__

    def run_here(payload: bytes, directory: str) -> bytes | str:
        import socket
        import sys

        sys.path[:] = [path for path in sys.path if path not in stray]
        try:
            from portrait.engines.ray import serve
            from portrait.version import __version__ as installed
        except ImportError as error:
            installed, problem = "", f"portrait cannot be imported ({error})"
        else:
            problem = f"portrait is version {installed}"
        if installed != version:
            return f"on {socket.gethostname()} {problem}: install version {version} on all machines"
        return serve(payload, directory)

    # Ray does the retries: if it has none left, cancelling a task can end the calling process.
    return ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1, retry_exceptions=False)(run_here)


def serve(payload: bytes, directory: str) -> bytes | str:
    """Perform a task on the machine that Ray chose.

    Args:
        payload: The task, as :func:`portrait.engines.worker.pack` gives it.
        directory: The working directory of the build. The task runs in it, if this machine has it, so that
            relative paths mean the same and messages name files as people gave them.

    Returns:
        The pickled message, or a text that says why this machine is unfit for the task.
    """
    progress = [0, 0, 0]

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        for i, n in enumerate((n_bytes, documents, text_bytes)):
            progress[i] += n

    before = Path.cwd()
    exists = True
    try:
        os.chdir(directory)
    except OSError:
        # Absolute paths work without it; relative ones must not be resolved against another directory.
        exists = False
        os.chdir("/")
    try:
        outcome = perform(payload, report)
        if not exists and isinstance(outcome, Failure) and isinstance(outcome.error, PortraitError):
            host = socket.gethostname()
            return f"{outcome.error} (on {host}, which has no directory {directory}: use absolute paths)"
        return pickle.dumps(_Message(outcome, _attempt(), *progress))
    finally:
        os.chdir(before)


def _attempt() -> int:
    """Return the number of this attempt at a task, from 1: Ray knows it, and has no public name for it."""
    with suppress(Exception):
        worker = importlib.import_module("ray._private.worker").global_worker
        return 1 + int(worker.core_worker.get_current_task_attempt_number())
    return 1


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Silence Ray's warnings, and restore the handler of SIGTERM, which Ray replaces."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


#: A program that connects to the cluster at an address, or prints why it cannot.
_TRIAL = f"""
import ray, sys
try:
    ray.init(address=sys.argv[1], **{_QUIET})
except Exception as error:
    print(error)
"""


def _try(address: str) -> None:
    """Connect to a cluster in another process first: Ray tries without a time limit, and prints each try.

    Raises:
        OSError: No cluster answers in time.
    """
    target = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
    host, colon, port = target.removeprefix("ray://").partition("/")[0].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    command = [sys.executable, "-P", "-c", _TRIAL, address]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_CONNECT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OSError("it does not answer as a cluster that accepts this access token") from error
    if done.returncode or done.stdout.strip():
        raise OSError(done.stdout.decode(errors="replace") or f"exit code {done.returncode}")


def _line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:300].rstrip(".")
