"""Decoders of compressed files: members, padding, what follows them, and what they ask for."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.corpus.files.decoders import MAX_DICTIONARY_BYTES, DecodeError, MemberDecoder, codec_of

if TYPE_CHECKING:
    from collections.abc import Callable

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
NAMES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz"}


def decode(data: bytes, suffix: str, n_bytes: int = 1 << 20) -> bytes:
    """Decode a file's bytes, so many at a time."""
    codec = codec_of(suffix)
    assert codec is not None
    decoder = MemberDecoder(io.BufferedReader(io.BytesIO(data)), codec)
    parts = []
    while part := decoder.read(n_bytes):
        assert len(part) <= n_bytes
        parts.append(part)
    decoder.close()
    return b"".join(parts)


@pytest.mark.parametrize("suffix", ENCODERS)
@given(
    members=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    padding=st.integers(0, 9),
    n_bytes=st.integers(1, 400),
)
def test_members_are_decoded_end_to_end(
    suffix: str, members: list[bytes], padding: int, n_bytes: int
) -> None:
    data = b"".join(ENCODERS[suffix](member) + bytes(padding) for member in members)
    assert decode(data, suffix, n_bytes) == b"".join(members)


@pytest.mark.parametrize("suffix", ENCODERS)
@pytest.mark.parametrize("padding", [0, 1, 3, 1 << 19])
@pytest.mark.parametrize("garbage", [b"x", b"\x1f", b"\xfd7zXZ", b"something else, " * 9])
def test_what_follows_the_data_is_named_with_its_place(suffix: str, padding: int, garbage: bytes) -> None:
    data = ENCODERS[suffix](b"text" * 1000) + bytes(padding)
    with pytest.raises(DecodeError) as caught:
        decode(data + garbage, suffix)
    assert str(caught.value) == (
        f"the {NAMES[suffix]} data ends at byte {len(data):,} of the file, and something else follows: "
        "cut the file there"
    )


@pytest.mark.parametrize("suffix", ENCODERS)
def test_every_cut_is_a_file_that_ends_too_early(suffix: str) -> None:
    data = ENCODERS[suffix](b"some text")
    for n in range(len(data)):
        with pytest.raises(EOFError):
            decode(data[:n], suffix)


@pytest.mark.parametrize("suffix", ENCODERS)
def test_a_file_that_is_not_compressed_is_called_that(suffix: str) -> None:
    with pytest.raises(
        DecodeError, match=f"^not {NAMES[suffix]} data: rename the file if it is not compressed$"
    ):
        decode(b"plain text", suffix)


def test_a_dictionary_of_gigabytes_is_refused() -> None:
    small = lzma.compress(b"text")
    # The dictionary's size is a byte of the block's header, which has a checksum.
    header = bytearray(small[12 : 12 + (small[12] + 1) * 4])
    assert header[2:4] == b"\x21\x01"
    header[4] = 37
    assert MAX_DICTIONARY_BYTES < 3 << 29  # which 37 stands for
    header[-4:] = zlib.crc32(bytes(header[:-4])).to_bytes(4, "little")
    large = small[:12] + bytes(header) + small[12 + len(header) :]
    with pytest.raises(DecodeError, match="needs more than 256 MiB to be decompressed"):
        decode(large, ".xz")


def test_other_suffixes_have_no_members() -> None:
    assert codec_of(".zst") is codec_of(".txt") is None
