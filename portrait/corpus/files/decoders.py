"""Decoders of compressed files: members end to end, in bounded memory, with nothing else behind them."""

from __future__ import annotations

import bz2
import lzma
from typing import TYPE_CHECKING, Any, NamedTuple

from portrait import extras
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

#: Bytes of compressed data decoded at a time.
_INPUT_BYTES = 1 << 18
#: What decompressing may take, whatever dictionary a file asks for: four times as much as ``xz -9`` needs.
#: Zstandard's library has a limit of its own, windows of 128 MiB.
MAX_DICTIONARY_BYTES = 1 << 28


class DecodeError(Exception):
    """Compressed data that cannot be decoded; the message says what is wrong with the file."""


class Codec(NamedTuple):
    """A compression whose files consist of members.

    Attributes:
        name: Its name in messages.
        magic: How each member begins.
        make: Returns a decoder of one member, with the interface of :class:`bz2.BZ2Decompressor`.
    """

    name: str
    magic: bytes
    make: Callable[[], Any]


def codec_of(suffix: str) -> Codec | None:
    """Return the codec of files with this suffix, if they consist of members."""
    match suffix:
        case ".gz":
            # isal decodes two to three times as fast as zlib.
            library = extras.load("isal.igzip_lib", "build")
            return Codec(
                "gzip", b"\x1f\x8b", lambda: library.IgzipDecompressor(flag=library.DECOMP_GZIP, hist_bits=15)
            )
        case ".bz2":
            return Codec("bzip2", b"BZh", bz2.BZ2Decompressor)
        case ".xz":
            return Codec(
                "xz",
                b"\xfd7zXZ\0",
                lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_DICTIONARY_BYTES),
            )
        case _:
            return None


class MemberDecoder:
    """The decompressed bytes of a file that consists of members.

    Zeros behind a member are padding, as tapes and block devices add.

    Args:
        file: The file.
        codec: Its compression.
    """

    def __init__(self, file: BufferedReader[Any], codec: Codec) -> None:
        self._file = file
        self._codec = codec
        self._member: Any = None
        #: The input that no member has taken yet, and how much was read of the file up to its end.
        self._rest = b""
        self._n_read = 0

    def read(self, n_bytes: int) -> bytes:
        """Read at most ``n_bytes`` further bytes; none at the end.

        Raises:
            DecodeError: The data is damaged, or something else follows it.
            EOFError: The data ends too early.
            OSError: The file cannot be read.
        """
        while self._member is not None or self._begin():
            member = self._member
            if member.needs_input and not self._rest and not self._fill():
                raise EOFError
            given, self._rest = (self._rest, b"") if member.needs_input else (b"", self._rest)
            data: bytes = self._decode(member, given, n_bytes)
            if member.eof:
                self._rest, self._member = member.unused_data.lstrip(b"\0"), None
            if data:
                return data
        return b""

    def close(self) -> None:
        """Free the decoder's memory."""
        self._member, self._rest = None, b""

    def _fill(self) -> bool:
        more = self._file.read1(_INPUT_BYTES)
        self._rest += more
        self._n_read += len(more)
        return bool(more)

    def _begin(self) -> bool:
        """Begin the next member; return whether there is one."""
        first = self._n_read == 0
        while len(self._rest) < len(self._codec.magic) and self._fill():
            if not first:
                self._rest = self._rest.lstrip(b"\0")
        if not self._rest:
            if first:
                raise EOFError
            return False
        if not self._rest.startswith(self._codec.magic):
            self._refuse(first=first)
        self._member = self._codec.make()
        return True

    def _refuse(self, *, first: bool) -> None:
        """Raise the error for bytes that begin no member."""
        name = self._codec.name
        if first and self._codec.magic.startswith(self._rest):
            raise EOFError
        if first:
            raise DecodeError(f"not {name} data: rename the file if it is not compressed")
        at = self._n_read - len(self._rest)
        raise DecodeError(
            f"the {name} data ends at byte {count(at)} of the file, and something else follows: cut the file "
            "there"
        )

    def _decode(self, member: Any, data: bytes, n_bytes: int) -> bytes:
        try:
            decoded: bytes = member.decompress(data, n_bytes)
        except MemoryError:
            raise
        except Exception as error:  # each library has its own
            if isinstance(error, lzma.LZMAError) and "limit" in str(error):
                limit = MAX_DICTIONARY_BYTES >> 20
                raise DecodeError(
                    f"the {self._codec.name} data needs more than {limit} MiB to be decompressed: compress "
                    "it with a smaller dictionary"
                ) from error
            raise DecodeError(f"the {self._codec.name} data is damaged: {error}") from error
        return decoded
