"""How far a long piece of work is, for whoever wants to hear it."""

from __future__ import annotations

import time
from typing import Any, Protocol


class Progress(Protocol):
    """Hears how far a piece of work is."""

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """It begins, or a stage of it; there are ``n_bytes`` to go through, if that is known."""

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """So many more are done, and so many documents and bytes of text were in them."""

    def finish(self) -> None:
        """All is done, or has failed."""


class Silent:
    """Hears and says nothing."""

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """Nothing."""

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


#: The stage in which text is read. What comes without any text there was read by another process before.
READING = "reading"


class Meter:
    """How far a stage is, how fast, and how long it will take.

    Speeds count only what was done since the stage began here, not what is taken over from a build that
    was stopped.
    """

    def __init__(self, n_bytes: int | None, stage: str) -> None:
        self.stage = stage
        self.total_bytes = n_bytes
        self.n_bytes = 0
        self.documents = 0
        self.text_bytes = 0
        #: What of ``n_bytes`` was done before.
        self.resumed_bytes = 0
        self._began = time.monotonic()

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0) -> None:
        """So much more is done, if not more than there is: files have headers, which nobody counts before."""
        if self.total_bytes is not None:
            n_bytes = min(n_bytes, self.total_bytes - self.n_bytes)
        self.n_bytes += n_bytes
        self.documents += documents
        self.text_bytes += text_bytes
        if self.stage == READING and not documents and not text_bytes:
            self.resumed_bytes += n_bytes

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return time.monotonic() - self._began

    @property
    def bytes_per_second(self) -> float:
        """Of those of ``n_bytes`` that were done here."""
        return (self.n_bytes - self.resumed_bytes) / max(1e-9, self.seconds)

    @property
    def text_bytes_per_second(self) -> float:
        """Of the text that was read here."""
        return self.text_bytes / max(1e-9, self.seconds)

    @property
    def eta_seconds(self) -> float | None:
        """How much longer it will take, if that can be told."""
        if self.total_bytes is None:
            return None
        left = max(0, self.total_bytes - self.n_bytes)
        if left and self.n_bytes == self.resumed_bytes:
            return None
        return left / self.bytes_per_second if left else 0.0

    def to_dict(self, *, done: bool) -> dict[str, Any]:
        """As JSON."""
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
