"""A training summary in Markdown: each field between marks of its own, everything else a person's."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from portrait.cards.summary_template import INTRODUCTION, SOURCE_LABELS, TITLE
from portrait.markup.markdown import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.cards.summary_facts import Item
    from portrait.cards.summary_template import SummaryField, SummarySection

_MARK = "<!-- portrait:training-summary -->"
_BLANK = "_To be filled in._"
#: A field: its kind, its id, the digest of what was generated, and what is between its marks.
_BLOCK = re.compile(
    r"<!-- portrait:(?P<kind>fill|generated|unplaced) (?P<id>[a-z0-9-]+)(?: (?P<digest>[0-9a-f]{8}))? -->"
    r"(?P<text>(?:(?!<!-- portrait:).)*?)<!-- /portrait:(?P=kind) -->",
    re.DOTALL,
)
_UNPLACED = "## Unplaced"
_UNPLACED_NOTE = "Texts of fields that this summary no longer has. Move them, or remove them."
#: The labels of the fields of sources, which go with their sources.
_LABEL = re.compile(rf"^\*\*(?:{'|'.join(map(re.escape, SOURCE_LABELS.values()))})\*\*\s*\Z", re.MULTILINE)


def render(sections: Sequence[SummarySection]) -> str:
    """Return a new summary.

    Args:
        sections: The sections, with what is known.
    """
    parts = [_MARK, f"# {TITLE}", plain(INTRODUCTION)]
    for section in sections:
        parts.append(_heading(section))
        parts += [f"{_label(field.label)}\n\n{_block(field)}" for field in section.fields]
    return "\n\n".join(parts) + "\n"


def is_rendered(text: str) -> bool:
    """Return whether a text is a summary in Markdown: whether a line of it is the mark of one."""
    return re.search(rf"^{re.escape(_MARK)}[ \t]*\r?$", text, re.MULTILINE) is not None


def updated(text: str, sections: Sequence[SummarySection]) -> str:
    """Return a summary with its generated values written again, and what people wrote as it is.

    Args:
        text: The summary. All text outside the fields' marks stays in its place.
        sections: The sections, with what is known now.
    """
    return _Update(text, sections).text()


class _Update:
    """One update of a summary: the fields it has, and what becomes of what people wrote in them."""

    def __init__(self, text: str, sections: Sequence[SummarySection]) -> None:
        # Texts that people paste may have other line ends than the file.
        self._newline = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
        self._old = text
        self._fields = {field.id: field for section in sections for field in section.fields}
        blocks = list(_BLOCK.finditer(text))
        self._placed = {match["id"] for match in blocks if match["kind"] != "unplaced"}
        filled = {match["id"] for match in blocks if match["kind"] != "unplaced" and _persons(match)}
        #: Texts that return to their fields, which are there again and blank.
        self._returning = {
            match["id"]: match
            for match in blocks
            if match["kind"] == "unplaced" and match["id"] in self._fields and match["id"] not in filled
        }
        self._dropped: list[tuple[str, str]] = []

    def text(self) -> str:
        """Return the new summary."""
        text = "".join(self._pieces())
        if self._dropped and _UNPLACED not in text.splitlines():
            text = text.rstrip() + self._lines(f"\n\n{_UNPLACED}\n\n{_UNPLACED_NOTE}\n")
        for id_, inner in self._dropped:
            label = self._lines(f"\n\n{_label(id_)}\n\n")
            text = text.rstrip() + label + _marked("unplaced", id_, inner) + self._newline
        empty = re.compile(rf"\s*^{_UNPLACED}\s+{re.escape(_UNPLACED_NOTE)}\s*\Z", re.MULTILINE)
        return empty.sub(self._newline, text)

    def _pieces(self) -> Iterator[str]:
        missing = self._missing()
        end = 0
        for match in _BLOCK.finditer(self._old):
            between = self._old[end : match.start()]
            end = match.end()
            block = self._replacement(match)
            if block is None:
                label = _id_label(match["id"]) if match["kind"] == "unplaced" else _LABEL
                kept = label.sub("", between)
                yield kept if kept == between else kept.rstrip()
            else:
                yield between + block
            if match["kind"] != "unplaced":
                yield from missing.pop(match["id"], ())
        yield self._old[end:]
        # Where the text has no field at all, they follow whatever it has.
        yield from missing.get("", ())

    def _replacement(self, match: re.Match[str]) -> str | None:
        """Return a field as it is written again; ``None`` if it leaves its place."""
        id_, field = match["id"], self._fields.get(match["id"])
        if match["kind"] == "unplaced":
            return None if self._is_returning(match) else match[0]
        persons = _persons(match)
        if field is None:
            if persons:
                self._dropped.append((id_, match["text"]))
            return None
        if persons:
            return match[0] if match["kind"] == "fill" else _marked("fill", id_, match["text"])
        return self._block(field)

    def _is_returning(self, match: re.Match[str]) -> bool:
        returning = self._returning.get(match["id"])
        return returning is not None and returning.start() == match.start()

    def _missing(self) -> dict[str, list[str]]:
        """Return the fields that the text does not have, by the ids of those that they follow."""
        missing: dict[str, list[str]] = {}
        before = ""
        for id_, field in self._fields.items():
            if id_ in self._placed:
                before = id_
            else:
                label = self._lines(f"\n\n{_label(field.label)}\n\n")
                missing.setdefault(before, []).append(label + self._block(field))
        return missing

    def _block(self, field: SummaryField) -> str:
        if field.id in self._returning:
            return _marked("fill", field.id, self._returning[field.id]["text"])
        return self._lines(_block(field))

    def _lines(self, text: str) -> str:
        return re.sub(r"\r?\n", self._newline, text)


def _persons(match: re.Match[str]) -> bool:
    """Return whether a person wrote what is between a field's marks."""
    text = match["text"].strip()
    if text in ("", _BLANK):
        return False
    return match["kind"] != "generated" or match["digest"] != _digest(text)


def _heading(section: SummarySection) -> str:
    number = f"{section.number}. " if section.number else ""
    return f"{'#' * (2 + section.number.count('.'))} {number}{section.title}"


def _id_label(id_: str) -> re.Pattern[str]:
    """Return the pattern of the label of an unplaced text, which is its id."""
    return re.compile(rf"^{re.escape(_label(id_))}\s*\Z", re.MULTILINE)


def _label(label: str) -> str:
    return f"**{label}**"


def _block(field: SummaryField) -> str:
    if not field.items:
        return _marked("fill", field.id, f"\n{_BLANK}\n")
    text = _value(field.items)
    return _marked("generated", f"{field.id} {_digest(text)}", f"\n{text}\n", "generated")


def _marked(kind: str, id_: str, inner: str, end: str = "") -> str:
    return f"<!-- portrait:{kind} {id_} -->{inner}<!-- /portrait:{end or kind} -->"


def _value(items: Sequence[Item]) -> str:
    if len(items) == 1:
        return _item(items[0])
    return "\n".join(f"- {_item(item)}" for item in items)


def _item(item: Item) -> str:
    text = plain(item.text)
    # In angle brackets, a link may hold parentheses; the URL's own brackets are escaped already.
    name = text if item.url is None else f"[{text}](<{item.url}>)"
    return name + plain(item.details)


def _digest(text: str) -> str:
    return hashlib.sha256("\n".join(text.split()).encode(errors="surrogateescape")).hexdigest()[:8]
