"""How far a long piece of work is, for whoever wants to hear it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far a piece of work is."""

    def start(self, n_bytes: int | None) -> None:
        """It begins; there are ``n_bytes`` to go through, if that is known."""

    def advance(self, n_bytes: int) -> None:
        """So many more are done."""

    def finish(self) -> None:
        """All is done, or has failed."""


class Silent:
    """Hears and says nothing."""

    def start(self, n_bytes: int | None) -> None:
        """Nothing."""

    def advance(self, n_bytes: int) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""
