"""Worker processes: what they answer, errors that do not pickle, and when they end."""

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


def test_a_task_is_done_and_its_progress_reported() -> None:
    progress: list[tuple[int, int, int]] = []

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        progress.append((n_bytes, documents, text_bytes))

    outcome = perform(pack(engine_work.echo, Chore("a")), report)
    assert isinstance(outcome, Success)
    assert outcome.result["name"] == "a"
    assert progress == [(7, 1, 5)]


def test_an_error_is_an_outcome() -> None:
    outcome = perform(pack(engine_work.fail, Chore("a")), engine_work.ignore)
    assert isinstance(outcome, Failure)
    assert type(outcome.error) is BadRowError
    outcome = perform(b"no pickle", engine_work.ignore)
    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, pickle.UnpicklingError)


def test_an_error_that_does_not_pickle_keeps_its_message() -> None:
    class Strange(Exception):  # noqa: N818  # no other process knows it
        pass

    error = portable(Strange("how odd"))
    assert type(error) is RuntimeError
    assert str(error).endswith("Strange: how odd")
    for same in (OutputError("no room"), ValueError("3")):
        assert portable(same) is same


@contextmanager
def worker() -> Iterator[tuple[Any, subprocess.Popen[bytes]]]:
    """A process that serves the other end of a pipe."""
    pipe, theirs = connection.Pipe()
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from portrait.engines.worker import serve; "
        f"serve({theirs.fileno()})"
    )
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", code], pass_fds=[theirs.fileno()])
    with process:
        yield pipe, process
        process.kill()


def test_a_worker_answers_each_task_and_ends_with_its_pipe() -> None:
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


def test_a_worker_does_not_finish_a_task_that_nobody_waits_for(tmp_path: Any) -> None:
    with worker() as (pipe, process):
        pipe.send_bytes(pack(engine_work.linger, Chore("slow", tmp_path)))
        pipe.close()
        assert process.wait(30) == 1
