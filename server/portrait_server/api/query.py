"""``/v1/query``: ask about texts."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import TypeAdapter

from ..http import bodies
from ..http.operations import Operation, operation
from . import ndjson
from .answers import AnswerLine, Answers
from .asking import Asking
from .requests import ManyTexts, OneOrMany, OneText, Query

blueprint = Blueprint("query", __name__, url_prefix="/v1")

_QUESTION: TypeAdapter[OneText | ManyTexts] = TypeAdapter(OneOrMany)

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
    """Ask whether a text, or each of several texts, was in the corpora.

    The body is one question as JSON, or any number of questions as NDJSON, one a line, which are
    answered as they arrive.
    """
    if bodies.require_media_type(bodies.JSON, bodies.NDJSON) == bodies.NDJSON:
        return ndjson.respond()
    question = read_question()
    answers = Asking.of_request().ask(question.texts, question.portraits, question.evalue)
    content = {"answers": [answer.to_dict() for answer in answers]}
    return Response(bodies.line_of(content), content_type=bodies.JSON)


def read_question() -> OneText | ManyTexts:
    """Return the question in the body of the current request.

    Raises:
        MediaTypeError: The body is not JSON by its media type.
        MalformedRequestError: The body is not a question.
    """
    return bodies.read(_QUESTION)
