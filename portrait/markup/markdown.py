"""Text from people inside Markdown: nothing in it is markup, whoever wrote it."""

from __future__ import annotations

import re

#: What CommonMark, tables, mathematics and emoji codes give a meaning inside a line.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>()#!|~&$:]|(?<=[Ww][Ww][Ww])\.")


def plain(text: str) -> str:
    """Return one line of text as Markdown that shows it as it is, also in a table's cell.

    Args:
        text: The text, without line breaks.
    """
    return _SPECIAL.sub(r"\\\g<0>", text)


def code_block(lines: str) -> str:
    """Return a block of code, fenced so that nothing in them ends it.

    Args:
        lines: The code.
    """
    longest = max((len(run) for run in re.findall("`+", lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{lines}\n{fence}"
