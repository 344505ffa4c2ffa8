"""A training summary in JSON: fields with a status, and whatever members people add."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from portrait import strict_json
from portrait.cards.summary_template import INTRODUCTION, TITLE
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    older: dict[str, dict[str, Any]] = {}
    added = []
    for section in _list(old, "sections"):
        number = _text(section, "number")
        if number is None or number in older or number not in {one.number for one in sections}:
            added.append(section)  # It stays whole.
        else:
            older[number] = section
    people = _People(older.values(), _list(old, "unplaced"), sections)
    return {
        "format": _FORMAT,
        "title": TITLE,
        "introduction": INTRODUCTION,
        **old,
        "sections": [*(_section(one, older.get(one.number, {}), people) for one in sections), *added],
        "unplaced": people.rest,
    }


class _People:
    """What people wrote in an older summary: in fields that are still there, and the rest."""

    def __init__(
        self, older: Iterable[dict[str, Any]], unplaced: list[Any], sections: Sequence[SummarySection]
    ) -> None:
        self.fields: dict[str, dict[str, Any]] = {}
        self.rest: list[Any] = []
        known = {field.id for section in sections for field in section.fields}
        for field in [*(field for section in older for field in _list(section, "fields")), *unplaced]:
            id_ = _text(field, "id")
            if id_ in known and not _is_filled(self.fields.get(id_, {})):
                self.fields[id_] = field
            elif not isinstance(field, dict) or _is_filled(field):
                self.rest.append(field)


def _section(section: SummarySection, old: dict[str, Any], people: _People) -> dict[str, Any]:
    fields = [_field(field, people.fields.get(field.id, {})) for field in section.fields]
    return {"number": section.number, "title": section.title, **old, "fields": fields}


def _field(field: SummaryField, old: dict[str, Any]) -> dict[str, Any]:
    theirs = {name: value for name, value in old.items() if name != "digest"}
    made = {"id": field.id, "label": field.label, **theirs}
    if _is_filled(old):
        return {**made, "status": "filled"}
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


def _text(content: Any, name: str) -> str | None:
    """Return a member that is a string; ``None`` if it is not one."""
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, str) else None


def _list(content: dict[str, Any], name: str) -> list[Any]:
    """Return a member that should be a list; one that is not is the only element of a list."""
    value = content.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


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
