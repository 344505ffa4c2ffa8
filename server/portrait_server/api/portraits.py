"""``/v1/portraits``: the list of portraits, and the details of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from ..http import bodies
from ..http.operations import Operation, operation
from ..state import current_state
from .answers import PortraitDetails, Portraits
from .asking import Asking

if TYPE_CHECKING:
    from portrait import Portrait

blueprint = Blueprint("portraits", __name__, url_prefix="/v1/portraits")


@blueprint.get("")
@operation(Operation("portraits", Portraits))
def portraits() -> dict[str, Any]:
    """List the portraits that the caller may ask."""
    shelf = current_state().shelf
    names = [name for name in Asking.of_request().visible() if shelf.can_ask(name)]
    return {"portraits": [_summary(name, shelf.get(name)) for name in names]}


@blueprint.get("/<name>")
@operation(Operation("portraits", PortraitDetails, problems=(404, 503)))
def details(name: str) -> Response:
    """Describe a portrait with its manifest and its card."""
    (name,) = Asking.of_request().visible([name])
    shelf = current_state().shelf
    portrait = shelf.get(name)
    content = {**_summary(name, portrait), "manifest": portrait.facts, "card": shelf.card(name)}
    return Response(bodies.line_of(content), content_type=bodies.JSON)


def _summary(name: str, portrait: Portrait) -> dict[str, Any]:
    spec = portrait.spec
    windows = {**spec.to_dict(), "normalizer": spec.normalizer}
    return {"name": name, "sources": list(portrait.sources), "windows": windows}
