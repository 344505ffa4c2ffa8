"""The page at ``/``: ask in a browser and see the matches where they stand, with or without scripts.

Nothing on it comes from another host, nothing runs or is styled inline, and nothing is stored: no
cookies, and answers are not to be cached.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, make_response, render_template, request, url_for

import portrait

from . import words
from .drawing import draw

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flask import Response

    from .drawing import Drawing
    from .shelf import Shelf

STATIC = Path(__file__).parent / "static"

blueprint = Blueprint("page", __name__, template_folder="templates", static_folder=STATIC, static_url_path="/static")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

#: What the URLs of static files carry: they may be kept for ever, since another content has another URL.
DIGESTS = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in STATIC.iterdir()}

#: Sources named beside a portrait; of the rest, how many there are.
N_SOURCES = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """A portrait that can be chosen. ``unit`` is what its lengths count."""

    name: str
    about: str
    unit: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a question was not answered."""

    title: str
    detail: str


@blueprint.after_request
def secure(response: Response) -> Response:
    """Say what the browser may do with a page, and how long it may keep what."""
    response.headers.update(HEADERS)
    name = (request.view_args or {}).get("filename", "")
    if name and request.args.get("v") == DIGESTS.get(name):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/")
def question() -> Response:
    """The question, with every portrait chosen."""
    return _page(_shelf().names)


@blueprint.post("/")
def answer() -> Response:
    """The same page with an answer: what a browser without scripts is given."""
    # Forms send CR LF for the line breaks that people see, whatever they typed or pasted.
    text = request.form.get("text", "").replace("\r\n", "\n")
    names = list(dict.fromkeys(request.form.getlist("portraits")))
    if not names:
        complaint = Complaint("No portrait chosen", "Choose at least one portrait to ask.")
        return _page(names, text, complaint=complaint, status=400)
    try:
        found = _shelf().ask(names, [text])[0]
        units = {_shelf().get(name).spec.unit_name for name in names}
    except portrait.PortraitError as error:
        complaint = Complaint("The question was not answered", words.sentence(str(error)))
        return _page(names, text, complaint=complaint, status=error.http_status)
    unit = units.pop() if len(units) == 1 else "units"
    return _page(names, text, drawing=draw(found, text, unit))


def _page(
    chosen: Collection[str],
    text: str = "",
    *,
    drawing: Drawing | None = None,
    complaint: Complaint | None = None,
    status: int = 200,
) -> Response:
    page = render_template(
        "page.html",
        action=url_for("page.answer"),
        complaint=complaint,
        max_chars=1_000_000,
        portraits=_choices(chosen),
        query_url="v1/query",
        static=_static,
        text=text,
        version=portrait.__version__,
        view=drawing,
        wants_key=False,
    )
    return make_response(page, status)


def _choices(chosen: Collection[str]) -> list[Choice]:
    shelf = _shelf()
    return [
        Choice(one.name, _about(one.sources), one.spec.unit_name, one.name in chosen)
        for one in map(shelf.get, shelf.names)
    ]


def _about(sources: Sequence[str]) -> str:
    named = ", ".join(sources[:N_SOURCES])
    more = len(sources) - N_SOURCES
    return f"{named} and {more} more" if more > 0 else named


def _static(name: str) -> str:
    """The URL of a static file, with its digest."""
    return url_for("page.static", filename=name, v=DIGESTS[name])


def _shelf() -> Shelf:
    shelf: Shelf = current_app.extensions["shelf"]
    return shelf
