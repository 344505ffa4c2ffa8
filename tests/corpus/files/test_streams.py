"""Files as streams of bytes: decompression, digests, damage and failing disks."""

from __future__ import annotations

import bz2
import gc
import gzip
import json
import lzma
import os
import signal
from typing import TYPE_CHECKING

import pytest
import xxhash
from support.documents import zstd
from support.forms import lines, shard_of
from support.refusals import GOOD, message

import portrait
from portrait.corpus.files.decoders import DecodeError
from portrait.corpus.files.streams import ByteStream, open_stream
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def noise(n_bytes: int) -> bytes:
    """Return lines that do not compress, so that damage falls within them."""
    rows = (json.dumps({"text": os.urandom(100).hex()}) for _ in range(n_bytes // 200))
    return "\n".join(rows).encode()


DATA = noise(400_000)

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    ".jsonl": bytes,
    ".gz": gzip.compress,
    ".zst": zstd,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}

WRONG_CHECKSUM = bytearray(gzip.compress(DATA))
WRONG_CHECKSUM[-8] ^= 1

INVALID_BLOCK = gzip.compress(GOOD)[:10] + b"\xff" * 40

#: A frame's magic number, a descriptor without options, and a window of 2^31 bytes.
LONG_WINDOW = b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([(31 - 10) << 3]) + zstd(GOOD)[6:]


DAMAGED_FILES = {
    "gzip, truncated": (".gz", gzip.compress(DATA)[:-4000], "truncated"),
    "gzip, trailer missing": (".gz", gzip.compress(DATA)[:-8], "truncated"),
    "gzip, header only": (".gz", gzip.compress(DATA)[:10], "truncated"),
    "gzip, header cut": (".gz", gzip.compress(DATA)[:5], "truncated"),
    "gzip, not gzip": (".gz", GOOD, "not gzip data"),
    "gzip, invalid block": (".gz", INVALID_BLOCK, "damaged"),
    "gzip, wrong checksum": (".gz", bytes(WRONG_CHECKSUM), "checksum"),
    "gzip, second member truncated": (".gz", gzip.compress(GOOD) + gzip.compress(DATA)[:-9], "truncated"),
    "bzip2, truncated": (".bz2", bz2.compress(DATA)[:-4000], "truncated"),
    "bzip2, damaged": (".bz2", bz2.compress(DATA)[:2000] + bytes(3000), "damaged"),
    "bzip2, not bzip2": (".bz2", DATA, "not bzip2 data"),
    "xz, truncated": (".xz", lzma.compress(DATA)[:-4000], "truncated"),
    "xz, damaged": (".xz", lzma.compress(DATA)[:2000] + bytes(30000), "damaged"),
    "xz, not xz": (".xz", DATA, "not xz data"),
    "zstd, truncated": (".zst", zstd(DATA)[:-4000], "Truncated"),
    "zstd, last byte missing": (".zst", zstd(DATA)[:-1], "Truncated"),
    "zstd, header cut": (".zst", zstd(DATA)[:3], "Truncated"),
    "zstd, not zstd": (".zst", GOOD, "not zstd data"),
    "gzip, something behind": (".gz", gzip.compress(GOOD) + b"\n", "something else follows"),
    "bzip2, something behind": (".bz2", bz2.compress(GOOD) + GOOD, "something else follows"),
    "xz, something behind": (".xz", lzma.compress(GOOD) + GOOD, "something else follows"),
    "zstd, something behind": (".zst", zstd(GOOD) + GOOD, "something else follows the zstd data"),
    "zstd, window of 2 GiB": (".zst", LONG_WINDOW, "needs more than 128 MiB"),
    "zstd, second frame truncated": (".zst", zstd(GOOD) + zstd(DATA)[:-9], "Truncated"),
}


@pytest.mark.parametrize("kind", DAMAGED_FILES)
@pytest.mark.parametrize("stem", ["a.jsonl", "a.txt", "a.csv"])
def test_a_damaged_compressed_file_is_named(kind: str, stem: str, tmp_path: Path) -> None:
    suffix, data, reason = DAMAGED_FILES[kind]
    path = tmp_path / (stem + suffix)
    path.write_bytes(data)
    error = message(path, tmp_path, portrait.UnreadableFileError)
    assert error.startswith(f"{path}: ")
    assert reason in error
    if stem == "a.jsonl":
        assert "from line " in error


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_the_digest_covers_the_whole_file_even_behind_the_compressed_data(
    suffix: str, tmp_path: Path
) -> None:
    data = ENCODERS[suffix](lines()) + (bytes(3_000_000) if suffix in (".gz", ".bz2") else b"")
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(data)
    shard = shard_of(path)
    list(shard.chunks())
    assert shard.digests() == {str(path): xxhash.xxh3_128_hexdigest(data)}


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.txt.gz"])
def test_a_stream_that_is_not_read_to_its_end_has_no_digest(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(gzip.compress(lines())[:-4])
    shard = shard_of(tmp_path / name)
    with pytest.raises(UnreadableFileError):
        list(shard.chunks())
    assert shard.digests() == {}
    (tmp_path / name).write_bytes(gzip.compress(lines()))
    assert next(iter(shard.chunks()))
    assert len(shard.digests()) == name.startswith("a.txt")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(5, "Input/output error"), "cannot read: Input/output error"),
        (DecodeError("the xz data is damaged: Corrupt"), "the xz data is damaged: Corrupt"),
        (EOFError(), "the compressed data ends too early: the file is truncated"),
    ],
)
def test_a_failing_disk_and_damaged_data_are_told_apart(error: Exception, message: str) -> None:
    def read(_: int) -> bytes:
        raise error

    stream = ByteStream("a.gz", read, lambda: 0)
    with pytest.raises(UnreadableFileError, match=f"^a.gz: {message}$"):
        stream.read()
    assert stream.digest is None


