"""Files as streams of bytes, decompressed and hashed on the way."""

from __future__ import annotations

import bz2
import io
import lzma
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

from portrait import extras
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


class ByteStream:
    """The decompressed bytes of a file.

    ``digest`` is the XXH3-128 of the file's own bytes in 32 hexadecimal digits once the stream has been
    read to its end; ``None`` before, and where there is no file.

    Args:
        label: The file's name in messages.
        read: Returns at most so many further bytes.
        position: Returns how many bytes of the file itself have been read.
        damage: What ``read`` raises where the compressed data is damaged.
        codec: The name of the compression.
        finish: Returns the digest at the end of the stream.
    """

    digest: str | None = None

    def __init__(
        self,
        label: str,
        read: Callable[[int], bytes],
        position: Callable[[], int],
        damage: type[Exception] = EOFError,
        codec: str = "",
        finish: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.label = label
        self._damage = damage
        self._codec = codec
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
                f"{self.label}: the {self._codec} data ends too early: the file is truncated"
            ) from error
        except self._damage as error:
            if self._codec == "bzip2" and isinstance(error, OSError) and error.errno is not None:
                raise UnreadableFileError(f"{self.label}: cannot read: {reason(error)}") from error
            raise UnreadableFileError(f"{self.label}: the {self._codec} data is damaged: {error}") from error
        except OSError as error:
            raise UnreadableFileError(f"{self.label}: cannot read: {reason(error)}") from error

    def read_all(self) -> bytes:
        """Read the rest of the stream."""
        parts = []
        while part := self.read():
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
        decoder, damage, codec = _decoder(path.suffix.lower(), file)
        with closing(decoder):
            # A pipe cannot tell how far it has been read.
            position = (lambda: 0) if is_pipe else (lambda: hashed.n_read)
            yield ByteStream(str(path), decoder.read, position, damage, codec, hashed.finish)


def _decoder(suffix: str, file: io.BufferedReader[Any]) -> tuple[Any, type[Exception], str]:
    """Return the decoder of a file with this suffix, the error that damage raises, and the codec's name."""
    match suffix:
        case ".gz":
            # isal decodes two to three times as fast as zlib.
            igzip = extras.load("isal.igzip", "build")
            damage: type[Exception] = extras.load("isal.isal_zlib", "build").error
            return igzip.IGzipFile(fileobj=file), damage, "gzip"
        case ".zst":
            # Arrow's decoder notices a stream that ends early; zstandard's stream reader does not.
            arrow = extras.load("pyarrow", "build")
            return arrow.CompressedInputStream(arrow.PythonFile(file, "r"), "zstd"), EOFError, ""
        case ".bz2":
            return bz2.BZ2File(file), OSError, "bzip2"
        case ".xz":
            return lzma.LZMAFile(file), lzma.LZMAError, "xz"
        case _:
            return file, EOFError, ""
