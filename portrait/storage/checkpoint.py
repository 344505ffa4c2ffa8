"""What an interrupted task leaves for the next process: JSON records, and what the task was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portrait import strict_json
from portrait.errors import OutputExistsError
from portrait.storage.atomic import write_file
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Of many inputs that changed, a message names no more than these.
_MAX_NAMED_INPUTS = 3


def as_read_back(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of a task as it will be when read from JSON, where tuples are lists."""
    content: dict[str, Any] = json.loads(json.dumps(task))
    return content


def read_record(path: Path) -> dict[str, Any] | None:
    """Return a record, or ``None`` where it is missing or unusable, so that the work is done again.

    Raises:
        OSError: The file is there and cannot be read.
    """
    try:
        content = strict_json.loads(path.read_bytes(), surrogates=True)
    except (FileNotFoundError, JsonError):
        return None
    return content if isinstance(content, dict) else None


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write a record whole; it survives the process, not a power cut.

    Raises:
        OSError: It cannot be written.
    """
    # Names of files that are not UTF-8 hold lone surrogates, which JSON escapes.
    write_file(path, json.dumps(content).encode(), durable=False)


def other_task(where: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> OutputExistsError:
    """Return the error of resuming a task that is not the one that was begun."""
    return OutputExistsError(
        f"{where}: begun with other {difference(old, new)}: repeat the original call to resume it, or "
        "restart",
        parameter="restart",
    )


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the names of what differs between two tasks; of ``inputs``, also a few that changed."""
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    changed = _changed_inputs(old.get("inputs"), new.get("inputs")) if "inputs" in names else []
    return ", ".join(names) + (f" ({', '.join(changed[:_MAX_NAMED_INPUTS])})" if changed else "")


def _changed_inputs(old: Any, new: Any) -> list[str]:
    """Return the inputs, each a list that begins with its name, that are not the same in both tasks."""
    try:
        before, after = ({str(stamp[0]): stamp for stamp in stamps} for stamps in (old, new))
    except (TypeError, LookupError):
        return []
    return [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
