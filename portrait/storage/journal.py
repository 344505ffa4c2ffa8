"""A file in the making, of which a process that is killed leaves enough for the next one to go on.

Pieces are appended to a file in a hidden directory beside the output, in order; now and then a
note is made of how far they go. What lies behind the last note is cut off and made again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from portrait.errors import OutputError, OutputExistsError
from portrait.storage.lock import lock_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

_SECONDS_BETWEEN_NOTES = 0.5


class Done(NamedTuple):
    """So many pieces of so many bytes, and what was counted in them."""

    n_pieces: int = 0
    n_bytes: int = 0
    counts: dict[str, int] = {}  # noqa: RUF012  # replaced, never changed

    def plus(self, data: bytes, counts: dict[str, int]) -> Done:
        """With one piece more."""
        total = {name: self.counts.get(name, 0) + n for name, n in counts.items()}
        return Done(self.n_pieces + 1, self.n_bytes + len(data), total)


class Journal:
    """The pieces of the file that ``out`` will be, and what was counted in them. A context manager.

    ``task`` says, in terms of JSON, what is being done: what another task left behind is not gone on
    with. ``resumable``: leave something behind at all. ``overwrite``: replace ``out``, and what is left
    of another task; ``restart``: go on with nothing. Until :meth:`commit`, whatever stood at ``out``
    stands there still. Entering raises :class:`OutputExistsError`, :class:`OutputError`.
    """

    def __init__(
        self,
        out: Path,
        task: dict[str, Any],
        *,
        resumable: bool = True,
        overwrite: bool = False,
        restart: bool = False,
    ) -> None:
        self.out = out
        self.task = json.loads(json.dumps(task))
        self.resumable = resumable
        self.overwrite = overwrite
        self.restart = restart
        # One value, so that no signal comes between the parts of a change.
        self.done = Done()
        self._directory = out.parent / f".{out.name}.parts"
        self._rows = self._directory / "rows"
        self._note = self._directory / "note.json"
        self._noted = time.monotonic()

    def __enter__(self) -> Self:
        with self._failing():
            self._check_out()
            self._lock = self._locked()
            try:
                # It may have been finished by the process that had the lock.
                self._check_out()
                self._recall()
                self._file = self._rows.open("r+b" if self.done.n_pieces else "w+b")
                self._file.truncate(self.done.n_bytes)
                self._file.seek(self.done.n_bytes)
                self._write_note()
            except BaseException:
                os.close(self._lock)
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What cannot be written now was said by the error that led here; the note before holds.
        with suppress(OSError):
            if not self._rows.exists() or not self.resumable or not self.done.n_pieces:
                shutil.rmtree(self._directory, ignore_errors=True)
            else:
                self._write_note()
        with suppress(OSError):
            self._file.close()
        os.close(self._lock)

    def append(self, data: bytes, counts: dict[str, int]) -> None:
        """Add a piece. Raises :class:`OutputError`."""
        with self._failing():
            self._file.write(data)
            self.done = self.done.plus(data, counts)
            if time.monotonic() - self._noted >= _SECONDS_BETWEEN_NOTES:
                self._write_note()

    def commit(self, finish: Callable[[Path, Path], Path]) -> None:
        """Move the whole file to its place.

        ``finish`` gets the path of all pieces end to end, and one to write the whole file to; it
        returns that of the whole file.
        """
        with self._failing():
            self._file.flush()
            self._write_note()
            whole = finish(self._rows, self._directory / "whole")
            _sync(whole)
            self._check_out()
            whole.replace(self.out)
            _sync(self.out.parent)
            shutil.rmtree(self._directory, ignore_errors=True)

    def _check_out(self) -> None:
        if self.out.is_dir():
            raise OutputExistsError(f"{self.out}: is a directory: choose another name")
        if self.out.exists() and not self.overwrite:
            raise OutputExistsError(f"{self.out}: already exists: choose another name, or pass --overwrite")

    def _locked(self) -> int:
        """The lock: while it is held, no other process writes here."""
        try:
            return lock_file(self._directory / "lock")
        except BlockingIOError as error:
            raise OutputExistsError(
                f"{self.out}: another process is writing it: wait for that, or choose another name"
            ) from error

    def _recall(self) -> None:
        """Go on where the last note says, if it is of this task."""
        if self.restart or not self._note.exists():
            return
        try:
            note = json.loads(self._note.read_bytes())
            task, done = note["task"], Done(*note["done"])
        except (ValueError, LookupError, TypeError):
            return
        other = _difference(task, self.task)
        if other and done.n_pieces:
            if self.overwrite:
                return
            raise OutputExistsError(
                f"{self.out}: begun with other {other}: give the same again to go on, "
                "or --restart to begin anew"
            )
        if not other and self.resumable and self._rows.exists() and self._rows.stat().st_size >= done.n_bytes:
            self.done = done

    def _write_note(self) -> None:
        if not self.resumable:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        note = {"task": self.task, "done": self.done}
        new = self._note.with_suffix(".new")
        new.write_bytes(json.dumps(note).encode())
        new.replace(self._note)
        self._noted = time.monotonic()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Errors of the file system, in the words of this program."""
        try:
            yield
        except OutputExistsError:
            raise
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise OutputError(f"{self.out}: cannot write: {what}") from error


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What of two tasks differs, by name."""
    return ", ".join(name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
