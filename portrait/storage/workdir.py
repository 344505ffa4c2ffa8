"""The work directory of a build: a lock, the plan of what is built, and a record of each finished task.

A process that is killed leaves it behind, and the next one with the same plan resumes there. Every record
appears whole, after the files that it speaks of.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Self

from portrait.errors import OutputExistsError
from portrait.storage.atomic import PART_SUFFIX
from portrait.storage.checkpoint import as_read_back, other_task, read_record, write_record
from portrait.storage.failures import writing
from portrait.storage.lock import lock_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

_PLAN = "plan.json"
_LOCK = "lock"
_DATA = "data"
#: How long writing a plan may take, with a corpus of very many files.
_SECONDS_TO_PLAN = 3
#: Of many files that are in the way, a message names no more than these.
_MAX_NAMED_FILES = 3


class WorkDir:
    """A directory that one build has to itself, or that several tasks share; a context manager.

    Args:
        path: The directory, which is created where it does not exist.
        plan: What is being built, in terms of JSON. Only the same plan resumes what is there.
        restart: Whether to remove what is there and begin again.
        shared: Whether other processes may do other tasks of the same plan meanwhile.
        lasting: Whether to leave the directory for a later process, if it holds any record.

    Entering raises:
        OutputExistsError: Another build is at work there or was begun there, or there are other files.
        OutputError: It cannot be written.
    """

    def __init__(
        self,
        path: Path,
        plan: Mapping[str, Any],
        *,
        restart: bool = False,
        shared: bool = False,
        lasting: bool = True,
    ) -> None:
        self.path = path
        #: Where the files of the tasks are.
        self.data = path / _DATA
        self.plan = as_read_back(plan)
        self._restart = restart
        self._shared = shared
        self._lasting = lasting

    def __enter__(self) -> Self:
        with self._writing(), ExitStack() as stack:
            self._create()
            # Among processes that share the directory, the first has it alone until the plan is written.
            in_use = (
                f"{self.path}: another build is at work there: wait until it ends, or choose another work "
                "directory"
            )
            patience_seconds = _SECONDS_TO_PLAN if self._shared else 0
            lock = lock_file(
                self.path / _LOCK,
                in_use,
                shared=self._shared,
                patience_seconds=patience_seconds,
                parameter="work_dir",
            )
            stack.enter_context(lock)
            self._resume()
            if self._shared:
                # Later tasks read the plan and never modify it.
                lock.share()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            if not self._shared and not (self._lasting and self._has_records()):
                self.remove()
        self._stack.close()

    def remove(self) -> None:
        """Remove what the build has put there, since all is done.

        Raises:
            OSError: The plan or the lock cannot be removed.
        """
        # The plan first: a directory without one holds nothing to resume.
        (self.path / _PLAN).unlink(missing_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)
        (self.path / _LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # there may be files of others in it
            self.path.rmdir()

    def record(self, name: str) -> dict[str, Any] | None:
        """Return the record of that name; ``None`` where it is missing or unusable."""
        try:
            return read_record(self._record_path(name))
        except OSError:
            return None

    def note(self, name: str, content: Mapping[str, Any]) -> None:
        """Record, in terms of JSON, that a task is finished.

        Raises:
            OutputError: It cannot be written.
        """
        with self._writing():
            write_record(self._record_path(name), content)

    def forget(self, name: str) -> None:
        """Remove a record, so that the task is done again.

        Raises:
            OSError: It cannot be removed.
        """
        self._record_path(name).unlink(missing_ok=True)

    def _record_path(self, name: str) -> Path:
        return self.data / f"{name}.json"

    def _has_records(self) -> bool:
        return any(self.data.glob("*.json"))

    def _create(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise OutputExistsError(
                f"{self.path}: is not a directory: choose another work directory", parameter="work_dir"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in self.path.iterdir()}
        # A build makes the lock first and removes it last: without it, nothing there is a build's.
        others = sorted(there - {_PLAN, _LOCK, _DATA} if _LOCK in there else there)
        others = [name for name in others if not name.endswith(PART_SUFFIX)]
        if others:
            raise OutputExistsError(
                f"{self.path}: holds other files ({', '.join(others[:_MAX_NAMED_FILES])}): choose an empty "
                "or a new directory as the work directory",
                parameter="work_dir",
            )

    def _resume(self) -> None:
        """Keep what is there if it is of this plan; else write the plan and begin."""
        plan = self.path / _PLAN
        old = read_record(plan)
        if old is None and plan.exists() and self._has_records() and not self._restart:
            raise OutputExistsError(
                f"{plan}: is damaged, so that nothing tells which build the finished tasks beside it belong "
                "to: restore it to resume that build, or restart",
                parameter="restart",
            )
        if old is not None and not self._restart:
            if old == self.plan:
                self.data.mkdir(exist_ok=True)
                return
            if self._has_records():
                raise other_task(self.path, old, self.plan)
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        write_record(plan, self.plan)

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self.path, advice="choose another work directory", parameter="work_dir")
