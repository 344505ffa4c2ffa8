"""The endpoints of the original Data Portraits server: its clients need only a new address.

One portrait answers: the one that the settings name, or the first. Unlike the original, this server does
not store the texts. An answer repeats every character of a text as often as a window has characters, so its
size is limited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response
from pydantic import TypeAdapter

from ..errors import MalformedRequestError, TooLargeError, UnknownPortraitError
from ..http import bodies
from ..http.encoding import encode
from ..http.operations import Operation, operation
from ..messages import counted
from ..state import current_state
from .answers import OverlapAnswer, QAnswer, QuipAnswer
from .asking import Asking
from .original import report
from .requests import DocumentRequest, QuipRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from portrait import Portrait

    from .original import WindowReport

blueprint = Blueprint("compat", __name__)

_DOCUMENT = TypeAdapter(DocumentRequest)
_QUIP = TypeAdapter(QuipRequest)
_PROBLEMS = (400, 404, 408, 413, 415, 503)


@blueprint.route("/q", methods=["GET", "POST"])
@operation(Operation("original", QAnswer, request=DocumentRequest, problems=_PROBLEMS))
def q() -> Response:
    """Report the windows of a text, which of them hit, and their chains."""
    question = bodies.read(_DOCUMENT)
    asking = Asking.of_request()
    if question.document is None:
        asking.admit([])
        return _answer({})
    portrait = _portrait(asking)
    (window_report,) = _reports(asking, portrait, [question.document])
    answer = window_report.to_dict(0)
    return _answer({**answer, "segments": None, "width": portrait.spec.width, "seq_id": question.seq_id})


@blueprint.post("/overlap")
@operation(Operation("original", OverlapAnswer, request=DocumentRequest, problems=_PROBLEMS))
def overlap() -> Response:
    """Report where the chains are in the text as given."""
    question = bodies.read(_DOCUMENT)
    asking = Asking.of_request()
    if question.document is None:
        asking.admit([])
        return _answer("")
    (window_report,) = _reports(asking, _portrait(asking), [question.document])
    return _answer(
        {
            "spans": window_report.spans(),
            "segments": ["".join(chain) for chain in window_report.chain_segments()],
            "raw_segments": [question.document[start:end] for start, end in window_report.spans()],
        }
    )


@blueprint.post("/quip")
@operation(Operation("original", QuipAnswer, request=QuipRequest, problems=_PROBLEMS))
def quip() -> Response:
    """Report each text with its QUIP score: the share of its windows that hit."""
    question = bodies.read(_QUIP)
    asking = Asking.of_request()
    portrait = _portrait(asking)
    answers = []
    for idx, window_report in enumerate(_reports(asking, portrait, question.documents, every_window=True)):
        quotes = (
            {"quote_latex": window_report.latex(), "quote_text": window_report.brackets()}
            if question.format_quotes
            else {}
        )
        answers.append({**window_report.to_dict(idx), "quip_report": window_report.score(), **quotes})
        asking.require_time()
    return _answer(answers)


def _reports(
    asking: Asking, portrait: Portrait, texts: Sequence[str], *, every_window: bool = False
) -> list[WindowReport]:
    """Return a report on each text.

    Raises:
        TooLargeError: The answer would be too large.
        OvertimeError: Answering takes too long.
    """
    asking.require_within_limits(texts)
    limit = current_state().settings.max_answer_bytes
    # Even without a report, the texts alone may be too long.
    if sum(map(len, texts)) * portrait.spec.width > limit:
        raise _too_large(limit)
    asking.admit(texts)
    reports, n_bytes = [], 0
    for text in texts:
        asking.require_time()
        reports.append(report(portrait, text))
        n_bytes += reports[-1].n_json_bytes(every_window=every_window)
        if n_bytes > limit:
            raise _too_large(limit)
    asking.require_time()
    return reports


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"the answer would have more than {counted(limit, 'byte')}: send less text at once, or use /v1/query"
    )


def _answer(value: Any) -> Response:
    return Response(encode(value), content_type=bodies.JSON)


def _portrait(asking: Asking) -> Portrait:
    state = current_state()
    names = asking.visible()
    name = state.settings.compat
    if name is None:
        name = next(iter(names), None)
    if name is None or name not in names:
        raise UnknownPortraitError("no portrait is configured for this endpoint: use /v1/query")
    portrait = state.shelf.get(name)
    if portrait.spec.unit != "char":
        raise MalformedRequestError(f"the windows of portrait {name!r} are not of characters: use /v1/query")
    return portrait
