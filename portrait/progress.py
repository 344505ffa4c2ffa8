"""Progress of long operations: the callback that receives it, and the meter that measures it."""

from __future__ import annotations

import time
from typing import Any, Protocol


class Progress(Protocol):
    """Receiver of the progress of a long operation."""

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """Begin the operation, or a stage of it.

        Args:
            n_bytes: Bytes to process, if known.
            stage: Name of the stage, such as ``reading``.
        """

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Count further progress.

        Args:
            n_bytes: Bytes processed since the last call.
            documents: Documents that these held.
            text_bytes: Bytes of text that these held.
        """

    def finish(self) -> None:
        """End the operation, completed or failed."""


class Silent:
    """A progress callback that shows nothing."""

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """Do nothing."""

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


#: The stage in which text is read. Bytes that come without text were read by an earlier process.
READING = "reading"


class Meter:
    """How far a stage is, how fast, and how long it will take.

    Speeds count only work of this process, not what it takes over from an interrupted build.

    Args:
        n_bytes: Bytes to process, if known.
        stage: Name of the stage.
    """

    def __init__(self, n_bytes: int | None, stage: str) -> None:
        self.stage = stage
        self.total_bytes = n_bytes
        self.n_bytes = 0
        self.documents = 0
        self.text_bytes = 0
        #: How many of ``n_bytes`` an earlier process has done.
        self.resumed_bytes = 0
        self._began = time.monotonic()

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0) -> None:
        """Count progress as :meth:`Progress.advance` does, up to the total.

        Files have headers that no estimate of the total includes.
        """
        if self.total_bytes is not None:
            n_bytes = min(n_bytes, self.total_bytes - self.n_bytes)
        self.n_bytes += n_bytes
        self.documents += documents
        self.text_bytes += text_bytes
        if self.stage == READING and not documents and not text_bytes:
            self.resumed_bytes += n_bytes

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self._began

    @property
    def bytes_per_second(self) -> float:
        """Bytes that this process does in a second."""
        return (self.n_bytes - self.resumed_bytes) / max(1e-9, self.seconds)

    @property
    def text_bytes_per_second(self) -> float:
        """Bytes of text that this process reads in a second."""
        return self.text_bytes / max(1e-9, self.seconds)

    @property
    def eta_seconds(self) -> float | None:
        """Estimated seconds until the stage ends; ``None`` if there is no estimate yet."""
        if self.total_bytes is None:
            return None
        left = max(0, self.total_bytes - self.n_bytes)
        if left and self.n_bytes == self.resumed_bytes:
            return None
        return left / self.bytes_per_second if left else 0.0

    def to_dict(self, *, done: bool) -> dict[str, Any]:
        """Return the progress as JSON.

        Args:
            done: Whether the stage has ended.
        """
        eta = 0.0 if done else self.eta_seconds
        return {
            "stage": self.stage,
            "bytes": self.n_bytes,
            "total_bytes": self.total_bytes,
            "documents": self.documents,
            "text_bytes": self.text_bytes,
            "seconds": round(self.seconds, 3),
            "text_bytes_per_second": round(self.text_bytes_per_second),
            "eta_seconds": None if eta is None else round(eta, 1),
            "done": done,
        }
