"""How far a long piece of work is, for whoever wants to hear it."""

from __future__ import annotations

from typing import Protocol


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
