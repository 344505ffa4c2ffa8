"""What an engine does, and what it is given to do."""

from __future__ import annotations

import pickle
import traceback
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from portrait.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


#: How often a task is given to a process that dies of it, or by accident.
ATTEMPTS = 3


class Task(Protocol):
    """Something to be done by any process that sees the same files. It pickles."""

    @property
    def name(self) -> str:
        """What its result is noted under."""

    @property
    def label(self) -> str:
        """What messages call it."""


class ProgressCallback(Protocol):
    """Hears how far a task is; :meth:`portrait.progress.Progress.advance` does."""

    def __call__(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """So many bytes were gone through since, which held so much."""


AnyTask = TypeVar("AnyTask", bound=Task)
AnyTask_contra = TypeVar("AnyTask_contra", bound=Task, contravariant=True)


class Work(Protocol[AnyTask_contra]):
    """What is done with a task: a function at the top level of a module, so that it pickles."""

    def __call__(self, task: AnyTask_contra, report: ProgressCallback, /) -> dict[str, Any]:
        """Do it; what comes of it is JSON."""


class Engine(Protocol):
    """Runs tasks, several at a time."""

    @property
    def n_workers(self) -> int:
        """How many tasks run at a time."""

    def run(
        self, work: Work[AnyTask], tasks: Iterable[AnyTask], report: ProgressCallback
    ) -> Iterator[tuple[AnyTask, dict[str, Any]]]:
        """Each task with what came of it, in the order in which they finish.

        A task whose process dies is done again, by another; :class:`WorkerError`, naming it, where that
        happens again and again. Errors that the work raises are raised here. Close the iterator to stop.
        """

    def close(self) -> None:
        """Let go of all processes; again does nothing."""


def died(task: Task, how: str) -> WorkerError:
    """The error for a task of which every process died; ``how`` says what is known of the last."""
    return WorkerError(
        f"{task.label}: the process that worked on it died {ATTEMPTS} times ({how}): it may lack memory: try "
        "fewer --workers, or find what is odd about it"
    )


def portable(error: Exception) -> Exception:
    """An error that reaches another process as it is, or one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception_only(error)).strip())
    return error
