"""What errors add on the command line: the option that sets a parameter of the library."""

from __future__ import annotations

import click

#: Parameters that an option sets under another name.
_NAMES = {"column": "columns", "password": "password_file"}


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
    name = _NAMES.get(parameter, parameter)
    for option in command.params:
        # An underscore at the end keeps a name apart from a built-in: format_, license_.
        if isinstance(option, click.Option) and (option.name or "").rstrip("_") == name:
            # The first long name is the one that the documentation uses.
            return f" ({next(one for one in option.opts if one.startswith('--'))})"
    return ""
