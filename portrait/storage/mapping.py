"""Files as buffers: mapped, or read into memory where a map is not safe.

A map takes no file descriptor, so any number of files can be open. Reading a map of a file that has been cut
short, or whose disk or server fails, ends the process with SIGBUS; a file that was read into memory cannot
change any more.
"""

from __future__ import annotations

import errno
import mmap
import os
from typing import TYPE_CHECKING, BinaryIO, Literal

from portrait._native import Map
from portrait._native import explain_bus_errors as explain
from portrait.errors import printable
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from pathlib import Path

#: How a file's bytes are reached: mapped, to be read at random or from end to end; or read into memory.
Access = Literal["random", "sequential", "memory"]


def open_file(path: Path, access: Access = "random") -> memoryview:
    """Return a file's bytes, read-only.

    Args:
        path: The file, which may be empty.
        access: How the bytes are reached.

    Raises:
        MemoryError: There is not enough memory to read it, or the process has too many maps.
        OSError: The file cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return open_bytes(file, file.seek(0, os.SEEK_END), access)


def open_bytes(file: BinaryIO, n_bytes: int, access: Access = "random") -> memoryview:
    """Return the first ``n_bytes`` of an open file, which may be closed afterwards.

    Raises:
        MemoryError: There is not enough memory to read them, or the process has too many maps.
        OSError: The file cannot be read.
    """
    if n_bytes == 0:
        return memoryview(b"")
    if access == "memory":
        return _read(file, n_bytes)
    name = printable(os.fsdecode(file.name)).encode()
    try:
        return memoryview(Map(file.fileno(), n_bytes, access == "sequential", name))
    except MemoryError as error:
        raise MemoryError(
            f"not enough memory to map {name.decode()}, or too many files are mapped (on Linux, "
            f"vm.max_map_count): open fewer portraits at once, or convert them to larger files"
        ) from error


def _read(file: BinaryIO, n_bytes: int) -> memoryview:
    # Pages of their own begin at a multiple of 64 bytes, as maps do, and a bytes object does not.
    try:
        memory = mmap.mmap(-1, n_bytes)
    except OSError as error:
        raise MemoryError(f"not enough memory for a file of {count(n_bytes)} bytes") from error
    room = memoryview(memory)
    file.seek(0)
    at = 0
    while at < n_bytes:
        n_read = file.readinto(room[at:])  # type: ignore[attr-defined]  # every binary file has it
        if not n_read:
            raise OSError(errno.EIO, "the file was cut short while it was read")
        at += n_read
    return room.toreadonly()


def explain_bus_errors(advice: str) -> None:
    """Have reading what a mapped file has lost end this process with one line on stderr and status 2.

    It is for the command line, which owns its process; files that are mapped already stay unexplained.

    Args:
        advice: What to do, the end of the line.
    """
    what = "was cut short, or its disk or server failed, while it was being read"
    explain(b"portrait: error: ", f": {what}: {advice}".encode())
