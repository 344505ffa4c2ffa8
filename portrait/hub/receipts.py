"""Receipts: which downloads have been verified, so that they are verified once and opened at once.

A receipt lies in the directory that the hub's library reserves for the files of other programs. It counts as
long as every file has the size and the time of change that it had when it was verified.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.hub.environment import assets_directory, endpoint_url
from portrait.storage.atomic import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = "portrait/verified"


def remember(location: str, cache: Path, path: Path, files: Iterable[Path]) -> None:
    """Write the receipt of a verified download; without effect where that directory cannot be written.

    Args:
        location: The address that was asked for, as it was written.
        cache: The hub's cache.
        path: The portrait in the cache.
        files: All of its files.
    """
    content = {
        "location": location,
        "path": str(path),
        "files": [_state(str(file)) for file in files],
    }
    receipt = Path(_receipt(location, cache))
    with suppress(OSError):
        receipt.parent.mkdir(parents=True, exist_ok=True)
        write_file(receipt, json.dumps(content).encode(), durable=False)


def recall(location: str, cache: Path) -> Path | None:
    """Return where a verified download is; ``None`` if there is none, or one of its files has changed.

    Args:
        location: The address, as it was written.
        cache: The hub's cache.
    """
    try:
        with open(_receipt(location, cache), "rb", buffering=0) as file:  # noqa: PTH123  # as below
            content = json.loads(file.read())
        if content["location"] == location and all(_state(state[0]) == state for state in content["files"]):
            return Path(content["path"])
    except (OSError, IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return None


def _state(path: str) -> list[Any]:
    """Return a file's path, and what would change with its content.

    Raises:
        OSError: There is no such file.
    """
    status = os.stat(path)  # noqa: PTH116  # a path object takes longer than the call
    return [path, status.st_size, status.st_mtime_ns]


def _receipt(location: str, cache: Path) -> str:
    key = "\0".join((endpoint_url(), str(cache), location))
    name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{assets_directory()}/{_FOLDER}/{name}.json"
