"""A training summary in JSON: fields with a status, and whatever members people add."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from portrait import strict_json
from portrait.cards.summary_template import INTRODUCTION, TITLE
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.cards.summary_facts import Item
    from portrait.cards.summary_template import SummaryField, SummarySection

_FORMAT = "portrait-training-summary"


def render(sections: Sequence[SummarySection]) -> str:
    """Return a new summary.

    Args:
        sections: The sections, with what is known.
    """
    return _to_text(_summary(sections, {}))


def is_rendered(text: str) -> bool:
    """Return whether a text is a summary in JSON: an object that states this format."""
    return _parsed(text) is not None


def updated(text: str, sections: Sequence[SummarySection]) -> str:
    """Return a summary with its generated values written again, and what people wrote as it is.

    Args:
        text: The summary. Members that are not known here stay in their objects.
        sections: The sections, with what is known now.
    """
    old = _parsed(text)
    assert old is not None  # The caller has checked it.
    return _to_text(_summary(sections, old))


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        content = strict_json.loads(text.encode("utf-8", "surrogateescape"))
    except JsonError:
        return None
    return content if isinstance(content, dict) and content.get("format") == _FORMAT else None


def _to_text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _summary(sections: Sequence[SummarySection], old: dict[str, Any]) -> dict[str, Any]:
    """Return a summary that keeps what people wrote in an older one."""
    older = _list(old, "sections")
    fields = {field.id for section in sections for field in section.fields}
    people = _People(older, _list(old, "unplaced"), fields)
    numbers = {section.number for section in sections}
    made = [_section(section, older, people) for section in sections]
    return {
        **old,
        "format": _FORMAT,
        "title": TITLE,
        "introduction": INTRODUCTION,
        # A section that people added stays whole.
        "sections": [*made, *(s for s in older if not _is_numbered(s, numbers))],
        "unplaced": people.unplaced(),
    }


class _People:
    """What people wrote in an older summary."""

    def __init__(self, sections: list[Any], unplaced: list[Any], known: set[str]) -> None:
        self._fields: dict[str, dict[str, Any]] = {}
        self._rest: list[Any] = []
        for field in (field for section in sections for field in _list(section, "fields")):
            self._add(field, known)
        for field in unplaced:
            id_ = field.get("id") if isinstance(field, dict) else None
            if id_ in known and not _is_filled(self._fields.get(id_, {})):
                self._fields[id_] = field
            else:
                self._rest.append(field)

    def _add(self, field: Any, known: set[str]) -> None:
        id_ = field.get("id") if isinstance(field, dict) else None
        if id_ in known and not _is_filled(self._fields.get(id_, {})):
            self._fields[id_] = field
        elif not isinstance(field, dict) or _is_filled(field):
            self._rest.append(field)

    def field(self, id_: str) -> dict[str, Any]:
        """Return a field of the older summary; nothing if it has none of this id."""
        return self._fields.get(id_, {})

    def unplaced(self) -> list[Any]:
        """Return what has no place in the new summary."""
        return self._rest


def _section(section: SummarySection, older: list[Any], people: _People) -> dict[str, Any]:
    old = next((s for s in older if _is_numbered(s, {section.number})), {})
    fields = [_field(field, people.field(field.id)) for field in section.fields]
    return {**old, "number": section.number, "title": section.title, "fields": fields}


def _field(field: SummaryField, old: dict[str, Any]) -> dict[str, Any]:
    theirs = {name: value for name, value in old.items() if name != "digest"}
    made = {**theirs, "id": field.id, "label": field.label}
    if _is_filled(old):
        return {**made, "status": "filled", "value": old["value"]}
    if not field.items:
        return {**made, "status": "blank", "value": None}
    value = _value(field.items)
    return {**made, "status": "generated", "value": value, "digest": _digest(value)}


def _is_filled(field: dict[str, Any]) -> bool:
    """Return whether the value of a field is a person's: not a blank one, nor the one that was generated."""
    value = field.get("value")
    if value is None or value in ("", [], {}):
        return False
    return field.get("status") != "generated" or field.get("digest") != _digest(value)


def _is_numbered(section: Any, numbers: set[str]) -> bool:
    return isinstance(section, dict) and section.get("number") in numbers


def _list(content: Any, name: str) -> list[Any]:
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, list) else []


def _value(items: Sequence[Item]) -> Any:
    """Return a text, or a list of objects where there is more than that to say."""
    if len(items) == 1 and items[0].url is None:
        return items[0].text + items[0].details
    return [dict(_members(item)) for item in items]


def _members(item: Item) -> Iterator[tuple[str, str]]:
    yield "text", item.text + item.details
    if item.url is not None:
        yield "url", item.url


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
