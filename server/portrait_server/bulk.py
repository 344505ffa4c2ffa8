"""NDJSON: a question a line in, an answer a line out, in their order and as they come.

A line that cannot be answered gets an error line in its place, and the next is read. What ends the
whole conversation, such as a client that sends nothing any more, is the last line.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Protocol

from flask import Response, g, request
from pydantic import TypeAdapter

import portrait

from . import bodies
from .auth import Caller, caller, visible
from .errors import OvertimeError, ServiceError, TooLargeError
from .models import OneText
from .problems import describe
from .state import State, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from portrait import Answer

MEDIA_TYPE = "application/x-ndjson"

_LINE = TypeAdapter(OneText)
_PIECE_BYTES = 1 << 16


class Readable(Protocol):
    """The part of a file that is needed of a request's body."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""


def respond() -> Response:
    """The answer to a request whose body is NDJSON. Raises :class:`TooLargeError`."""
    settings = state().settings
    if (request.content_length or 0) > settings.max_bulk_bytes:
        raise TooLargeError(f"at most {settings.max_bulk_bytes} bytes of NDJSON in one request")
    talk = Conversation(state(), caller(), visible())
    # The framework's own limit is for bodies that are read whole.
    request.max_content_length = settings.max_bulk_bytes
    body = request.environ["wsgi.input"] if request.environ.get("wsgi.input_terminated") else request.stream
    g.sent = talk
    return Response(talk.answer(body), content_type=MEDIA_TYPE)


class Conversation:
    """One request's lines and their answers; ``n_bytes`` is what was answered so far."""

    def __init__(self, held: State, who: Caller, names: tuple[str, ...]) -> None:
        self.n_bytes = 0
        self._held = held
        self._who = who
        self._names = names
        self._deadline = time.monotonic() + held.settings.bulk_seconds
        self._paid = 1  # with the request
        self._askers: dict[Any, Callable[[Iterable[str]], list[Answer]]] = {}

    def answer(self, body: Readable) -> Iterator[bytes]:
        """The answers, in pieces of whole lines."""
        pieces = _pieces(body, self._held.settings.max_body_bytes)
        n_read = 0
        answered: list[bytes] = []
        try:
            for piece in pieces:
                n_read += piece.n_bytes
                if n_read > self._held.settings.max_bulk_bytes:
                    raise TooLargeError(f"at most {self._held.settings.max_bulk_bytes} bytes of NDJSON")
                self._held.refresh()
                self._askers.clear()
                # One by one: where a line ends the conversation, those before it have been answered.
                for line in piece.lines:
                    answered.append(self._line(line))  # noqa: PERF401
                if answered:
                    yield self._counted(answered)
        except ServiceError as error:
            yield self._counted([*answered, _error_line(error)])

    def _counted(self, lines: list[bytes]) -> bytes:
        piece = b"".join(lines)
        lines.clear()
        self.n_bytes += len(piece)
        return piece

    def _line(self, line: bytes | TooLargeError) -> bytes:
        if time.monotonic() > self._deadline:
            raise OvertimeError("the whole takes too long: send the rest in another request", retry_after=1)
        try:
            if isinstance(line, TooLargeError):
                raise line
            return json.dumps(self._ask(line).to_dict(), separators=(",", ":")).encode() + b"\n"
        except portrait.PortraitError as error:
            return _error_line(error)

    def _ask(self, line: bytes) -> Answer:
        asked = bodies.parse(line, _LINE)
        if len(asked.text) > self._held.settings.max_chars:
            raise TooLargeError(f"{len(asked.text)} characters: at most {self._held.settings.max_chars}")
        self._charge()
        (answer,) = self._asker(asked)([asked.text])
        self._held.metrics.answer(answer, len(asked.text))
        return answer

    def _charge(self) -> None:
        if self._paid:
            self._paid -= 1
        elif self._who.rate is not None:
            self._held.rates.charge(self._who.who, self._who.rate)

    def _asker(self, asked: OneText) -> Callable[[Iterable[str]], list[Answer]]:
        names = None if asked.portraits is None else tuple(asked.portraits)
        found = self._askers.get((names, asked.evalue))
        if found is None:
            for name in names or ():
                if name not in self._names:
                    raise self._held.shelf.unknown(name)
            found = self._held.shelf.asker(self._names if names is None else names, asked.evalue)
            self._askers[names, asked.evalue] = found
        return found


class _Piece:
    """Whole lines, and the number of bytes that were read for them."""

    def __init__(self, n_bytes: int, lines: list[bytes | TooLargeError]) -> None:
        self.n_bytes = n_bytes
        self.lines = lines


def _pieces(body: Readable, max_line_bytes: int) -> Iterator[_Piece]:
    """The body's lines that are not blank, as they come; an error for each that is too long."""
    begun: list[bytes] = []
    n_begun = 0
    too_long = TooLargeError(f"a line of more than {max_line_bytes} bytes")
    while data := body.read(_PIECE_BYTES):
        *ended, rest = data.split(b"\n")
        lines: list[bytes | TooLargeError] = []
        for end in ended:
            n_begun += len(end)
            line = b"".join([*begun, end]) if n_begun <= max_line_bytes else b""
            if n_begun > max_line_bytes:
                lines.append(too_long)
            elif line.strip():
                lines.append(line)
            begun, n_begun = [], 0
        n_begun += len(rest)
        # What is too long anyway is only counted.
        begun = [*begun, rest] if n_begun <= max_line_bytes else []
        yield _Piece(len(data), lines)
    last = b"".join(begun)
    if n_begun > max_line_bytes:
        yield _Piece(0, [too_long])
    elif last.strip():
        yield _Piece(0, [last])


def _error_line(error: Exception) -> bytes:
    return json.dumps({"error": describe(error)}, separators=(",", ":")).encode() + b"\n"
