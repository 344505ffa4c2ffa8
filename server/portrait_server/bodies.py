"""Bodies of requests: bytes → JSON, read strictly → a checked model.

Readers differ on names that stand twice, on NaN and on broken UTF-8; so nothing of the kind is
accepted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from flask import request
from pydantic import ValidationError

from .errors import MalformedRequestError, MediaTypeError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

JSON = "application/json"
Model = TypeVar("Model")


def read(adapter: TypeAdapter[Model]) -> Model:
    """The request's body, as ``adapter`` has it.

    Raises :class:`MediaTypeError` and :class:`MalformedRequestError`.
    """
    require_media_type(JSON)
    return parse(request.get_data(cache=False), adapter)


def require_media_type(*accepted: str) -> str:
    """The body's media type, if it is among those and in UTF-8. Raises :class:`MediaTypeError`."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in accepted or charset not in ("utf-8", "utf8"):
        raise MediaTypeError(f"the body's Content-Type must be {' or '.join(accepted)}, in UTF-8")
    return request.mimetype


def parse(body: bytes, adapter: TypeAdapter[Model]) -> Model:
    """JSON in UTF-8 as ``adapter`` has it. Raises :class:`MalformedRequestError`."""
    try:
        return adapter.validate_python(loads(body), strict=True)
    except ValidationError as error:
        raise MalformedRequestError(_explain(error)) from None


def loads(body: bytes) -> Any:
    """JSON whose objects have each name once, without NaN. Raises :class:`MalformedRequestError`."""
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_no_number, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"the body is not UTF-8: see byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedRequestError(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedRequestError("the body is nested too deeply") from None
    except ValueError as error:
        # Ours, or Python's for an integer of thousands of digits.
        ours = isinstance(error, _DoubtfulError)
        raise MalformedRequestError(str(error) if ours else "the body holds too long a number") from None


class _DoubtfulError(ValueError):
    """JSON that readers would differ on."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DoubtfulError("a name stands twice in one object of the body")
    return found


def _no_number(name: str) -> Any:
    raise _DoubtfulError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _DoubtfulError("a number in the body is too large")
    return value


def _explain(error: ValidationError) -> str:
    """What is wrong, without repeating what was sent."""
    said = []
    for one in error.errors(include_url=False, include_input=False)[:5]:
        where = ".".join(map(str, one["loc"])) or "the body"
        said.append(f"{where:.200}: {one['msg']:.200}")
    return "; ".join(said)
