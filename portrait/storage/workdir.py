"""The directory of a build in the making: a lock, what is being built, and a record of all that is done.

A process that is killed leaves it behind, and the next one with the same plan goes on from there. Every
record is written beside its place and moved there whole, after the files that it speaks of.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from portrait.errors import OutputError, OutputExistsError
from portrait.storage.lock import lock_file, share

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_PLAN = "plan.json"
_LOCK = "lock"
_DATA = "data"
#: How long writing a plan may take, with a corpus of very many files.
_SECONDS_TO_PLAN = 3


class WorkDir:
    """A directory that one build has to itself, or the tasks of one share. A context manager.

    ``plan`` says, in terms of JSON, what is being built: what is left of another plan is refused, or
    removed if ``restart``. ``shared``: other processes may do other tasks of the same plan meanwhile.
    ``lasting``: leave something behind to go on with, if any record was made. Entering raises
    :class:`OutputExistsError` where another build is at work or was begun, and :class:`OutputError`.
    """

    def __init__(
        self,
        path: Path,
        plan: dict[str, Any],
        *,
        restart: bool = False,
        shared: bool = False,
        lasting: bool = True,
    ) -> None:
        self.path = path
        self.data = path / _DATA
        self.plan: dict[str, Any] = json.loads(json.dumps(plan))
        self._restart = restart
        self._shared = shared
        self._lasting = lasting

    def __enter__(self) -> Self:
        with self._failing():
            self._make()
            self._lock = self._locked()
            try:
                self._recall()
                if self._shared:
                    # Those who come later find the plan, and change nothing.
                    share(self._lock)
            except BaseException:
                os.close(self._lock)
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            if not self._shared and not (self._lasting and any(self.data.glob("*.json"))):
                self.remove()
        with suppress(OSError):
            os.close(self._lock)

    def remove(self) -> None:
        """Leave nothing behind: all is done."""
        # The plan first: what has none is nothing to go on with.
        (self.path / _PLAN).unlink(missing_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)
        (self.path / _LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # there may be files of others in it
            self.path.rmdir()

    def record(self, name: str) -> dict[str, Any] | None:
        """What was noted under a name, if anything was."""
        try:
            content = json.loads((self.data / f"{name}.json").read_bytes())
        except (OSError, ValueError):  # not there, or no use: as if it had not been done
            return None
        return content if isinstance(content, dict) else None

    def note(self, name: str, content: dict[str, Any]) -> None:
        """Note that something is done. Raises :class:`OutputError`."""
        with self._failing():
            _write(self.data / f"{name}.json", content)

    def forget(self, name: str) -> None:
        """Have something done again."""
        (self.data / f"{name}.json").unlink(missing_ok=True)

    def _make(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise OutputExistsError(f"{self.path}: is no directory: choose another --work-dir")
        self.path.mkdir(parents=True, exist_ok=True)
        strange = sorted({path.name for path in self.path.iterdir()} - {_PLAN, _LOCK, _DATA})
        strange = [name for name in strange if not name.endswith(".part")]
        if strange:
            raise OutputExistsError(
                f"{self.path}: holds other files ({', '.join(strange[:3])}): name an empty or a new "
                "directory as --work-dir"
            )

    def _locked(self) -> int:
        """The lock: while it is held, no other build works here.

        Of those who share the directory, the first has it alone until the plan is written.
        """
        patience = _SECONDS_TO_PLAN if self._shared else 0
        try:
            return lock_file(self.path / _LOCK, shared=self._shared, patience_seconds=patience)
        except BlockingIOError as error:
            raise OutputExistsError(
                f"{self.path}: another build is at work there: wait for it, or choose another --work-dir"
            ) from error

    def _recall(self) -> None:
        """Go on with what is there, if it is of this plan."""
        path = self.path / _PLAN
        try:
            old = json.loads(path.read_bytes())
        except (FileNotFoundError, ValueError):
            old = None
        if isinstance(old, dict) and old == self.plan and not self._restart:
            self.data.mkdir(exist_ok=True)
            return
        begun = any(self.data.glob("*.json"))
        if isinstance(old, dict) and begun and not self._restart:
            raise OutputExistsError(
                f"{self.path}: begun with other {_difference(old, self.plan)}: give the same again to go on, "
                "or --restart to begin anew"
            )
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        _write(path, self.plan)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Errors of the file system, in the words of this program."""
        try:
            yield
        except OutputExistsError:
            raise
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise OutputError(
                f"{self.path}: cannot write there: {what}: choose another --work-dir"
            ) from error


def _write(path: Path, content: dict[str, Any]) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(content), encoding="utf-8", errors="backslashreplace")
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What of two plans differs, by name."""
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    changed = [] if "inputs" not in names else _changed(old.get("inputs"), new.get("inputs"))
    return ", ".join(names) + (f" ({', '.join(changed[:3])})" if changed else "")


def _changed(old: Any, new: Any) -> list[str]:
    """The inputs that are not the same in both."""
    try:
        before, after = ({str(stamp[0]): stamp for stamp in stamps} for stamps in (old, new))
    except (TypeError, LookupError):
        return []
    return [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
