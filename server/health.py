"""Whether the service is alive."""

from __future__ import annotations

from flask import Blueprint

import portrait

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok", "version": portrait.__version__}
