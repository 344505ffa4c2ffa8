"""For those who run the service: is it alive, is it ready, what does it count, what is it."""

from __future__ import annotations

from flask import Blueprint, Response

import portrait

from . import problems
from .auth import caller
from .metrics import MEDIA_TYPE
from .models import Health, Ready, Version
from .operations import Operation, operation
from .state import state

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@operation(Operation("operations", Health, public=True))
def healthz() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok", "version": portrait.__version__}


@blueprint.get("/readyz")
@operation(Operation("operations", Ready, problems=(503,), public=True))
def readyz() -> dict[str, object] | Response:
    """Whether every portrait can be asked, and rates can be counted."""
    held = state()
    damaged = [name for name in held.shelf.names if not held.shelf.can_ask(name)]
    if damaged:
        detail = f"{len(damaged)} of {len(held.shelf.names)} portraits cannot be asked: the log says why"
        return problems.response(problems.document(503, detail, "withdrawn_portrait"))
    if held.rated and not held.rates.alive:
        return problems.response(problems.document(503, "the store of the rate limits is away", "store"))
    stale = "its new files cannot be opened, the old ones answer: the log says why"
    return {
        "status": "ready",
        "portraits": dict.fromkeys(held.shelf.names, "ready") if held.keyring is None else {},
        "problems": dict.fromkeys(held.shelf.problems, stale) if held.keyring is None else {},
        "rates": _rates(),
    }


@blueprint.get("/metrics")
@operation(Operation("operations", media_type="text/plain"))
def metrics() -> Response:
    """Counters for Prometheus."""
    return Response(state().metrics.exposition(), content_type=MEDIA_TYPE)


@blueprint.get("/v1/version")
@operation(Operation("portraits", Version))
def version() -> dict[str, object]:
    """What answers, and how much one request may bring."""
    settings = state().settings
    names = ("max_body_bytes", "max_texts", "max_chars", "max_bulk_bytes", "request_seconds", "bulk_seconds")
    return {
        "portrait": portrait.__version__,
        "api": 1,
        "limits": {name: getattr(settings, name) for name in names},
        "rates": {**_rates(), "rate": caller().rate},
    }


def _rates() -> dict[str, object]:
    held = state()
    return {"counted": held.counted, "keys": held.keyring is not None}
