"""The policy for asking, which JSON, NDJSON, the page and the original's endpoints share.

It decides which portraits a caller may ask, how much one request may contain and how long answering it
may take; it charges the caller and counts the answers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import OvertimeError, TooLargeError
from ..http.admission import current_caller
from ..messages import counted
from ..state import current_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from portrait import Answer

    from ..access.callers import Caller
    from ..state import State

    Asker = Callable[[Iterable[str]], list[Answer]]


class Asking:
    """The questions of one request, under the limits of the caller and the server.

    It needs no request context, so that it can outlive the view of a streamed response.

    Args:
        state: The state of the application.
        caller: Whoever asks.
        seconds: How long answering may take, from now.
    """

    def __init__(self, state: State, caller: Caller, seconds: float) -> None:
        self._state = state
        self._caller = caller
        self._deadline = time.monotonic() + seconds
        self._askers: dict[tuple[tuple[str, ...] | None, float | None], Asker] = {}

    @classmethod
    def of_request(cls, seconds: float | None = None) -> Asking:
        """Return the asking of the current request.

        Args:
            seconds: How long answering may take; ``None`` for the setting ``request_seconds``.
        """
        state = current_state()
        limit = state.settings.request_seconds if seconds is None else seconds
        return cls(state, current_caller(), limit)

    def visible(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the names of the portraits to ask.

        Args:
            names: The names that the caller gives; ``None`` for all that the caller may ask.

        Raises:
            UnknownPortraitError: There is no such portrait, or the caller may not ask it; the message is the
                same.
        """
        shelf = self._state.shelf
        visible = tuple(name for name in shelf.names if self._caller.may_ask(name))
        if names is None:
            return visible
        chosen = tuple(names)
        for name in chosen:
            if name not in visible:
                raise shelf.unknown(name)
        return chosen

    def require_within_limits(self, texts: Sequence[str]) -> None:
        """Check that the texts are not too many or too long to be asked about at once.

        Raises:
            TooLargeError: The texts are too many or too long.
        """
        settings = self._state.settings
        if len(texts) > settings.max_texts:
            raise TooLargeError(
                f"{counted(len(texts), 'text')}: at most {settings.max_texts:,} in one request: "
                "send more as NDJSON"
            )
        n_chars = sum(map(len, texts))
        if n_chars > settings.max_chars:
            raise TooLargeError(f"{counted(n_chars, 'character')}: at most {settings.max_chars:,} at once")

    def require_time(self) -> None:
        """Check that the time for answering has not passed.

        Raises:
            OvertimeError: The time has passed.
        """
        if time.monotonic() > self._deadline:
            raise OvertimeError(
                "answering this request takes too long: send fewer texts in one request", retry_after=1
            )

    def admit(self, texts: Sequence[str]) -> None:
        """Check the limits, and charge the caller for the texts; none count as one.

        Raises:
            TooLargeError: The texts are too many or too long.
            RateLimitError: The caller's rate is used up.
            StoreError: The store of the rates does not answer.
        """
        self.require_within_limits(texts)
        self._state.doorkeeper.charge(self._caller, max(1, len(texts)))

    def ask(
        self, texts: Sequence[str], names: Iterable[str] | None = None, evalue: float | None = None
    ) -> list[Answer]:
        """Return one answer for each text.

        Args:
            texts: The texts.
            names: The portraits to ask; ``None`` for all that the caller may ask.
            evalue: The threshold; ``None`` for the library's default.

        Raises:
            ServiceError: The texts are not admitted (:meth:`admit`), or answering takes too long.
            UnknownPortraitError: The caller may not ask one of the portraits.
            WithdrawnPortraitError: The files of one of the portraits are damaged.
        """
        # Only what can be asked is charged.
        self.require_within_limits(texts)
        asker = self._asker(None if names is None else tuple(names), evalue)
        self.admit(texts)
        answers = []
        for text in texts:
            self.require_time()
            (answer,) = asker([text])
            self._state.metrics.count_answer(answer, len(text))
            answers.append(answer)
        return answers

    def refresh(self) -> None:
        """Follow changes on disk: further questions are answered by the portraits as they are now."""
        self._state.refresh()
        self._askers.clear()

    def _asker(self, names: tuple[str, ...] | None, evalue: float | None) -> Asker:
        asker = self._askers.get((names, evalue))
        if asker is None:
            asker = self._state.shelf.asker(self.visible(names), evalue)
            self._askers[names, evalue] = asker
        return asker
