"""Bodies of requests: from bytes to JSON, read strictly, to a checked model.

JSON parsers disagree about repeated names, NaN and broken UTF-8, so bodies with any of these are refused.
"""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar

from flask import request
from pydantic import ValidationError

from ..errors import MalformedRequestError, MediaTypeError
from ..messages import complaints

if TYPE_CHECKING:
    from pydantic import TypeAdapter

JSON = "application/json"
NDJSON = "application/x-ndjson"
Model = TypeVar("Model")

#: How deep arrays and objects may stand in each other; a question is an array in an object.
MAX_DEPTH = 16

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))

#: The largest number of wrong values that a message names.
_MAX_COMPLAINTS = 5


def read(adapter: TypeAdapter[Model]) -> Model:
    """Return the body of the current request as a model.

    Raises:
        MediaTypeError: The body is not JSON by its media type.
        MalformedRequestError: The body is not JSON, or does not fit the model.
    """
    require_media_type(JSON)
    return parse(request.get_data(cache=False), adapter)


def require_media_type(*supported: str) -> str:
    """Return the media type of the current request's body.

    Raises:
        MediaTypeError: The media type is unsupported, or the body is not in UTF-8.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in supported or charset not in ("utf-8", "utf8"):
        raise MediaTypeError(f"the body's Content-Type must be {' or '.join(supported)}, in UTF-8")
    return request.mimetype


def parse(body: bytes, adapter: TypeAdapter[Model]) -> Model:
    """Return JSON in UTF-8 as a model.

    Raises:
        MalformedRequestError: ``body`` is not JSON, or does not fit the model.
    """
    try:
        return adapter.validate_python(loads(body), strict=True)
    except ValidationError as error:
        raise MalformedRequestError(_explanation(error)) from None


def loads(body: bytes) -> Any:
    """Return the value of JSON in UTF-8, read strictly.

    Raises:
        MalformedRequestError: ``body`` is not UTF-8, not JSON, nested too deeply, or has a repeated
            name, NaN or a number out of range.
    """
    if _nests_deeper(body, MAX_DEPTH):
        raise MalformedRequestError(f"the body is nested more than {MAX_DEPTH} deep")
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"the body is not UTF-8: see byte {error.start:,}") from None
    except json.JSONDecodeError as error:
        raise MalformedRequestError(f"the body is not JSON: {error.msg} at character {error.pos:,}") from None
    except ValueError as error:
        # Either our own, or Python's for an integer of thousands of digits.
        ours = isinstance(error, _AmbiguousError)
        raise MalformedRequestError(str(error) if ours else "the body has too long a number") from None


def line_of(value: Any) -> bytes:
    """Return a value as JSON on a line of its own."""
    return _ENCODER.encode(value).encode() + b"\n"


def _nests_deeper(body: bytes, depth: int) -> bool:
    """Return whether arrays and objects stand more than ``depth`` deep in each other.

    It is counted before anything is parsed: Python's own limit depends on its version.
    """
    # Texts hold brackets, too, so many brackets alone say nothing.
    if body.count(b"[") + body.count(b"{") <= depth:
        return False
    # Without what is escaped, every quotation mark begins or ends a string.
    unescaped = body.replace(rb"\\", b"").replace(rb"\"", b"")
    brackets = b"".join(unescaped.split(b'"')[::2]).translate(None, _NOT_BRACKETS)
    return any(level > depth for level in accumulate(1 if byte in b"[{" else -1 for byte in brackets))


class _AmbiguousError(ValueError):
    """JSON that parsers disagree about."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _AmbiguousError("an object in the body has the same name twice")
    return value


def _refuse_constant(name: str) -> Any:
    raise _AmbiguousError(f"{name} is not JSON")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _AmbiguousError("a number in the body is too large")
    return value


# Made once: a line of NDJSON is read, or written, in less time than it takes to make one.
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite_float
)


def _explanation(error: ValidationError) -> str:
    """Return what does not fit, without repeating the body."""
    listed = list(complaints(error))[:_MAX_COMPLAINTS]
    return "; ".join(f"{where or 'the body':.200} {reason:.200}" for where, reason in listed)
