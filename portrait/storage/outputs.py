"""Several files that appear together: written beside their places, and moved there when all are whole."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Self

from portrait.errors import OutputExistsError
from portrait.storage.atomic import part_path, place, sync_directory
from portrait.storage.failures import writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType


class Outputs:
    """Files to be written; a context manager.

    Until :meth:`commit`, the previous files stay in place; leaving the block without it removes all that was
    written. Entering raises :class:`OutputError` for a place that cannot be written to.

    Args:
        paths: The places of the files.
        inputs: Files that are read meanwhile, none of which may be written.
        overwrite: Whether files that exist are replaced.

    Raises:
        OutputExistsError: A place is taken, is among the inputs, or is named twice.
    """

    def __init__(
        self, paths: Sequence[Path], *, inputs: Sequence[Path] = (), overwrite: bool = False
    ) -> None:
        self._overwrite = overwrite
        self._parts = {path: part_path(path) for path in paths}
        self._files: dict[Path, BinaryIO] = {}
        real = [os.path.realpath(path) for path in paths]
        real_inputs = {os.path.realpath(path) for path in inputs}
        for i, path in enumerate(paths):
            if real[i] in real[:i]:
                raise OutputExistsError(f"{path}: named for two outputs: choose another name for one of them")
            if real[i] in real_inputs:
                raise OutputExistsError(f"{path}: is one of the inputs: choose another name")
            self._require_free(path)

    def _require_free(self, path: Path) -> None:
        if not (path.exists() or path.is_symlink()):
            return
        if path.is_symlink() or not path.is_file():
            raise OutputExistsError(f"{path}: exists and is not a file: choose another name")
        if not self._overwrite:
            raise OutputExistsError(
                f"{path}: already exists: choose another name, or allow overwriting", parameter="overwrite"
            )

    def __enter__(self) -> Self:
        try:
            for path, part in self._parts.items():
                with writing(path):
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
                self._parts[path].unlink()

    def file(self, path: Path) -> BinaryIO:
        """Return the open file that :meth:`commit` moves to ``path``."""
        return self._files[path]

    def commit(self) -> None:
        """Make all files durable and move them to their places.

        Raises:
            OutputExistsError: A place was taken meanwhile; no file is moved.
            OutputError: A file cannot be written.
        """
        for path, file in self._files.items():
            with writing(path):
                file.flush()
                os.fsync(file.fileno())
                file.close()
        for path in self._parts:
            self._require_free(path)
        for path, part in self._parts.items():
            with writing(path):
                place(part, path, replace=self._overwrite)
        for directory in {path.parent for path in self._parts}:
            with writing(directory):
                sync_directory(directory)
