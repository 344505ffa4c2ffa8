"""The strict reader of JSON: what it refuses, how it says so, and that depth is counted before parsing."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.strict_json import MAX_DEPTH, JsonError, count_values, loads, nests_deeper

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)
#: Texts that are refused, and why.
REFUSED = {
    "nothing": (b"", "not JSON: Expecting value"),
    "a repeated name": (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "JSON with the name 'b' twice in an object"),
    "NaN": (b"[NaN]", "JSON with NaN, which is no number of JSON"),
    "infinity": (b"[-Infinity]", "JSON with -Infinity, which is no number of JSON"),
    "a number out of range": (b"[1e999]", "JSON with 1e999, which is out of range"),
    "a very long number": (b"[" + b"1" * 5000 + b"]", "JSON with too long a number"),
    "UTF-16": ("[1]".encode("utf-16"), "not JSON in UTF-8: see byte 0"),
    "UTF-16 without a mark": ("[1]".encode("utf-16-le"), "not JSON"),
    "UTF-32": ("[1]".encode("utf-32-be"), "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf[1]", "not JSON: Unexpected UTF-8 BOM"),
    "a broken character": (b'["\xe9"]', "not JSON in UTF-8: see byte 2"),
    "a surrogate in UTF-8": (b'["\xed\xa0\x80"]', "not JSON in UTF-8: see byte 2"),
    "a lone surrogate": (rb'["\uD83D"]', "JSON with a lone surrogate in a string"),
    "a lone surrogate in a name": (rb'{"\udc00": 1}', "JSON with a lone surrogate in a string"),
    "depth": (b"[" * 65 + b"]" * 65, "JSON nested more than 64 deep"),
    "objects in depth": (b'{"a":' * 65 + b"1" + b"}" * 65, "JSON nested more than 64 deep"),
    "depth without an end": (b"[" * 3_000_000, "JSON nested more than 64 deep"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_readers_disagree_about_is_refused_in_one_line(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(JsonError) as caught:
        loads(data)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_whatever_python_writes_is_read() -> None:
    @given(VALUES)
    def check(value: object) -> None:
        for ascii_only in (True, False):
            data = json.dumps(value, ensure_ascii=ascii_only).encode(errors="replace")
            assert loads(data) == json.loads(data)

    check()
    assert loads(rb'["\ud83d\udd25"]') == ["🔥"]
    assert loads(rb'["\ud83d"]', surrogates=True) == ["\ud83d"]
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None


def test_depth_counts_what_stands_outside_of_strings() -> None:
    @given(VALUES, st.integers(0, 6))
    def check(value: object, depth: int) -> None:
        def depth_of(value: object) -> int:
            if isinstance(value, dict):
                return 1 + max(map(depth_of, value.values()), default=0)
            return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0

        assert nests_deeper(json.dumps(value).encode(), depth) == (depth_of(value) > depth)

    check()
    brackets = json.dumps(['[{"' * 1000 + "\\"]).encode()
    assert not nests_deeper(brackets, 1)
    assert nests_deeper(brackets, 0)


def test_the_time_is_in_proportion_to_the_length() -> None:
    def seconds(n: int) -> float:
        start = time.process_time()
        for data in (b'"' + b'\\"' * n, b'\\"' * n, b'"[' * n, b'{"a":' + b"[]," * n, b'"\\' * n):
            nests_deeper(b"[[[" + data, 2)
        one_object = b"{" + b",".join(b'"%d":1' % i for i in range(n)) + b',"0":1}'
        with pytest.raises(JsonError, match="'0' twice"):
            loads(one_object)
        return time.process_time() - start

    assert seconds(80_000) < 20 * max(seconds(8_000), 0.01)


def test_values_are_counted_before_anything_is_parsed() -> None:
    assert count_values(b'{"a": [1, 2, {}], "b": "x"}') == 6
    assert count_values(b"3") == 0
