"""Worker processes: their replies, errors that cannot be pickled, and when they exit."""

from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from support import engine_work
from support.engine_work import Chore

from portrait.engines.worker import Advance, Failure, Success, pack, perform, portable
from portrait.errors import BadRowError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_task_runs_and_reports_its_progress() -> None:
    progress: list[tuple[int, int, int]] = []

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        progress.append((n_bytes, documents, text_bytes))

    outcome = perform(pack(engine_work.echo, Chore("a")), report)
    assert isinstance(outcome, Success)
    assert outcome.result["name"] == "a"
    assert progress == [(7, 1, 5)]


def test_an_error_becomes_a_failure() -> None:
    outcome = perform(pack(engine_work.fail, Chore("a")), engine_work.ignore)
    assert isinstance(outcome, Failure)
    assert type(outcome.error) is BadRowError
    outcome = perform(b"no pickle", engine_work.ignore)
    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, pickle.UnpicklingError)


def test_an_error_that_cannot_be_pickled_keeps_its_message() -> None:
    class Strange(Exception):  # noqa: N818  # no other process can import it
        pass

    error = portable(Strange("how odd"))
    assert type(error) is RuntimeError
    assert str(error).endswith("Strange: how odd")
    for same in (OutputError("no room"), ValueError("3")):
        assert portable(same) is same


@contextmanager
def worker() -> Iterator[tuple[Any, subprocess.Popen[bytes]]]:
    """Run a worker on the other end of a pipe; yield this end and the process."""
    pipe, worker_pipe = connection.Pipe()
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from portrait.engines.worker import serve; "
        f"serve({worker_pipe.fileno()})"
    )
    with worker_pipe:
        process = subprocess.Popen([sys.executable, "-c", code], pass_fds=[worker_pipe.fileno()])
    with process:
        yield pipe, process
        process.kill()


def test_a_worker_answers_each_task_and_exits_when_its_pipe_is_closed() -> None:
    with worker() as (pipe, process):
        for _ in range(2):
            pipe.send_bytes(pack(engine_work.echo, Chore("a")))
            assert pickle.loads(pipe.recv_bytes()) == Advance(7, 1, 5)
            outcome = pickle.loads(pipe.recv_bytes())
            assert isinstance(outcome, Success)
            assert outcome.result["pid"] == process.pid
        pipe.send_bytes(pack(engine_work.fail, Chore("a")))
        assert isinstance(pickle.loads(pipe.recv_bytes()), Failure)
        pipe.close()
        assert process.wait(30) in (0, 1)


def test_a_worker_abandons_its_task_when_its_pipe_is_closed(tmp_path: Any) -> None:
    with worker() as (pipe, process):
        pipe.send_bytes(pack(engine_work.linger, Chore("slow", tmp_path)))
        pipe.close()
        assert process.wait(30) == 1
