"""Files that appear whole or not at all: written beside their place, synced, and renamed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Buffer

#: The end of the name of a file that is being written.
PART_SUFFIX = ".part"


def part_path(path: Path) -> Path:
    """Return a hidden sibling of ``path`` that no other attempt to write ``path`` uses.

    Two attempts may run at once, on two machines that share a disk, so a process's number does not suffice.
    """
    return path.with_name(f".{path.name}.{random_name()}{PART_SUFFIX}")


def random_name() -> str:
    """Return sixteen random hexadecimal digits: a name that no other attempt has."""
    return os.urandom(8).hex()


@contextmanager
def creating(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a new file to write, which is removed again when the block ends with an error.

    Args:
        path: The file to create. Readers may see it half written, so it is for a place that is not read
            yet, such as a staging directory.
        durable: Whether the content reaches the disk before the block ends.

    Raises:
        OSError: The file exists or cannot be written.
    """
    with path.open("xb", buffering=0) as file:
        try:
            yield file
            if durable:
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file to write that takes the place of ``path`` when the block ends without an error.

    Args:
        path: The file to create or replace.
        durable: Whether the content reaches the disk before the file takes its place, so that it survives a
            power cut. Without it the file still survives the process.

    Raises:
        OSError: The file cannot be written; the previous content of ``path`` stays in place.
    """
    part = part_path(path)
    try:
        with creating(part, durable=durable) as file:
            yield file
        part.replace(path)
        if durable:
            sync_directory(path.parent)
    finally:
        part.unlink(missing_ok=True)


def place(source: Path, target: Path, *, replace: bool = False) -> None:
    """Give a file that is whole its place in the same file system, where there is none unless it is replaced.

    Args:
        source: The file. It may keep its old name, too, as another link.
        target: Its place.
        replace: Whether a file there, or a link, is replaced.

    Raises:
        FileExistsError: There is something at ``target``, which stays.
        OSError: The file cannot be linked or renamed.
    """
    if replace:
        source.replace(target)
        return
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: an empty file holds the place, so that nobody else's is replaced.
        with target.open("xb"):
            pass
        source.replace(target)


def create_file(path: Path, *buffers: Buffer, durable: bool = True) -> None:
    """Write a whole new file from ``buffers``, end to end, as :func:`creating` does.

    Raises:
        OSError: The file exists or cannot be written.
    """
    with creating(path, durable=durable) as file:
        for buffer in buffers:
            write_all(file, buffer)


def write_file(path: Path, *buffers: Buffer, durable: bool = True) -> None:
    """Write a whole file from ``buffers``, end to end, as :func:`replacing` does.

    Raises:
        OSError: The file cannot be written.
    """
    with replacing(path, durable=durable) as file:
        for buffer in buffers:
            write_all(file, buffer)


def write_all(file: BinaryIO, buffer: Buffer) -> None:
    """Write all of ``buffer`` to an unbuffered file: one write may fall short where the disk is nearly full.

    Raises:
        OSError: The next write says why.
    """
    rest = memoryview(buffer).cast("B")
    while rest:
        rest = rest[file.write(rest) :]


def sync_file(path: Path) -> None:
    """Wait until a file's content, or a directory's entries, are on the disk.

    Raises:
        OSError: The file cannot be opened or synced.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Wait until a directory's entries are on the disk, so that a rename survives a power cut.

    Raises:
        OSError: The directory cannot be opened or synced.
    """
    sync_file(path)