def test_a_directory_cannot_be_opened_as_a_stream(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="Is a directory"), open_stream(tmp_path):
        pass


def test_a_stream_returns_as_many_bytes_as_requested(tmp_path: Path) -> None:
    data = lines() * 200
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data))
    with open_stream(tmp_path / "a.jsonl.gz") as stream:
        assert stream.read_some(2_000_000) == data[:2_000_000]
        assert stream.digest is None
        assert stream.read_all(len(data)) == data[2_000_000:]
        assert stream.read() == b""
        assert stream.position() == (tmp_path / "a.jsonl.gz").stat().st_size


def test_no_more_is_read_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    with open_stream(tmp_path / "bomb.gz") as stream:
        assert stream.read_all(3_000_000) is None
        assert len(stream.read_all(47_000_000) or b"") > 40_000_000


class Interrupt(BaseException):
    """What a signal raises, which no code expects."""


# An interrupt between opening a file and entering its block leaves it to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("suffix", [".jsonl", ".zst"])
def test_an_interrupt_is_never_lost(suffix: str, tmp_path: Path) -> None:
    """Interrupt opening, reading and closing at many moments, some of them in C code.

    The decoders of the other suffixes lose a few interrupts themselves, while they are made.
    """
    path = tmp_path / f"data{suffix}"
    path.write_bytes(ENCODERS[suffix](GOOD))
    n_signals = 0

    def interrupt(*_: object) -> None:
        nonlocal n_signals
        n_signals += 1
        raise Interrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    # What a handler raises within a callback of the garbage collector is lost, and test tools have one.
    gc.disable()
    try:
        n_raised = 0
        while n_signals < 2000:
            before = n_signals
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0002 + 0.000_001 * n_signals)
                while n_signals == before:
                    with open_stream(path) as stream:
                        stream.read_all(len(GOOD))
            except Interrupt:
                n_raised += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        gc.enable()
    assert n_raised == n_signals
