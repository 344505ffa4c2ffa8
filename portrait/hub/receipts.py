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

from portrait import strict_json
from portrait.hub.environment import assets_directory, endpoint_url
from portrait.storage.atomic import write_file
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = "portrait/verified"
_MAX_RECEIPT_BYTES = 16 << 20


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
    receipt = _receipt(location, cache)
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
        with _receipt(location, cache).open("rb") as file:
            content = strict_json.loads(file.read(_MAX_RECEIPT_BYTES))
        if content["location"] == location and all(_state(state[0]) == state for state in content["files"]):
            return Path(content["path"])
    except (OSError, JsonError, IndexError, KeyError, TypeError, ValueError):
        return None
    return None


def _state(path: str) -> list[Any]:
    """Return a file's path, and what would change with its content.

    Raises:
        OSError: There is no such file.
    """
    status = os.stat(path)  # noqa: PTH116  # half the time of a Path, and this is what an open waits for
    return [path, status.st_size, status.st_mtime_ns]


def _receipt(location: str, cache: Path) -> Path:
    key = json.dumps([endpoint_url(), str(cache), location])
    return assets_directory() / _FOLDER / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
