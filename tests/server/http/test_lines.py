"""Lines of a body that arrives in pieces."""

from __future__ import annotations

from portrait_server.errors import TooLargeError
from portrait_server.http.lines import LineBatch, batches


class Body:
    """A body that arrives in pieces of one size."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data, self.size = data, size

    def read(self, _: int) -> bytes:
        piece, self.data = self.data[: self.size], self.data[self.size :]
        return piece


def test_lines_do_not_depend_on_the_pieces() -> None:
    data = b"a\n\nbb\n" + b"c" * 11 + b"\n" + b"d" * 10 + b"\r\n \nlast"
    for size in range(1, len(data) + 1):
        lines = [line for batch in batches(Body(data, size), 11) for line in batch.lines]
        assert lines[:3] == [b"a", b"bb", b"c" * 11], size
        assert lines[3:] == [b"d" * 10 + b"\r", b"last"]


def test_a_line_that_is_too_long_is_replaced_by_an_error() -> None:
    lines = [line for batch in batches(Body(b"x" * 12 + b"\ny\n" + b"z" * 12, 5), 11) for line in batch.lines]
    assert [str(line) for line in lines] == [
        "a line of more than 11 bytes",
        "b'y'",
        "a line of more than 11 bytes",
    ]
    assert isinstance(lines[0], TooLargeError)


def test_every_byte_is_counted() -> None:
    data = b"x" * 100 + b"\n\n" + b"y" * 5
    for size in (1, 7, 200):
        assert sum(batch.n_bytes for batch in batches(Body(data, size), 11)) == len(data)
    assert list(batches(Body(b"", 5), 11)) == []
    assert list(batches(Body(b"a\nb", 5), 11)) == [LineBatch(3, [b"a"]), LineBatch(0, [b"b"])]
