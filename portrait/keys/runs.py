"""Runs of keys on disk, ordered by partition: what the map tasks leave for the reduce tasks.

A run is a file: eight bytes of magic, the number of partitions P, P + 1 counts of the keys before each
partition and at the end, P checksums, then the keys, partition after partition, unsorted within. All numbers
are little-endian, of 64 bits. A partition of P is a range of keys, so that the keys of a range are one
stretch of each run.

A run must survive the process that wrote it, but not a power cut: nothing is synced, which would take longer
than all the rest. If a checksum does not match, the build reads the shard again.
"""

from __future__ import annotations

import os
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import xxhash

from portrait.errors import OutputError, WorkDirError
from portrait.keys.maker import KEY_BYTES, keys_within, smallest_keys
from portrait.storage.atomic import write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

    from portrait._native import Keys

_MAGIC = b"keyrun01"
_N_KEYS = 1 << 64
#: A read of a run is worth its cost from this size.
_CHUNK_BYTES = 1 << 18


class KeySource(Protocol):
    """All keys of a layer, with repetitions."""

    @property
    def n_keys(self) -> int:
        """How many keys there are."""

    def within(self, first_key: int, last_key: int) -> Iterator[Keys | Buffer]:
        """Yield the keys from ``first_key`` to ``last_key``, both included, some at a time.

        Raises:
            WorkDirError: A run is gone or damaged.
        """

    def smallest(self, k: int) -> Sequence[int]:
        """Return the ``k`` smallest distinct keys, or all if there are fewer, in ascending order.

        Raises:
            WorkDirError: A run is gone or damaged.
        """


class KeysInMemory:
    """The keys of a layer in memory; a :class:`KeySource`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.n_keys = len(keys)

    def within(self, first_key: int, last_key: int) -> Iterator[Keys | Buffer]:
        """See :meth:`KeySource.within`."""
        everything = (first_key, last_key) == (0, _N_KEYS - 1)
        yield self._keys if everything else keys_within(self._keys, first_key, last_key)

    def smallest(self, k: int) -> Sequence[int]:
        """See :meth:`KeySource.smallest`."""
        return smallest_keys([self._keys], k)


@dataclass(frozen=True, slots=True)
class Run:
    """A file of keys in the data directory of a build, and the label of the shard that they are from."""

    file: str
    n_keys: int
    origin: str

    def to_json(self) -> list[Any]:
        """Return the run as JSON."""
        return [self.file, self.n_keys, self.origin]

    @classmethod
    def from_json(cls, content: list[Any]) -> Self:
        """Return the run of :meth:`to_json`."""
        file, n_keys, origin = content
        return cls(str(file), int(n_keys), str(origin))


def write_run(path: Path, keys: Buffer, counts: Sequence[int]) -> None:
    """Write a run, whole or not at all, even where two attempts at one task write it at once.

    Args:
        path: The file to write.
        keys: The keys, ordered by partition.
        counts: How many keys each partition has.

    Raises:
        OutputError: The file cannot be written.
    """
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
    try:
        write_file(path, _MAGIC + b"".join(numbers.tobytes() for numbers in head), data, durable=False)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: cannot write keys there: {error.strerror}: make room and re-run the same call, "
            "which resumes the build, or choose another work directory",
            parameter="work_dir",
        ) from error


class KeysInRuns:
    """The keys of a layer in runs of ``n_partitions``; a :class:`KeySource`."""

    def __init__(self, directory: Path, runs: Sequence[Run], n_partitions: int) -> None:
        self._directory = directory
        self._runs = runs
        self._n_partitions = n_partitions
        self.n_keys = sum(run.n_keys for run in runs)

    def within(self, first_key: int, last_key: int) -> Iterator[Keys | Buffer]:
        """See :meth:`KeySource.within`; partition by partition where partitions are large."""
        p = self._n_partitions
        first, after = (first_key * p) // _N_KEYS, (last_key * p) // _N_KEYS + 1
        # As many partitions at a time as make a read of each run worth its cost.
        expected = max(1, self.n_keys * KEY_BYTES // max(1, p * len(self._runs)))
        step = max(1, _CHUNK_BYTES // expected)
        while first < after:
            # A partition that reaches beyond the range is read whole, and then cut.
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
        """Read all runs.

        Raises:
            WorkDirError: A run is gone or damaged.
        """
        for _ in self.within(0, _N_KEYS - 1):
            pass

    def smallest(self, k: int) -> Sequence[int]:
        """See :meth:`KeySource.smallest`; only the first partitions are read."""
        read: list[Buffer] = []
        smallest: Sequence[int] = []
        for partition in range(self._n_partitions):
            read.extend(keys for run in self._runs if (keys := self._read(run, partition, partition + 1)))
            smallest = smallest_keys(read, k)
            if len(smallest) == k:
                break
            read = [array("Q", smallest).tobytes()]
        return smallest

    def _read(self, run: Run, first: int, after: int) -> bytes:
        """Return the keys of the partitions ``first`` to ``after - 1`` of a run."""
        path = self._directory / run.file
        p = self._n_partitions
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise WorkDirError(_lost(path, run, error.strerror or "cannot be read")) from error
        try:
            data_at = len(_MAGIC) + KEY_BYTES * (2 * p + 2)
            if os.fstat(file).st_size != data_at + run.n_keys * KEY_BYTES:
                raise WorkDirError(_lost(path, run, "has the wrong length"))
            before = _numbers(file, len(_MAGIC) + KEY_BYTES * (1 + first), after - first + 1)
            checksums = _numbers(file, len(_MAGIC) + KEY_BYTES * (2 + p + first), after - first)
            n_bytes = (before[-1] - before[0]) * KEY_BYTES
            if not 0 <= n_bytes <= run.n_keys * KEY_BYTES:
                raise WorkDirError(_lost(path, run, "is damaged"))
            keys = os.pread(file, n_bytes, data_at + before[0] * KEY_BYTES) if n_bytes else b""
        except OSError as error:
            raise WorkDirError(_lost(path, run, error.strerror or "cannot be read")) from error
        finally:
            os.close(file)
        view = memoryview(keys)
        for i, checksum in enumerate(checksums):
            start, end = ((before[j] - before[0]) * KEY_BYTES for j in (i, i + 1))
            if xxhash.xxh3_64_intdigest(view[start:end], first + i) != checksum:
                raise WorkDirError(_lost(path, run, "is damaged: its checksum does not fit"))
        return keys


def _numbers(file: int, offset: int, n: int) -> array[int]:
    numbers = array("Q")
    numbers.frombytes(os.pread(file, n * KEY_BYTES, offset))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _lost(path: Path, run: Run, what: str) -> str:
    return f"{path}: {what}: re-run the same call, which reads {run.origin} again"
