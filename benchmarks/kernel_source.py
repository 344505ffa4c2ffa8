"""Real text in any amount: the source code of Linux 6.1, as Parquet and as JSON lines compressed with zstd.

The text comes from Debian's package linux-source-6.1 (``apt-get install linux-source-6.1``), or from a
directory or archive of source code that LINUX_SOURCE names. The tree has about 1.2 GB; a larger corpus
repeats it with its letters rotated, which keeps lengths, words and repetitions and makes every window that
contains a letter a new one.
"""

from __future__ import annotations

import json
import os
import string
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARD_BYTES = 64_000_000
_PLACES = ("/usr/src/linux-source-6.1.tar.xz", "/usr/src/linux-source-6.1")


def source_files() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of the source."""
    places = [os.environ["LINUX_SOURCE"]] if "LINUX_SOURCE" in os.environ else list(_PLACES)
    place = next((Path(one) for one in places if Path(one).exists()), None)
    if place is None:
        raise SystemExit("no text to measure with: apt-get install linux-source-6.1, or set LINUX_SOURCE")
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(place)), path.read_bytes()
        return
    with tarfile.open(place, "r|*") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, file.read()


def _rotate(text: str, turn: int) -> str:
    """Move the lower-case letters of a text on by ``turn`` places in the alphabet."""
    letters = string.ascii_lowercase
    return text.translate(str.maketrans(letters, letters[turn:] + letters[:turn])) if turn else text


def _documents(files: list[tuple[str, str]], n_bytes: int) -> Iterator[tuple[str, str]]:
    turn = 0
    while n_bytes > 0:
        for name, text in files:
            yield f"{turn}/{name}", _rotate(text, turn)
            n_bytes -= len(text)
            if n_bytes <= 0:
                return
        turn += 1


def corpora(n_bytes: int, directory: Path | None = None) -> dict[str, Path]:
    """Return directories of about ``n_bytes`` of text, by format; they are made once and kept."""
    place = (directory or Path(tempfile.gettempdir()) / "portrait-benchmarks") / f"linux-{n_bytes}"
    directories = {kind: place / kind for kind in ("parquet", "jsonl.zst")}
    if (place / "whole").exists():
        return directories
    for path in directories.values():
        path.mkdir(parents=True, exist_ok=True)
    files = []
    for name, data in source_files():
        try:
            files.append((name, data.decode()))
        except UnicodeDecodeError:
            continue
    shard: list[dict[str, str]] = []
    size = number = 0

    def write() -> None:
        nonlocal shard, size, number
        pq.write_table(pa.Table.from_pylist(shard), directories["parquet"] / f"{number:03}.parquet")
        with pa.CompressedOutputStream(
            str(directories["jsonl.zst"] / f"{number:03}.jsonl.zst"), "zstd"
        ) as file:
            for row in shard:
                file.write(json.dumps(row).encode() + b"\n")
        shard, size, number = [], 0, number + 1

    for name, text in _documents(files, n_bytes):
        shard.append({"path": name, "text": text})
        size += len(text)
        if size >= SHARD_BYTES:
            write()
    if shard:
        write()
    (place / "whole").touch()
    return directories
