"""Lines of an NDJSON body, as they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..errors import TooLargeError
from ..messages import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_BYTES = 1 << 16


class Readable(Protocol):
    """The part of a file's interface that reading a body needs."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; none at the end."""


class LineBatch(NamedTuple):
    """Lines that arrived together.

    Attributes:
        n_bytes: The number of bytes read for them.
        lines: The lines that are not blank, in order; an error in the place of each that is too long.
    """

    n_bytes: int
    lines: list[bytes | TooLargeError]


def batches(body: Readable, max_line_bytes: int) -> Iterator[LineBatch]:
    """Yield the lines of a body as they arrive.

    Args:
        body: The body.
        max_line_bytes: The length of the longest line that is kept, without its line feed.
    """
    unfinished: list[bytes] = []
    n_unfinished = 0
    too_long = TooLargeError(f"a line of more than {counted(max_line_bytes, 'byte')}")
    while data := body.read(_READ_BYTES):
        *ended, rest = data.split(b"\n")
        lines: list[bytes | TooLargeError] = []
        for end in ended:
            n_unfinished += len(end)
            line = b"".join([*unfinished, end]) if n_unfinished <= max_line_bytes else b""
            if n_unfinished > max_line_bytes:
                lines.append(too_long)
            elif line.strip():
                lines.append(line)
            unfinished, n_unfinished = [], 0
        n_unfinished += len(rest)
        # A line that is already too long is only counted.
        unfinished = [*unfinished, rest] if n_unfinished <= max_line_bytes else []
        yield LineBatch(len(data), lines)
    last = b"".join(unfinished)
    if n_unfinished > max_line_bytes:
        yield LineBatch(0, [too_long])
    elif last.strip():
        yield LineBatch(0, [last])
