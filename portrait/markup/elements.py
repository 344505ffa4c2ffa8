"""HTML that is put together from elements, so that no text can become markup.

Whatever is a plain ``str`` is escaped; only what an element returned goes in as it is. Escaping by
type cannot be forgotten as it can be in a template, and a page of a few tables needs no template
engine: one would only make the report depend on an extra.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Elements without content and end tag.
_VOID = {"meta", "br", "hr", "wbr", "link"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """An HTML element.

    An attribute's name is written with ``_`` for ``-``, and one more where Python has the word
    (``class_``); without a value (``None``) it is left out.
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
    """Pieces one after the other, those that are no markup escaped."""
    pieces = (child if isinstance(child, Markup) else Markup(escape(child)) for child in children)
    return Markup(escape(between).join(pieces))
