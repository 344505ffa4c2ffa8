"""Files as streams of bytes, decompressed, with every failure named."""

from __future__ import annotations

import bz2
import lzma
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

#: Bytes of decompressed data asked for at a time: large enough to amortise every per-call cost,
#: small enough to stay in the cache between decoding and hashing.
CHUNK_BYTES = 1 << 20

#: A byte-order mark: an editor's signature at the start of a file, not text.
BOM = b"\xef\xbb\xbf"


class ByteStream:
    """Decompressed bytes of a file; ``position`` is how far the file itself has been read."""

    def __init__(
        self,
        label: str,
        read: Callable[[int], bytes],
        position: Callable[[], int],
        damage: type[Exception] = EOFError,
        codec: str = "",
    ) -> None:
        self.label = label
        self._damage = damage
        self._codec = codec
        self._read = read
        self.position = position

    def read(self, n_bytes: int = CHUNK_BYTES) -> bytes:
        """At most ``n_bytes`` further bytes; none at the end. Raises :class:`CorpusError`."""
        try:
            return self._read(n_bytes)
        except EOFError as error:
            raise CorpusError(
                f"{self.label}: the {self._codec} data ends too early: the file is truncated"
            ) from error
        except self._damage as error:
            if self._codec == "bzip2" and isinstance(error, OSError) and error.errno is not None:
                raise CorpusError(f"{self.label}: cannot read: {_reason(error)}") from error
            raise CorpusError(f"{self.label}: the {self._codec} data is damaged: {error}") from error
        except OSError as error:
            raise CorpusError(f"{self.label}: cannot read: {_reason(error)}") from error

    def read_all(self) -> bytes:
        """Everything that is left."""
        parts = []
        while part := self.read():
            parts.append(part)
        return b"".join(parts)


def _reason(error: OSError) -> str:
    return error.strerror or (str(error).splitlines() or ["unknown error"])[0]


@contextmanager
def open_stream(path: Path) -> Iterator[ByteStream]:
    """Open a file for reading, decompressed by its suffix: ``.gz``, ``.zst``, ``.bz2`` or ``.xz``.

    Raises :class:`CorpusError`.
    """
    try:
        file = path.open("rb", buffering=0 if path.suffix == ".gz" else CHUNK_BYTES)
    except OSError as error:
        raise CorpusError(f"{path}: {_reason(error)}") from error
    with file:
        read: Callable[[int], bytes] = file.read
        damage: type[Exception] = EOFError
        codec = ""
        if path.suffix.lower() == ".gz":
            codec = "gzip"
            # isal decodes two to three times as fast as zlib.
            igzip: Any = extras.load("isal.igzip", "build")
            read = igzip.IGzipFile(fileobj=file).read
            damage = extras.load("isal.isal_zlib", "build").error
        elif path.suffix.lower() == ".zst":
            # Arrow's decoder notices a stream that ends early; zstandard's stream reader does not.
            arrow: Any = extras.load("pyarrow", "build")
            read = arrow.CompressedInputStream(arrow.PythonFile(file, "r"), "zstd").read
        elif path.suffix.lower() == ".bz2":
            codec, read, damage = "bzip2", bz2.BZ2File(file).read, OSError
        elif path.suffix.lower() == ".xz":
            codec, read, damage = "xz", lzma.LZMAFile(file).read, lzma.LZMAError  # noqa: SIM115
        # A pipe cannot tell how far it has been read.
        position = file.tell if file.seekable() else lambda: 0
        yield ByteStream(str(path), read, position, damage, codec)


def known_bytes(paths: Sequence[Path]) -> int | None:
    """How many bytes some files have; ``None`` if one is no file but a pipe. Raises :class:`CorpusError`."""
    try:
        found = [os.stat(path) for path in paths]  # noqa: PTH116  # half the time of Path.stat
    except OSError as error:
        raise CorpusError(f"{error.filename}: {_reason(error)}") from error
    return sum(one.st_size for one in found) if all(stat.S_ISREG(one.st_mode) for one in found) else None


def file_record(path: Path) -> dict[str, Any]:
    """A file's path and size, for the manifest. Raises :class:`CorpusError`."""
    try:
        return {"path": str(path), "bytes": os.stat(path).st_size}  # noqa: PTH116  # half the time of Path.stat
    except OSError as error:
        raise CorpusError(f"{path}: {_reason(error)}") from error
