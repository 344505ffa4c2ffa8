"""JSON written in steps is the JSON of the whole."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from portrait_server.http.encoding import encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def whole(value: object) -> bytes:
    """Return a value as JSON, written at once."""
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
    )


@given(VALUES)
def test_the_encoding_is_that_of_the_whole(value: object) -> None:
    assert encode(value) == whole(value)


def test_long_lists_are_joined_without_a_seam() -> None:
    for n in (499, 500, 501, 1000, 1001):
        for value in (list(range(n)), [[i, [i]] for i in range(n)], {"a": [True] * n, "b": "é" * n}):
            assert encode(value) == whole(value)
