"""Lines of JSON parsed by Python: texts, kept values, and a named error for every kind of bad line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.refusals import GOOD, message

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.formats.json_line import parse_line

if TYPE_CHECKING:
    from pathlib import Path


BAD_LINES = {
    "array": (b'["text"]', "a JSON array instead of an object"),
    "string": (b'"text"', "a JSON string instead of an object"),
    "number": (b"12", "a JSON number instead of an object"),
    "boolean": (b"true", "a JSON boolean instead of an object"),
    "plain text": (b"hello there", "not JSON"),
    "half an object": (b'{"text": "hel', "not JSON"),
    "two objects": (b'{"text": "a"} {"text": "b"}', "not JSON"),
    "bare line feed": (b'{"text": "a\nb"}', "not JSON"),
    "too deep": (b'{"text": ' + b"[" * 100_000, "JSON nested more than 400 deep"),
    "too deep to keep": (b'{"text": ' + b"[" * 400 + b"]" * 400 + b"}", "JSON nested more than 400 deep"),
    "missing column": (b'{"body": "x", "id": 1}', "no column 'text', only body, id"),
    "no column": (b"{}", "no column 'text', and no other column"),
    "column of many lines": (b'{"te\\nxt": "x"}', "no column 'text', only"),
    "null text": (b'{"text": null}', "column 'text' holds null, not text"),
    "number text": (b'{"text": 5}', "column 'text' holds number, not text"),
    "boolean text": (b'{"text": false}', "column 'text' holds boolean, not text"),
    "array text": (b'{"text": ["x", ["y"]]}', "column 'text[1]' holds array, not text"),
    "object text": (b'{"text": {"text": "x"}}', "column 'text' holds object, not text"),
    "high surrogate": (b'{"text": "ab\\ud83d"}', "lone surrogate at character 2"),
    "low surrogate": (b'{"text": "ab\\ude00"}', "lone surrogate at character 2"),
    "surrogates swapped": (b'{"text": "ab\\ude00\\ud83d"}', "lone surrogate at character 2"),
    "invalid UTF-8": (b'{"text": "ab\xff"}', "not UTF-8 at byte 2"),
    "truncated UTF-8": (b'{"text": "ab\xe2\x82"}', "not UTF-8 at byte 2"),
    "surrogate in UTF-8": (b'{"text": "ab\xed\xa0\x80"}', "not UTF-8 at byte 2"),
    "Latin-1": ("{'text': 'é'}".encode("latin-1"), "not UTF-8 at byte 10 of the line"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
@pytest.mark.parametrize("last", [True, False], ids=["last", "within"])
def test_a_bad_line_is_named(kind: str, last: bool, tmp_path: Path) -> None:
    line, reason = BAD_LINES[kind]
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n" + GOOD + line + (b"" if last else b"\n" + GOOD))
    error = message(path, tmp_path, portrait.BadRowError)
    assert error.startswith(f"{path}, line 4: ")
    assert reason in error


def test_the_error_names_the_missing_column(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD)
    error = message(path, tmp_path, portrait.BadRowError, column="body")
    assert error == f"{path}, line 1: no column 'body', only text: choose another"


def test_a_line_becomes_a_text_and_the_values_to_keep() -> None:
    line = b'{"q": "one", "a": ["two", "three"], "id": [1], "meta": {"n": null}}'
    assert parse_line(line, Columns(("q", "a"), ("id", "meta.n")), "here") == (
        "one\ntwo\nthree",
        [[1], None],
        {},
    )


def test_the_error_about_plain_text_suggests_another_format() -> None:
    with pytest.raises(portrait.BadRowError, match=r"^here: not JSON: .*: if this is plain text, ") as error:
        parse_line(b"hello", Columns(), "here")
    assert error.value.parameter == "format"


def test_arrays_and_objects_may_stand_400_deep_in_each_other() -> None:
    def nested(n: int) -> bytes:
        return b'{"text": "a", "x": ' + b"[" * n + b"]" * n + b"}"

    assert parse_line(nested(399), Columns(), "here").text == "a"
    with pytest.raises(portrait.BadRowError, match=r"^here: JSON nested more than 400 deep: "):
        parse_line(nested(400), Columns(), "here")


def test_optional_columns_are_those_that_the_line_has() -> None:
    columns = Columns(("a",), (), optional=("id", "meta.n", "meta.x"))
    row = parse_line(b'{"a": [], "meta": {"n": 7}}', columns, "here")
    assert row == ("", [], {"meta.n": 7})
