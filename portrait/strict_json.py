"""JSON that others wrote, read strictly: one reader for manifests, headers, indexes and records.

JSON parsers disagree about repeated names, NaN, encodings and lone surrogates, and each has a nesting depth
at which it gives up: an object that one of them reads may be another object, or none, to the next. This
reader refuses all of that with an error of one line. The depth is counted before anything is parsed, so
that it does not depend on the version of Python.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import accumulate
from typing import Any

#: How deep arrays and objects may stand in each other in files of Portrait and of its like, which need fewer.
MAX_DEPTH = 64

#: A string, to its end or to that of the text; matched from left to right, no byte is looked at twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NOT_BRACKETS = bytes(set(range(256)) - {*_STEPS})
#: The escape of a surrogate, of which a character beyond the first 65,536 has two.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """A text that is not JSON, or JSON that readers disagree about; the message is one line."""


def loads(data: bytes, *, max_depth: int = MAX_DEPTH, surrogates: bool = False) -> Any:
    """Return the value of JSON in UTF-8.

    Args:
        data: The text.
        max_depth: How deep arrays and objects may stand in each other.
        surrogates: Whether strings may hold lone surrogates, as names of files that are not UTF-8 do.

    Raises:
        JsonError: The text is not JSON in UTF-8 without a byte order mark, is nested more deeply, or has a
            repeated name, NaN, a number out of range or a lone surrogate.
    """
    if nests_deeper(data, max_depth):
        raise JsonError(f"JSON nested more than {max_depth} deep")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite
        )
        if not surrogates and _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except JsonError:
        raise
    except UnicodeDecodeError as error:
        raise JsonError(f"not JSON in UTF-8: see byte {error.start}") from error
    except UnicodeEncodeError as error:
        raise JsonError("JSON with a lone surrogate in a string") from error
    except json.JSONDecodeError as error:
        raise JsonError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise JsonError("JSON nested too deeply for what is left of the stack") from error
    except ValueError as error:
        # Python reads no integer of thousands of digits.
        raise JsonError("JSON with too long a number") from error
    return value


def count_values(text: bytes) -> int:
    """Return an upper bound of the number of values in JSON: its commas and opening brackets."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def nests_deeper(data: bytes, depth: int) -> bool:
    """Return whether arrays and objects stand more than ``depth`` deep in each other.

    Args:
        data: JSON, or what may be JSON.
        depth: The largest depth that counts as no deeper.
    """
    # Strings may hold brackets, too, so this alone does not say that it is too deep.
    if data.count(b"[") + data.count(b"{") <= depth:
        return False
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    return any(level > depth for level in accumulate(map(_STEPS.__getitem__, brackets)))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        twice = next(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
        raise JsonError(f"JSON with the name {twice!r:.100} twice in an object")
    return content


def _constant(name: str) -> Any:
    raise JsonError(f"JSON with {name}, which is no number of JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JsonError(f"JSON with {digits:.100}, which is out of range")
    return value
