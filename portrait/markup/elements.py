"""HTML assembled from elements, so that no text can become markup.

A plain ``str`` is escaped; only :class:`Markup`, which elements return, is not. Escaping by type cannot be
forgotten as it can in a template, and a template engine would make the report depend on an extra.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Elements without content and without an end tag.
_VOID = {"meta", "br", "hr", "wbr", "link"}


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """Return an HTML element.

    Args:
        tag: The element's name.
        children: The content: markup as it is, other text escaped.
        attributes: The attributes. In their names, ``_`` stands for ``-``, and a final ``_`` is dropped
            (``class_``). An attribute whose value is ``None`` is left out.
    """
    opening = tag + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{join(children)}</{tag}>")


def join(children: Iterable[str], between: str = "") -> Markup:
    """Return the children joined by ``between``: markup as it is, other text escaped."""
    pieces = (child if isinstance(child, Markup) else Markup(escape(child)) for child in children)
    return Markup(escape(between).join(pieces))
