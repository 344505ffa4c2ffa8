"""Runs of keys on disk, ordered by partition: what lies between reading a corpus and its filters.

A run is a file: eight bytes that say what it is, the number of partitions P, P + 1 numbers of keys
that stand before each partition and at the end, P checksums, then the keys, partition after
partition, unsorted within. All of it is little-endian numbers of 64 bits. A partition of P is a range
of keys, so that reading some keys of all runs is reading a stretch of each.

A run need not survive a power cut, only the process that wrote it: nothing is synced, which would take
longer than all the rest, and a checksum that does not fit has the shard read again.
"""

from __future__ import annotations

import os
import sys
import uuid
from array import array
from typing import TYPE_CHECKING, NamedTuple, Protocol

import xxhash

from portrait.errors import OutputError, SpoolError
from portrait.keys.maker import KEY_BYTES, keys_within, smallest_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

    from portrait._native import Keys

_MAGIC = b"keyrun01"
_N_KEYS = 1 << 64
#: Bytes of a run that are worth a read of their own.
_CHUNK_BYTES = 1 << 18


class KeySource(Protocol):
    """All keys of a layer, with repetitions."""

    @property
    def n_keys(self) -> int:
        """How many there are."""

    def within(self, first_key: int, last_key: int) -> Iterator[Keys | Buffer]:
        """Those of a range, some at a time. Raises :class:`SpoolError`."""

    def smallest(self, k: int) -> Sequence[int]:
        """The ``k`` smallest different ones, or all, in ascending order. Raises :class:`SpoolError`."""


class Held:
    """Keys in memory; a :class:`KeySource`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.n_keys = len(keys)

    def within(self, first_key: int, last_key: int) -> Iterator[Keys | Buffer]:
        """Those of a range."""
        whole = (first_key, last_key) == (0, _N_KEYS - 1)
        yield self._keys if whole else keys_within(self._keys, first_key, last_key)

    def smallest(self, k: int) -> Sequence[int]:
        """The ``k`` smallest different ones."""
        return smallest_keys([self._keys], k)


class Run(NamedTuple):
    """A file of keys in the spool's directory, and where they are from, for messages."""

    file: str
    n_keys: int
    origin: str


def write_run(path: Path, keys: Buffer, counts: Sequence[int]) -> None:
    """Write keys that are ordered by partition, ``counts`` of them in each. Raises :class:`OutputError`."""
    data = memoryview(keys).cast("B")
    before, checksums = array("Q", [0]), array("Q")
    for partition, count in enumerate(counts):
        start = before[-1]
        before.append(start + count)
        segment = data[start * KEY_BYTES : before[-1] * KEY_BYTES]
        checksums.append(xxhash.xxh3_64_intdigest(segment, partition))
    head = [array("Q", [len(counts)]), before, checksums]
    if sys.byteorder == "big":
        for numbers in head:
            numbers.byteswap()
    # Another machine may believe this one dead, and write the same run.
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb", buffering=0) as file:
            for piece in (_MAGIC + b"".join(numbers.tobytes() for numbers in head), data):
                rest = memoryview(piece)
                # A write may fall short where the disk is nearly full; the next one says why.
                while rest:
                    rest = rest[file.write(rest) :]
        part.rename(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            f"{path.parent}: cannot write keys there: {error.strerror}: make room, or choose another "
            "--work-dir; the same command goes on from here"
        ) from error


class Spool:
    """The runs of a layer; a :class:`KeySource`."""

    def __init__(self, directory: Path, runs: Sequence[Run], n_partitions: int) -> None:
        self._directory = directory
        self._runs = runs
        self._n_partitions = n_partitions
        self.n_keys = sum(run.n_keys for run in runs)

    def within(self, first_key: int, last_key: int) -> Iterator[Keys | Buffer]:
        """Those of a range, partition by partition where these are large."""
        p = self._n_partitions
        first, after = (first_key * p) // _N_KEYS, (last_key * p) // _N_KEYS + 1
        # So many partitions at a time that a read of each run is worth its while.
        expected = max(1, self.n_keys * KEY_BYTES // max(1, p * len(self._runs)))
        step = max(1, _CHUNK_BYTES // expected)
        while first < after:
            # Of partitions that reach beyond the range, all keys are looked at.
            cut = first * _N_KEYS < first_key * p or (first + 1) * _N_KEYS > (last_key + 1) * p
            end = first + 1
            if not cut:
                while end < min(after, first + step) and (end + 1) * _N_KEYS <= (last_key + 1) * p:
                    end += 1
            for run in self._runs:
                keys = self._read(run, first, end)
                if keys:
                    yield keys_within(keys, first_key, last_key) if cut else keys
            first = end

    def check(self) -> None:
        """Read everything. Raises :class:`SpoolError` for what is gone or damaged."""
        for _ in self.within(0, _N_KEYS - 1):
            pass

    def smallest(self, k: int) -> Sequence[int]:
        """The ``k`` smallest different ones: these are in the first partitions."""
        read: list[Buffer] = []
        found: Sequence[int] = []
        for partition in range(self._n_partitions):
            read.extend(keys for run in self._runs if (keys := self._read(run, partition, partition + 1)))
            found = smallest_keys(read, k)
            if len(found) == k:
                break
            read = [array("Q", found).tobytes()]
        return found

    def _read(self, run: Run, first: int, after: int) -> bytes:
        """The keys of some partitions of a run."""
        path = self._directory / run.file
        p = self._n_partitions
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise SpoolError(_lost(path, run, error.strerror or "cannot be read")) from error
        try:
            data_at = len(_MAGIC) + KEY_BYTES * (2 * p + 2)
            if os.fstat(file).st_size != data_at + run.n_keys * KEY_BYTES:
                raise SpoolError(_lost(path, run, "is not as long as it was"))
            before = _numbers(file, len(_MAGIC) + KEY_BYTES * (1 + first), after - first + 1)
            checksums = _numbers(file, len(_MAGIC) + KEY_BYTES * (2 + p + first), after - first)
            n_bytes = (before[-1] - before[0]) * KEY_BYTES
            if not 0 <= n_bytes <= run.n_keys * KEY_BYTES:
                raise SpoolError(_lost(path, run, "is damaged"))
            keys = os.pread(file, n_bytes, data_at + before[0] * KEY_BYTES) if n_bytes else b""
        except OSError as error:
            raise SpoolError(_lost(path, run, error.strerror or "cannot be read")) from error
        finally:
            os.close(file)
        view = memoryview(keys)
        for i, checksum in enumerate(checksums):
            start, end = ((before[j] - before[0]) * KEY_BYTES for j in (i, i + 1))
            if xxhash.xxh3_64_intdigest(view[start:end], first + i) != checksum:
                raise SpoolError(_lost(path, run, "is damaged: its checksum does not fit"))
        return keys


def _numbers(file: int, offset: int, n: int) -> array[int]:
    numbers = array("Q")
    numbers.frombytes(os.pread(file, n * KEY_BYTES, offset))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _lost(path: Path, run: Run, what: str) -> str:
    return f"{path}: {what}: run the same command again, which will read {run.origin} anew"
