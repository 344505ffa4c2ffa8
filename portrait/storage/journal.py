"""A crash-safe, append-only output file.

Pieces are appended, in order, to a file in a hidden directory beside the output, and every half second a note
records how far they go. A process that resumes truncates the file after the last note and continues there.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from portrait.errors import OutputExistsError
from portrait.storage.atomic import sync_directory, sync_file, write_all
from portrait.storage.checkpoint import as_read_back, other_task, read_record, write_record
from portrait.storage.failures import writing
from portrait.storage.lock import lock_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

_SECONDS_BETWEEN_NOTES = 0.5


@dataclass(frozen=True, slots=True)
class Done:
    """How many pieces of how many bytes were written, and what was counted in them."""

    n_pieces: int = 0
    n_bytes: int = 0
    counts: Mapping[str, float] = field(default_factory=dict)

    def plus(self, data: bytes, counts: Mapping[str, float]) -> Done:
        """Return the state after one piece more."""
        total = {name: self.counts.get(name, 0) + n for name, n in counts.items()}
        return Done(self.n_pieces + 1, self.n_bytes + len(data), total)


@dataclass(frozen=True, slots=True)
class _Note:
    """What was being done, and how far it had come."""

    task: dict[str, Any]
    done: Done

    def to_dict(self) -> dict[str, Any]:
        """Return the note as a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any] | None) -> Self | None:
        """Return the note of a JSON object; ``None`` where it is unusable."""
        try:
            note = cls(dict(content["task"]), Done(**content["done"]))  # type: ignore[index]
        except (LookupError, TypeError, ValueError):
            return None
        done = note.done
        whole = all(type(n) is int and n >= 0 for n in (done.n_pieces, done.n_bytes))
        return note if whole and isinstance(done.counts, dict) else None


class Journal:
    """The pieces of the file that ``out`` will be, and what was counted in them; a context manager.

    Until :meth:`commit`, the previous content of ``out`` stays in place.

    Args:
        out: The file to write.
        task: What is being done, in terms of JSON. Only the same task resumes what is there.
        resumable: Whether to leave anything behind for a later process.
        overwrite: Whether to replace ``out``, and what another task left.
        restart: Whether to begin again, whatever is there.

    Entering raises:
        OutputExistsError: ``out`` exists, another process is writing it, or another task was begun.
        OutputError: It cannot be written.
    """

    def __init__(
        self,
        out: Path,
        task: Mapping[str, Any],
        *,
        resumable: bool = True,
        overwrite: bool = False,
        restart: bool = False,
    ) -> None:
        self.out = out
        self.task = as_read_back(task)
        self.resumable = resumable
        self.overwrite = overwrite
        self.restart = restart
        # One value, so that no signal comes between the parts of a change.
        self.done = Done()
        self._directory = out.parent / f".{out.name}.parts"
        self._rows = self._directory / "rows"
        self._note = self._directory / "note.json"
        self._last_note_seconds = time.monotonic()

    def __enter__(self) -> Self:
        with writing(self.out), ExitStack() as stack:
            self._require_free()
            in_use = f"{self.out}: another process is writing it: wait until it ends, or choose another name"
            stack.enter_context(lock_file(self._directory / "lock", in_use))
            # It may have been finished by the process that had the lock.
            self._require_free()
            self.done = self._resume()
            self._file = self._rows.open("r+b" if self.done.n_pieces else "w+b", buffering=0)
            self._file.truncate(self.done.n_bytes)
            self._file.seek(self.done.n_bytes)
            self._write_note()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # If this fails, an earlier error is being raised already, and the previous note remains valid.
        with suppress(OSError):
            if not self._rows.exists() or not self.resumable or not self.done.n_pieces:
                shutil.rmtree(self._directory, ignore_errors=True)
            else:
                self._write_note()
        with suppress(OSError):
            self._file.close()
        self._stack.close()

    def append(self, data: bytes, counts: Mapping[str, float]) -> None:
        """Add a piece, in which ``counts`` were counted.

        Raises:
            OutputError: It cannot be written.
        """
        with writing(self.out):
            write_all(self._file, data)
            self.done = self.done.plus(data, counts)
            if time.monotonic() - self._last_note_seconds >= _SECONDS_BETWEEN_NOTES:
                self._write_note()

    def commit(self, finish: Callable[[Path, Path], Path]) -> None:
        """Move the whole file to its place.

        Args:
            finish: Gets the path of all pieces end to end, and one to write the whole file to; returns the
                path of the whole file.

        Raises:
            OutputExistsError: ``out`` was taken meanwhile.
            OutputError: The file cannot be written.
        """
        with writing(self.out):
            self._write_note()
            whole = finish(self._rows, self._directory / "whole")
            sync_file(whole)
            self._require_free()
            whole.replace(self.out)
            sync_directory(self.out.parent)
            shutil.rmtree(self._directory, ignore_errors=True)

    def _require_free(self) -> None:
        if self.out.is_dir():
            raise OutputExistsError(f"{self.out}: is a directory: choose another name")
        if self.out.exists() and not self.overwrite:
            raise OutputExistsError(
                f"{self.out}: already exists: choose another name, or allow overwriting",
                parameter="overwrite",
            )

    def _resume(self) -> Done:
        """Return how far the same task has come before."""
        note = None if self.restart else _Note.from_dict(read_record(self._note))
        if note is None:
            return Done()
        if note.task != self.task:
            if note.done.n_pieces and not self.overwrite:
                raise other_task(self.out, note.task, self.task)
            return Done()
        there = self.resumable and self._rows.exists() and self._rows.stat().st_size >= note.done.n_bytes
        return note.done if there else Done()

    def _write_note(self) -> None:
        if not self.resumable:
            return
        os.fsync(self._file.fileno())
        write_record(self._note, _Note(self.task, self.done).to_dict())
        self._last_note_seconds = time.monotonic()
