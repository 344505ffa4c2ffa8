"""Endpoints for operators: whether the service is alive and ready, its counters, its version."""

from __future__ import annotations

from flask import Blueprint, Response

import portrait

from ..http import problems
from ..http.admission import current_caller
from ..http.operations import Operation, operation
from ..metrics import MEDIA_TYPE
from ..state import current_state
from .answers import Health, Ready, Version

blueprint = Blueprint("health", __name__)

_LIMITS = ("max_body_bytes", "max_texts", "max_chars", "max_bulk_bytes", "request_seconds", "bulk_seconds")


@blueprint.get("/healthz")
@operation(Operation("operations", Health, public=True))
def healthz() -> dict[str, str]:
    """Report that the process is running."""
    return {"status": "ok", "version": portrait.__version__}


@blueprint.get("/readyz")
@operation(Operation("operations", Ready, problems=(503,), public=True))
def readyz() -> dict[str, object] | Response:
    """Report whether every portrait can be asked and rates can be counted."""
    state = current_state()
    shelf, doorkeeper = state.shelf, state.doorkeeper
    damaged = [name for name in shelf.names if not shelf.can_ask(name)]
    if damaged:
        detail = f"{len(damaged):,} of {len(shelf.names):,} portraits cannot be asked: the log says why"
        return problems.response(problems.document(503, detail, "withdrawn_portrait"))
    if doorkeeper.has_rates and not doorkeeper.rates.alive:
        return problems.response(
            problems.document(503, "the store of the rate limits does not answer", "store")
        )
    public = doorkeeper.keyring is None
    stale = "its new files cannot be opened, and the old ones answer: the log says why"
    return {
        "status": "ready",
        "portraits": dict.fromkeys(shelf.names, "ready") if public else {},
        "problems": dict.fromkeys(shelf.problems, stale) if public else {},
        "rates": _rates(),
    }


@blueprint.get("/metrics")
@operation(Operation("operations", media_type="text/plain"))
def metrics() -> Response:
    """Return the counters in the text format of Prometheus."""
    return Response(current_state().metrics.exposition(), content_type=MEDIA_TYPE)


@blueprint.get("/v1/version")
@operation(Operation("portraits", Version))
def version() -> dict[str, object]:
    """Return the versions, and the limits of one request."""
    settings = current_state().settings
    return {
        "portrait": portrait.__version__,
        "api": 1,
        "limits": {name: getattr(settings, name) for name in _LIMITS},
        "rates": {**_rates(), "rate": current_caller().rate},
    }


def _rates() -> dict[str, object]:
    doorkeeper = current_state().doorkeeper
    return {"counted": doorkeeper.counting, "keys": doorkeeper.keyring is not None}
