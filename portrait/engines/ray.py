"""Tasks on a Ray cluster, or on one of this machine that lasts as long as the build.

Ray schedules, and gives what a lost process was doing to another; the files of the work directory are
all that tasks hand to each other, so every machine must see them. What a task needs travels pickled,
and so does what comes of it: errors arrive as they were raised.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.engines.task import ATTEMPTS, died, portable
from portrait.errors import PortraitError, WorkerError
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.engines.task import AnyTask, ProgressCallback, Work

#: Tasks for each CPU: one that runs, and one that waits, so that none is ever idle.
_QUEUED = 2
_CONNECT_SECONDS = 15
_CANCEL_SECONDS = 10
_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
#: Nothing but tasks and what comes of them passes through Ray's memory; this is the least it takes.
_OBJECT_STORE_BYTES = 80 << 20
#: Read by Ray when it is imported or started; what people have set themselves stands.
_SETTINGS = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # nothing here needs a GPU, and Ray would say so
    "RAY_task_oom_retries": str(ATTEMPTS - 1),
}


class RayEngine:
    """Tasks of Ray: ``n_workers`` of them at a time; as many as the cluster has CPUs, if that is nothing.

    ``address`` is the cluster's, which is left as it is. Without one, a cluster of ``n_workers`` CPUs is
    started on this machine, unless this very process has connected to one already. Raises
    :class:`MissingExtraError`, :class:`WorkerError` for a cluster that cannot be reached.
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
                self._limit = None  # Ray sees to that
            else:
                self._connect(address)
        self.n_workers = n_workers or self._n_cpus()
        self._perform = _remote(self._ray)

    def run(
        self, work: Work[AnyTask], tasks: Iterable[AnyTask], report: ProgressCallback
    ) -> Iterator[tuple[AnyTask, dict[str, Any]]]:
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
                    running[self._perform.remote(pickle.dumps((work, task)), directory)] = task
                for ready in ray.wait(list(running), num_returns=1)[0]:
                    task = running.pop(ready)
                    kind, content, done = pickle.loads(self._result(ready, task))
                    if kind == "error":
                        raise content
                    if kind == "unfit":
                        raise WorkerError(f"{task.label}: {content}")
                    report(*done)
                    yield task, content
        finally:
            self._cancel(list(running))

    def _cancel(self, running: list[Any]) -> None:
        """End tasks, and wait for it: until then they may write to files."""
        # Interrupted rather than killed: Ray may give up this very process where a task that it kills ends
        # by itself at the same time. What does not hear it, as on the way to a worker, is told again.
        for force, seconds in ((False, 2), (False, _CANCEL_SECONDS), (True, _CANCEL_SECONDS)):
            if not running:
                return
            for one in running:
                self._ray.cancel(one, force=force)
            _, running = self._ray.wait(running, num_returns=len(running), timeout=seconds)

    def close(self) -> None:
        """Stop the cluster of this machine; let go of another one."""
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
                f"no Ray cluster can be reached at {address!r}: {_line(error)}: see --ray-address"
            ) from error

    def _n_cpus(self) -> int:
        """Those of the cluster as of now: some grow with what is to be done."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _result(self, ready: Any, task: Any) -> bytes:
        lost = self._ray.exceptions
        try:
            result: bytes = self._ray.get(ready)
        except lost.OutOfMemoryError as error:
            raise died(task, "ended by Ray for want of memory") from error
        except (lost.WorkerCrashedError, lost.NodeDiedError) as error:
            raise died(task, "or its machine did") from error
        except lost.RayError as error:
            raise WorkerError(f"{task.label}: Ray has lost it: {_line(error)}") from error
        return result


def _remote(ray: Any) -> Any:
    """What Ray runs. It goes to workers as it is and has no need of this package until it runs there."""
    here = str(Path.cwd())
    # Ray has workers import from the driver's directory, which may hold anything, such as our source.
    stray = [] if here in map(os.path.abspath, filter(None, sys.path)) else [here]
    version = __version__

    def perform(payload: bytes, directory: str) -> bytes:
        import pickle
        import socket
        import sys

        sys.path[:] = [path for path in sys.path if path not in stray]
        try:
            from portrait.engines.ray import serve
            from portrait.version import __version__ as found
        except ImportError as error:
            found, problem = "", f"portrait cannot be imported ({error})"
        else:
            problem = f"portrait is version {found}"
        if found != version:
            message = f"on {socket.gethostname()} {problem}: install version {version} on all machines"
            return pickle.dumps(("unfit", message, None))
        return serve(payload, directory)

    return ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1, retry_exceptions=False)(perform)


def serve(payload: bytes, directory: str) -> bytes:
    """Do a task where Ray has put it, in the ``directory`` of those who wanted it done, if it is there.

    So paths mean what they meant there, and messages name them as people have given them.
    """
    done = [0, 0, 0]

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        for i, n in enumerate((n_bytes, documents, text_bytes)):
            done[i] += n

    before = Path.cwd()
    found = True
    try:
        os.chdir(directory)
    except OSError:
        # Absolute paths will do without it; others must not be looked for in a chance place.
        found = False
        os.chdir("/")
    try:
        work, task = pickle.loads(payload)
        return pickle.dumps(("done", work(task, report), done))
    except MemoryError:
        # The process is of no use any more; another one may fare better.
        os._exit(1)
    except PortraitError as error:
        if not found:
            host = socket.gethostname()
            message = f"{error} (on {host}, which has no directory {directory}: name all by absolute paths)"
            return pickle.dumps(("unfit", message, None))
        return pickle.dumps(("error", portable(error), None))
    except Exception as error:
        return pickle.dumps(("error", portable(error), None))
    finally:
        os.chdir(before)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Have Ray neither warn of its future nor decide what SIGTERM does."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


#: Connects to the cluster that it is told, or says why it cannot.
_TRIAL = f"""
import ray, sys
try:
    ray.init(address=sys.argv[1], **{_QUIET})
except Exception as error:
    print(error)
"""


def _try(address: str) -> None:
    """Raise :class:`OSError` where no cluster answers soon.

    Another process tries it first: Ray has no limit on how long it does, and says so many times.
    """
    known = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
    host, colon, port = known.removeprefix("ray://").partition("/")[0].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    command = [sys.executable, "-P", "-c", _TRIAL, address]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_CONNECT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(
            "what listens there does not answer as a cluster does that knows this token, if it wants one"
        ) from error
    if done.returncode or done.stdout.strip():
        raise OSError(done.stdout.decode(errors="replace") or f"exit code {done.returncode}")


def _line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:300].rstrip(".")
