"""The page at ``/``: ask in a browser and see the matches where they stand, with or without scripts.

Nothing on it comes from another host, nothing runs or is styled inline, and nothing is stored: no
cookies, and answers are not to be cached.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, g, make_response, render_template, request, url_for
from werkzeug.exceptions import HTTPException

import portrait

from . import problems, words
from .api import ask, require_within_limits
from .auth import visible
from .drawing import draw
from .errors import MalformedRequestError
from .state import state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from flask import Response

    from portrait import Portrait

    from .drawing import Drawing

STATIC = Path(__file__).parent / "static"

blueprint = Blueprint(
    "page", __name__, template_folder="templates", static_folder=STATIC, static_url_path="/static"
)

#: Beside those of every answer.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

#: What the URLs of static files carry: they may be kept for ever, since another content has another URL.
DIGESTS = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in STATIC.iterdir()}

#: What a refusal says to the browser besides its status.
KEPT = ("Connection", "Retry-After")

#: Sources named beside a portrait; of the rest, how many there are.
N_SOURCES = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """A portrait that can be chosen. ``unit`` is what its lengths count."""

    name: str
    about: str
    unit: str
    checked: bool


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
    listed = _listed()
    return _page(listed, listed)


@blueprint.post("/")
def answer() -> Response:
    """The same page with an answer: what a browser without scripts is given."""
    text, names = _asked()
    seen = visible()
    if names is not None and not names:
        raise MalformedRequestError("choose at least one portrait to ask")
    chosen = seen if names is None else visible(names)
    require_within_limits([text])
    (found,) = ask([text], list(chosen))
    units = {state().shelf.get(name).spec.unit_name for name in chosen}
    unit = units.pop() if len(units) == 1 else "units"
    return _page(seen, chosen, text, drawing=draw(found, text, unit))


@blueprint.errorhandler(portrait.PortraitError)
@blueprint.errorhandler(HTTPException)
def complain(error: portrait.PortraitError | HTTPException) -> Response:
    """The page, with the problem in words."""
    told = problems.of_http(error) if isinstance(error, HTTPException) else problems.of_error(error)
    if request.endpoint == "page.static":
        return told
    try:
        text, names = _asked()
    except HTTPException:
        text, names = "", None
    listed = _listed()
    response = _page(
        listed,
        listed if names is None else names,
        text,
        complaint=words.sentence(told.get_json()["detail"]),
    )
    response.status_code = told.status_code
    response.headers.update({name: told.headers[name] for name in KEPT if name in told.headers})
    return response


def _listed() -> tuple[str, ...]:
    """The portraits to choose from. With keys, they are shown to those only who have one."""
    if "caller" in g:
        return visible()
    return () if state().keyring is not None else state().shelf.names


def _asked() -> tuple[str, list[str] | None]:
    """The form's text and portraits; ``None`` where it had none to choose from."""
    # Forms send CR LF for the line breaks that people see, whatever they typed or pasted.
    text = request.form.get("text", "").replace("\r\n", "\n")
    names = list(dict.fromkeys(request.form.getlist("portraits")))
    return text, names if names or "listed" in request.form else None


def _page(
    listed: Iterable[str],
    chosen: Collection[str],
    text: str = "",
    *,
    drawing: Drawing | None = None,
    complaint: str | None = None,
) -> Response:
    held = state()
    return make_response(
        render_template(
            "page.html",
            action=url_for("page.answer", _anchor="answer"),
            complaint=complaint,
            max_chars=held.settings.max_chars,
            portraits=[_choice(held.shelf.get(name), chosen) for name in listed if held.shelf.can_ask(name)],
            portraits_url=url_for("api.portraits"),
            query_url=url_for("api.query"),
            static=_static,
            text=text,
            version=portrait.__version__,
            view=drawing,
            wants_key=held.keyring is not None,
        )
    )


def _choice(one: Portrait, chosen: Collection[str]) -> Choice:
    return Choice(one.name, _about(one.sources), one.spec.unit_name, one.name in chosen)


def _about(sources: Sequence[str]) -> str:
    named = ", ".join(sources[:N_SOURCES])
    more = len(sources) - N_SOURCES
    return f"{named} and {more} more" if more > 0 else named


def _static(name: str) -> str:
    """The URL of a static file, with its digest."""
    return url_for("page.static", filename=name, v=DIGESTS[name])
