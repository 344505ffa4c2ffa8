"""Progress callbacks that record what is reported to them, or act while a task runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class Stage:
    """A stage of progress: the bytes announced at its start, and the bytes and documents reported since."""

    name: str
    n_bytes: int | None
    bytes_done: int = 0
    documents: int = 0


class ProgressRecorder:
    """A progress callback that records every stage, and how many stages have finished."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.n_finished = 0

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        self.stages.append(Stage(stage, n_bytes))

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        self.stages[-1].bytes_done += n_bytes
        self.stages[-1].documents += documents

    def finish(self) -> None:
        self.n_finished += 1


class ByteCounter(Silent):
    """A progress callback that counts bytes."""

    n_bytes = 0

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        self.n_bytes += n_bytes


class FileToucher(Silent):
    """A progress callback that sets back a file's modification time whenever progress is reported."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        os.utime(self.path, ns=(1, 1))


class ActionAtFinish(Silent):
    """A progress callback that calls ``action`` whenever a stage finishes."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action = action

    def finish(self) -> None:
        self.action()
