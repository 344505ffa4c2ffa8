"""``/v1/constant``, for benchmarks only: read a question as ``/v1/query`` does, and ask nothing.

The time that it takes is the service's own share. A server has it only if its settings say so.
"""

from __future__ import annotations

from flask import Blueprint, Response

from ..http.bodies import JSON
from .asking import Asking
from .query import read_question

blueprint = Blueprint("constant", __name__, url_prefix="/v1")


@blueprint.post("/constant")
def constant() -> Response:
    """Read a question, and always give the same answer."""
    Asking.of_request().require_within_limits(read_question().texts)
    return Response(b'{"answers":[]}\n', content_type=JSON)
