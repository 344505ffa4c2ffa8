"""Files as streams of bytes, decompressed and hashed on the way."""

from __future__ import annotations

import io
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

from portrait import extras
from portrait.corpus.files.decoders import DecodeError, MemberDecoder, codec_of
from portrait.corpus.files.failures import reason, unreadable
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Buffer

    from portrait.corpus.files.file import File

#: Bytes of decompressed data read at a time: enough to amortise every per-call cost, few enough to stay
#: in the cache between decoding and hashing.
CHUNK_BYTES = 1 << 20

#: A byte-order mark: an editor's signature at the start of a file, not text.
BOM = b"\xef\xbb\xbf"


#: How a Zstandard frame begins, and one to be skipped, after any first byte.
_ZSTD_MAGIC, _ZSTD_SKIPPABLE = b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"
#: What Zstandard's library says, and what that means for a file.
_ZSTD_PROBLEMS = {
    "Unknown frame descriptor": "something else follows the zstd data: cut it off the end of the file",
    "too much memory": "the zstd data needs more than 128 MiB to be decompressed: compress it with a smaller "
    "window",
}


class ByteStream:
    """The decompressed bytes of a file.

    ``digest`` is the XXH3-128 of the file's own bytes in 32 hexadecimal digits once the stream has been
    read to its end; ``None`` before, and where there is no file.

    Args:
        label: The file's name in messages.
        read: Returns at most so many further bytes.
        position: Returns how many bytes of the file itself have been read.
        finish: Returns the digest at the end of the stream.
    """

    digest: str | None = None

    def __init__(
        self,
        label: str,
        read: Callable[[int], bytes],
        position: Callable[[], int],
        finish: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.label = label
        self._read = read
        self._finish = finish
        self.position = position

    def read(self, n_bytes: int = CHUNK_BYTES) -> bytes:
        """Read at most ``n_bytes`` further bytes; none at the end.

        Raises:
            UnreadableFileError: The file cannot be read, is truncated or is damaged.
        """
        try:
            data = self._read(n_bytes)
            if not data:
                self.digest = self._finish()
            return data
        except EOFError as error:
            raise UnreadableFileError(
                f"{self.label}: the compressed data ends too early: the file is truncated"
            ) from error
        except DecodeError as error:
            raise UnreadableFileError(f"{self.label}: {error}") from error
        except OSError as error:
            raise UnreadableFileError(f"{self.label}: cannot read: {reason(error)}") from error

    def read_all(self, max_bytes: int) -> bytes | None:
        """Read the rest of the stream; ``None`` if that is more than ``max_bytes``."""
        parts: list[bytes] = []
        n_bytes = 0
        while part := self.read():
            n_bytes += len(part)
            if n_bytes > max_bytes:
                return None
            parts.append(part)
        return b"".join(parts)

    def read_some(self, n_bytes: int) -> bytes:
        """Read the next ``n_bytes``, fewer only at the end of the stream."""
        parts = []
        while n_bytes > 0 and (part := self.read(min(n_bytes, CHUNK_BYTES))):
            parts.append(part)
            n_bytes -= len(part)
        return b"".join(parts)


class _HashingFile(io.RawIOBase):
    """A file whose bytes are counted and hashed as they are read.

    It has no ``tell``: ``io.BufferedReader`` calls it when it is made and discards whatever it raises, so a
    Ctrl-C that arrived at that moment would be lost.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._hash = xxhash.xxh3_128()
        self._ended = False
        self.n_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        n_bytes: int = self._file.readinto(buffer)
        self._ended = n_bytes == 0
        self._hash.update(memoryview(buffer)[:n_bytes])
        self.n_read += n_bytes
        return n_bytes

    def finish(self) -> str:
        """Return the digest of the whole file, after reading what the decoder did not need."""
        if not self._ended:
            rest = bytearray(CHUNK_BYTES)
            while self.readinto(rest):
                pass
        return self._hash.hexdigest()


@contextmanager
def open_stream(path: File) -> Iterator[ByteStream]:
    """Open a file, decompressing it by its suffix: ``.gz``, ``.zst``, ``.bz2`` or ``.xz``.

    Raises:
        UnreadableFileError: The file cannot be opened.
    """
    opened: io.RawIOBase
    if isinstance(path, Path):
        try:
            opened = path.open("rb", buffering=0)
        except OSError as error:
            raise unreadable(path, error) from error
        is_pipe = not opened.seekable()
    else:
        opened, is_pipe = path.open(sequential=True), False
    hashed = _HashingFile(opened)
    # Decoders read by the kilobyte; the file is read and hashed by the megabyte. Both are closed here:
    # what the garbage collector closes discards a Ctrl-C that arrives meanwhile.
    with opened, io.BufferedReader(hashed, CHUNK_BYTES) as file:
        suffix = path.suffix.lower()
        with closing(_decoder(suffix, file)) as decoder:
            # A pipe cannot tell how far it has been read.
            position = (lambda: 0) if is_pipe else (lambda: hashed.n_read)
            yield ByteStream(str(path), decoder.read, position, hashed.finish)


def _decoder(suffix: str, file: io.BufferedReader[Any]) -> Any:
    """Return the decoder of a file with this suffix."""
    if suffix == ".zst":
        return _ZstdDecoder(file)
    codec = codec_of(suffix)
    return file if codec is None else MemberDecoder(file, codec)


class _ZstdDecoder:
    """The decompressed bytes of a Zstandard file.

    Arrow's decoder notices a stream that ends early; zstandard's stream reader does not.
    """

    def __init__(self, file: io.BufferedReader[Any]) -> None:
        arrow = extras.load("pyarrow", "build")
        self._file = file
        self._stream = arrow.CompressedInputStream(arrow.PythonFile(file, "r"), "zstd")
        self._has_begun = False

    def read(self, n_bytes: int) -> bytes:
        if not self._has_begun:
            self._begin()
        try:
            data: bytes = self._stream.read(n_bytes)
        except OSError as error:
            what = next((what for sign, what in _ZSTD_PROBLEMS.items() if sign in str(error)), None)
            if what is None:
                raise
            raise DecodeError(what) from error
        return data

    def _begin(self) -> None:
        first = self._file.peek(4)[:4]
        if len(first) == 4 and first != _ZSTD_MAGIC and first[1:] != _ZSTD_SKIPPABLE:
            raise DecodeError("not zstd data: rename the file if it is not compressed")
        self._has_begun = True

    def close(self) -> None:
        self._stream.close()
