"""The endpoints of the original Data Portraits server: its clients need only a new address.

One portrait answers: the one that the settings name, or the first. Unlike the original, this server does
not store the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, jsonify
from pydantic import TypeAdapter

from ..errors import MalformedRequestError, UnknownPortraitError
from ..http import bodies
from ..http.operations import Operation, operation
from ..state import current_state
from .answers import OverlapAnswer, QAnswer, QuipAnswer
from .asking import Asking
from .original import report
from .requests import DocumentRequest, QuipRequest

if TYPE_CHECKING:
    from flask import Response

    from portrait import Portrait

blueprint = Blueprint("compat", __name__)

_DOCUMENT = TypeAdapter(DocumentRequest)
_QUIP = TypeAdapter(QuipRequest)
_PROBLEMS = (400, 404, 408, 413, 415, 503)


@blueprint.route("/q", methods=["GET", "POST"])
@operation(Operation("original", QAnswer, request=DocumentRequest, problems=_PROBLEMS))
def q() -> Response:
    """Report the windows of a text, which of them hit, and their chains."""
    question = bodies.read(_DOCUMENT)
    if question.document is None:
        return jsonify({})
    asking = Asking.of_request()
    portrait = _portrait(asking)
    asking.admit([question.document])
    answer = report(portrait, question.document).to_dict(0)
    return jsonify({**answer, "segments": None, "width": portrait.spec.width, "seq_id": question.seq_id})


@blueprint.post("/overlap")
@operation(Operation("original", OverlapAnswer, request=DocumentRequest, problems=_PROBLEMS))
def overlap() -> Response:
    """Report where the chains are in the text as given."""
    question = bodies.read(_DOCUMENT)
    if question.document is None:
        return jsonify("")
    asking = Asking.of_request()
    portrait = _portrait(asking)
    asking.admit([question.document])
    answer = report(portrait, question.document)
    return jsonify(
        {
            "spans": answer.spans(),
            "segments": ["".join(chain) for chain in answer.chain_segments()],
            "raw_segments": [question.document[start:end] for start, end in answer.spans()],
        }
    )


@blueprint.post("/quip")
@operation(Operation("original", QuipAnswer, request=QuipRequest, problems=_PROBLEMS))
def quip() -> Response:
    """Report each text with its QUIP score: the share of its windows that hit."""
    question = bodies.read(_QUIP)
    asking = Asking.of_request()
    portrait = _portrait(asking)
    asking.admit(question.documents)
    answers = []
    for idx, text in enumerate(question.documents):
        answer = report(portrait, text)
        quotes = (
            {"quote_latex": answer.latex(), "quote_text": answer.brackets()} if question.format_quotes else {}
        )
        answers.append({**answer.to_dict(idx), "quip_report": answer.score(), **quotes})
    return jsonify(answers)


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
