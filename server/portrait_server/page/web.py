"""The page at ``/``: ask in a browser and see the matches in the text, with or without scripts.

Nothing on the page comes from another host, nothing runs or is styled inline, and nothing is stored: there
are no cookies, and no cache may keep an answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug.exceptions import HTTPException

import portrait

from ..api.asking import Asking
from ..errors import MalformedRequestError, UnknownHostError
from ..http import problems
from ..http.admission import identified
from ..state import current_state
from . import words
from .drawing import draw

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from flask import Response

    from portrait import Portrait

    from .drawing import Drawing

STATIC = Path(__file__).parent / "static"

blueprint = Blueprint(
    "page", __name__, template_folder="templates", static_folder=STATIC, static_url_path="/static"
)

#: The page's own headers, besides those of every response.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

#: The URL of a static file contains its digest. Changed content has a new URL, so caches may keep the
#: file forever.
DIGESTS = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in STATIC.iterdir()}

#: The headers of a problem document that the page passes on.
KEPT = ("Connection", "Retry-After")

#: The number of sources named beside a portrait; the page only counts the others.
N_SOURCES = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """A portrait that the reader can choose."""

    name: str
    about: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Form:
    """What the reader sent; ``names`` is ``None`` if the form listed no portraits to choose from."""

    text: str = ""
    names: list[str] | None = None


@blueprint.after_request
def secure(response: Response) -> Response:
    """Set headers: what the browser may do with the page, and how long it may keep a static file."""
    response.headers.update(HEADERS)
    name = (request.view_args or {}).get("filename", "")
    if name and request.args.get("v") == DIGESTS.get(name):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/")
def question() -> Response:
    """Show the empty form, with every portrait chosen."""
    listed = _listed()
    return _page(listed, listed)


@blueprint.post("/")
def answer() -> Response:
    """Show the page with an answer, for a browser without scripts."""
    form = _form()
    if form.names is not None and not form.names:
        raise MalformedRequestError("choose at least one portrait to ask")
    asking = Asking.of_request()
    chosen = asking.visible(form.names)
    (result,) = asking.ask([form.text], chosen)
    return _page(asking.visible(), chosen, form.text, drawing=draw(result, form.text))


@blueprint.errorhandler(portrait.PortraitError)
@blueprint.errorhandler(HTTPException)
def complain(error: portrait.PortraitError | HTTPException) -> Response:
    """Show the page with the problem in words."""
    problem = problems.of_http(error) if isinstance(error, HTTPException) else problems.of_error(error)
    # A page under somebody else's name must not learn what is here.
    if request.endpoint == "page.static" or isinstance(error, UnknownHostError):
        return problem
    try:
        form = _form()
    except HTTPException:
        form = Form()
    listed = _listed()
    response = _page(
        listed,
        listed if form.names is None else form.names,
        form.text,
        complaint=words.sentence(problem.get_json()["detail"]),
    )
    response.status_code = problem.status_code
    response.headers.update({name: problem.headers[name] for name in KEPT if name in problem.headers})
    return response


def _listed() -> tuple[str, ...]:
    """Return the portraits to choose from: on a server with keys, only those that the key may ask."""
    if identified():
        return Asking.of_request().visible()
    state = current_state()
    return () if state.doorkeeper.keyring is not None else state.shelf.names


def _form() -> Form:
    # Browsers send CR LF for every line break that the box shows.
    text = request.form.get("text", "").replace("\r\n", "\n")
    names = list(dict.fromkeys(request.form.getlist("portraits")))
    return Form(text, names if names or "listed" in request.form else None)


def _page(
    listed: Iterable[str],
    chosen: Collection[str],
    text: str = "",
    *,
    drawing: Drawing | None = None,
    complaint: str | None = None,
) -> Response:
    state = current_state()
    shelf = state.shelf
    return make_response(
        render_template(
            "page.html",
            action=url_for("page.answer", _anchor="answer"),
            complaint=complaint,
            max_chars=state.settings.max_chars,
            portraits=[_choice(shelf.get(name), chosen) for name in listed if shelf.can_ask(name)],
            portraits_url=url_for("portraits.portraits"),
            query_url=url_for("query.query"),
            static=_static,
            text=text,
            version=portrait.__version__,
            view=drawing,
            wants_key=state.doorkeeper.keyring is not None,
        )
    )


def _choice(one: Portrait, chosen: Collection[str]) -> Choice:
    return Choice(one.name, _about(one.sources), one.name in chosen)


def _about(sources: Sequence[str]) -> str:
    named = ", ".join(sources[:N_SOURCES])
    more = len(sources) - N_SOURCES
    return f"{named} and {more:,} more" if more > 0 else named


def _static(name: str) -> str:
    """Return the URL of a static file, with its digest."""
    return url_for("page.static", filename=name, v=DIGESTS[name])
