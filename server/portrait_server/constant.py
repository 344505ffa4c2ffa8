"""For benchmarks only: reads a question as ``/v1/query`` does, and always answers the same.

What that takes is the service's own share of the time; no server has it unless it is configured.
"""

from __future__ import annotations

from flask import Blueprint, Response

from .api import read_question
from .bodies import JSON

blueprint = Blueprint("constant", __name__)


@blueprint.post("/constant")
def constant() -> Response:
    """Read a question; answer always the same."""
    read_question()
    return Response(b'{"answers":[]}\n', content_type=JSON)
