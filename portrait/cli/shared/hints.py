"""From a parameter of the library to the option that sets it: what errors add on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Options whose name is not the parameter's.
_OPTIONS = {
    "column": ("columns",),
    "columns": ("column", "columns"),
    "max_shard_bytes": ("max_shard_size",),
    "memory_bytes": ("memory",),
    "share": ("task",),
}


def option_hint(command: click.Command | None, parameter: str | None) -> str:
    """Return the option that sets a parameter of the library, in parentheses.

    Args:
        command: The command that was run.
        parameter: The parameter that an error names.

    Returns:
        Such as `` (--overwrite)``; nothing where the command has no such option.
    """
    if command is None or parameter is None:
        return ""
    names: Sequence[str] = (parameter, *_OPTIONS.get(parameter, ()))
    for one in command.params:
        if isinstance(one, click.Option) and one.name in names:
            return f" ({max(one.opts, key=len)})"
    return ""
