"""NDJSON: one question a line in, one answer a line out, in the same order and as they arrive.

A line that cannot be answered gets an error line in its place, and the next line is read. An error that
ends the whole conversation, such as a client that stops sending, is its last line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request
from pydantic import TypeAdapter

from portrait import PortraitError

from ..errors import OvertimeError, ServiceError, TooLargeError
from ..http import access_log, bodies
from ..http.lines import batches
from ..http.problems import describe
from ..messages import counted
from ..state import current_state
from .asking import Asking
from .requests import OneText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..http.lines import Readable

_LINE = TypeAdapter(OneText)


def respond() -> Response:
    """Return the response to the current request, whose body is NDJSON.

    Raises:
        TooLargeError: The body is too large by its Content-Length.
    """
    settings = current_state().settings
    if (request.content_length or 0) > settings.max_bulk_bytes:
        raise _too_large(settings.max_bulk_bytes)
    conversation = Conversation(
        Asking.of_request(settings.bulk_seconds), settings.max_bulk_bytes, settings.max_body_bytes
    )
    # The framework's own limit is for bodies that are read as a whole.
    request.max_content_length = settings.max_bulk_bytes
    body = request.environ["wsgi.input"] if request.environ.get("wsgi.input_terminated") else request.stream
    access_log.count_bytes(conversation)
    return Response(conversation.answers(body), content_type=bodies.NDJSON)


class Conversation:
    """The lines of one request, and their answers.

    Attributes:
        n_bytes: The size of the answers so far.

    Args:
        asking: The policy for the questions.
        max_bytes: The size of the largest body.
        max_line_bytes: The length of the longest line.
    """

    def __init__(self, asking: Asking, max_bytes: int, max_line_bytes: int) -> None:
        self.n_bytes = 0
        self._asking = asking
        self._max_bytes = max_bytes
        self._max_line_bytes = max_line_bytes

    def answers(self, body: Readable) -> Iterator[bytes]:
        """Yield the answers in pieces of whole lines."""
        n_read = 0
        answered: list[bytes] = []
        try:
            for batch in batches(body, self._max_line_bytes):
                n_read += batch.n_bytes
                if n_read > self._max_bytes:
                    raise _too_large(self._max_bytes)
                self._asking.refresh()
                # One by one: if a line ends the conversation, the answers before it are still sent.
                for line in batch.lines:
                    answered.append(self._answer(line))  # noqa: PERF401
                if answered:
                    yield self._joined(answered)
        except ServiceError as error:
            yield self._joined([*answered, _error_line(error)])

    def _joined(self, lines: list[bytes]) -> bytes:
        piece = b"".join(lines)
        lines.clear()
        self.n_bytes += len(piece)
        return piece

    def _answer(self, line: bytes | TooLargeError) -> bytes:
        self._asking.require_time()
        try:
            if isinstance(line, TooLargeError):
                raise line
            question = bodies.parse(line, _LINE)
            (answer,) = self._asking.ask(question.texts, question.portraits, question.evalue)
        except OvertimeError:
            raise
        except PortraitError as error:
            return _error_line(error)
        return bodies.line_of(answer.to_dict())


def _too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(f"more than {counted(max_bytes, 'byte')} of NDJSON in one request")


def _error_line(error: Exception) -> bytes:
    return bodies.line_of({"error": describe(error)})
