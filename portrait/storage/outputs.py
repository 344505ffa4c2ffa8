"""Files that are written beside their destinations and moved there when all of them are whole."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Self

from portrait.errors import OutputError, OutputExistsError, PortraitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType


class Outputs:
    """Some files to be written; a context manager.

    Until :meth:`commit`, whatever stood at their places stands there still; leaving the block without
    it removes all that was written. Raises :class:`OutputExistsError` for a place that is taken, unless
    ``overwrite``, and for one that is among ``inputs`` or named twice; :class:`OutputError` for a
    place that cannot be written to.
    """

    def __init__(
        self, paths: Sequence[Path], *, inputs: Sequence[Path] = (), overwrite: bool = False
    ) -> None:
        self._overwrite = overwrite
        self._paths = tuple(paths)
        self._files: dict[Path, IO[bytes]] = {}
        real = [os.path.realpath(path) for path in paths]
        read = {os.path.realpath(path) for path in inputs}
        for i, path in enumerate(paths):
            if real[i] in real[:i]:
                raise OutputExistsError(f"{path}: named for two outputs: choose another name for one")
            if real[i] in read:
                raise OutputExistsError(f"{path}: is what is read: choose another name")
            self._require_free(path)

    def _require_free(self, path: Path) -> None:
        if not (path.exists() or path.is_symlink()):
            return
        if path.is_symlink() or not path.is_file():
            raise OutputExistsError(f"{path}: exists and is not a file: it will not be replaced")
        if not self._overwrite:
            raise OutputExistsError(f"{path}: already exists: choose another name, or pass --overwrite")

    def __enter__(self) -> Self:
        try:
            for path in self._paths:
                with writing(path):
                    part = _part(path)
                    # What is left there is of a dead process that had our number.
                    part.unlink(missing_ok=True)
                    self._files[path] = part.open("xb")
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()

    def _discard(self) -> None:
        for path, file in self._files.items():
            # Closing writes what is still in the buffer, and there may be no room for it.
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                _part(path).unlink(missing_ok=True)

    def file(self, path: Path) -> IO[bytes]:
        """The open file whose content will stand at ``path``."""
        return self._files[path]

    def commit(self) -> None:
        """Make everything durable and move it to its place."""
        for path, file in self._files.items():
            with writing(path):
                file.flush()
                os.fsync(file.fileno())
                file.close()
        for path in self._paths:
            self._require_free(path)
        for path in self._paths:
            with writing(path):
                _part(path).replace(path)


def _part(path: Path) -> Path:
    return path.parent / f".{path.name}.part-{os.getpid()}"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says into an :class:`OutputError` that names the output."""
    try:
        yield
    except PortraitError:
        raise
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or (str(error).splitlines() or ["unknown error"])[0]
        raise OutputError(f"{path}: cannot write: {what}") from error
