"""The protocols between builds and engines, and the policy for tasks whose process dies."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, TypeVar

from portrait.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


#: The number of attempts at a task whose process dies.
ATTEMPTS = 3

_log = logging.getLogger("portrait")


class Task(Protocol):
    """A unit of work for any process that sees the same files. It pickles."""

    @property
    def name(self) -> str:
        """The name under which the result is recorded."""

    @property
    def label(self) -> str:
        """The name of the task in messages."""


class ProgressCallback(Protocol):
    """A receiver of a task's progress, such as :meth:`portrait.progress.Progress.advance`."""

    def __call__(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Add what was done since the last call: bytes gone through, and the documents and text in them."""


AnyTask = TypeVar("AnyTask", bound=Task)
AnyTask_contra = TypeVar("AnyTask_contra", bound=Task, contravariant=True)
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Work(Protocol[AnyTask_contra, Result_co]):
    """What is done with each task: a function at the top level of a module, so that it pickles."""

    def __call__(self, task: AnyTask_contra, report: ProgressCallback, /) -> Result_co:
        """Do the task and return its result, which pickles."""


class Engine(Protocol):
    """A runner of tasks, several at a time."""

    @property
    def n_workers(self) -> int:
        """How many tasks run at a time."""

    def run(
        self, work: Work[AnyTask, Result], tasks: Iterable[AnyTask], report: ProgressCallback
    ) -> Iterator[tuple[AnyTask, Result]]:
        """Yield each task with its result, in the order in which the tasks finish.

        A task whose process dies runs again in another process; a warning on the logger ``portrait`` says
        so. Closing the iterator ends what runs.

        Args:
            work: What is done with each task.
            tasks: The tasks.
            report: Receives the tasks' progress.

        Raises:
            WorkerError: Every process that worked on a task died; the message names the task.
            Exception: Whatever ``work`` raises.
        """

    def close(self) -> None:
        """End all processes. A second call does nothing."""


def next_attempt(task: Task, attempt: int, cause: str) -> int:
    """Return the number of the next attempt at a task whose process died, and log a warning.

    Args:
        task: The task.
        attempt: The number of the attempt that failed, from 1.
        cause: What is known of the death, such as ``by signal SIGKILL``.

    Raises:
        WorkerError: That was the last attempt.
    """
    if attempt >= ATTEMPTS:
        raise gave_up(task, cause)
    _log.warning(
        "%s: the process that worked on it died (%s): only this task runs again, attempt %d of %d",
        task.label,
        cause,
        attempt + 1,
        ATTEMPTS,
    )
    return attempt + 1


def gave_up(task: Task, cause: str) -> WorkerError:
    """Return the error for a task that no process survived."""
    return WorkerError(
        f"{task.label}: the process that worked on it died {ATTEMPTS} times ({cause}): it may lack memory: "
        "use fewer workers, or look for what is unusual about this input",
        parameter="workers",
    )
