"""REST, version 1: ask the portraits, and see which there are."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response
from pydantic import TypeAdapter

from . import bodies, bulk
from .auth import charge, visible
from .errors import OvertimeError, TooLargeError
from .models import AnswerLine, Answers, ManyTexts, OneOrMany, OneText, PortraitDetails, Portraits, Query
from .operations import Operation, operation
from .state import state

if TYPE_CHECKING:
    from portrait import Answer, Portrait

blueprint = Blueprint("api", __name__, url_prefix="/v1")

_QUERY: TypeAdapter[OneText | ManyTexts] = TypeAdapter(OneOrMany)
#: A card is a page of text; a longer one is not read to the end.
_MAX_CARD_CHARS = 1 << 20

QUERY = Operation(
    "portraits",
    Answers,
    request=Query,
    lines=(OneText, AnswerLine),
    problems=(400, 404, 408, 413, 415, 503),
)


@blueprint.post("/query")
@operation(QUERY)
def query() -> Response:
    """Ask whether a text, or each of several, was in the corpora.

    The body is one question as JSON, or any number as NDJSON, a line each, which are answered as they
    come.
    """
    if bodies.require_media_type(bodies.JSON, bulk.MEDIA_TYPE) == bulk.MEDIA_TYPE:
        return bulk.respond()
    answers = ask(*read_question())
    return _json({"answers": [answer.to_dict() for answer in answers]})


def read_question() -> tuple[list[str], list[str] | None, float | None]:
    """The texts, portraits and threshold of the request's body, within the limits."""
    asked = bodies.read(_QUERY)
    texts = [asked.text] if isinstance(asked, OneText) else asked.texts
    require_within_limits(texts)
    return texts, asked.portraits, asked.evalue


def require_within_limits(texts: list[str]) -> None:
    """Raises :class:`TooLargeError` for more texts, or characters, than a request may bring."""
    settings = state().settings
    if len(texts) > settings.max_texts:
        raise TooLargeError(
            f"{len(texts)} texts: at most {settings.max_texts} in one request: send more as NDJSON"
        )
    n_chars = sum(map(len, texts))
    if n_chars > settings.max_chars:
        raise TooLargeError(f"{n_chars} characters: at most {settings.max_chars} in one request")


def ask(texts: list[str], names: list[str] | None = None, evalue: float | None = None) -> list[Answer]:
    """Ask the portraits that the caller may see, count it, and stop when it takes too long."""
    held = state()
    charge(len(texts) - 1)  # the first was counted with the request
    asker = held.shelf.asker(visible(names), evalue)
    deadline = time.monotonic() + held.settings.request_seconds
    answers = []
    for text in texts:
        if time.monotonic() > deadline:
            raise OvertimeError("this takes too long: ask fewer or shorter texts at once", retry_after=1)
        (answer,) = asker([text])
        held.metrics.answer(answer, len(text))
        answers.append(answer)
    return answers


@blueprint.get("/portraits")
@operation(Operation("portraits", Portraits))
def portraits() -> dict[str, Any]:
    """The portraits that may be asked."""
    shelf = state().shelf
    names = [name for name in visible() if shelf.can_ask(name)]
    return {"portraits": [_summary(name, shelf.get(name)) for name in names]}


@blueprint.get("/portraits/<name>")
@operation(Operation("portraits", PortraitDetails, problems=(404, 503)))
def details(name: str) -> Response:
    """A portrait, with its manifest and its card."""
    (name,) = visible([name])
    held = state().shelf.get(name)
    return _json({**_summary(name, held), "manifest": held.facts, "card": _card(held)})


def _summary(name: str, held: Portrait) -> dict[str, Any]:
    spec = held.spec
    windows = {"width": spec.width, "stride": spec.stride, "unit": spec.unit, "normalizer": spec.normalizer}
    return {"name": name, "sources": list(held.sources), "windows": windows}


def _card(held: Portrait) -> str | None:
    file = held.path / "README.md"
    if not held.is_bundle or not file.is_file():
        return None
    with file.open(encoding="utf-8", errors="replace") as opened:
        return opened.read(_MAX_CARD_CHARS)


def _json(content: object) -> Response:
    return Response(json.dumps(content, separators=(",", ":")) + "\n", content_type=bodies.JSON)
