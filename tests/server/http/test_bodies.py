"""JSON bodies, read strictly."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from portrait_server.errors import MalformedRequestError, MediaTypeError
from portrait_server.http import bodies
from pydantic import BaseModel, TypeAdapter


class Texts(BaseModel):
    """A body with a list of texts."""

    texts: list[str]


ADAPTER = TypeAdapter(Texts)


@pytest.mark.parametrize(
    ("body", "value"), [(b"{}", {}), (b' [1, 2.5, "\xc3\xa9", null]\n', [1, 2.5, "é", None]), (b"3", 3)]
)
def test_json_is_read(body: bytes, value: object) -> None:
    assert bodies.loads(body) == value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON: Expecting value at character 0"),
        (b"x" * 2, "the body is not JSON: Expecting value at character 0"),
        (b" " * 1500 + b"x", "the body is not JSON: Expecting value at character 1,500"),
        (b" " * 1500 + b"\xff", "the body is not UTF-8: see byte 1,500"),
        (b'{"a": 1, "a": 2}', "an object in the body has the same name twice"),
        (b"NaN", "NaN is not JSON"),
        (b"-Infinity", "-Infinity is not JSON"),
        (b"1e999", "a number in the body is too large"),
        (b"9" * 5000, "the body has too long a number"),
        (b"[" * 17 + b"]" * 17, "the body is nested more than 16 deep"),
        (b'["[["]' * 9 + b"[" * 17, "the body is nested more than 16 deep"),
        (b"[" * 9000 + b"]" * 9000, "the body is nested more than 16 deep"),
        (b"[" * 3_000_000, "the body is nested more than 16 deep"),
    ],
)
def test_invalid_or_ambiguous_json_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        bodies.loads(body)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "the body must be an object"),
        (b"{}", "texts is missing"),
        (b'{"texts": [1, 2]}', "texts.0 must be a string; texts.1 must be a string"),
    ],
)
def test_a_body_that_does_not_fit_is_explained(body: bytes, message: str) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        bodies.parse(body, ADAPTER)
    assert str(caught.value) == message


def test_an_explanation_is_short_and_does_not_repeat_the_body() -> None:
    with pytest.raises(MalformedRequestError) as caught:
        bodies.parse(b'{"texts": [' + b", ".join([b"123456"] * 99) + b"]}", ADAPTER)
    message = str(caught.value)
    assert message.count(";") == 4
    assert "123456" not in message


@pytest.mark.parametrize(
    ("content_type", "supported"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ("application/json; charset=utf8", True),
        ("application/json; charset=latin-1", False),
        ("application/x-ndjson", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_the_media_type_must_be_supported(content_type: str, supported: bool) -> None:
    app = Flask(__name__)
    options: dict[str, Any] = {"data": b'{"texts": ["x"]}', "content_type": content_type}
    with app.test_request_context("/", method="POST", **options):
        if supported:
            assert bodies.read(ADAPTER) == Texts(texts=["x"])
        else:
            with pytest.raises(MediaTypeError, match="application/json"):
                bodies.read(ADAPTER)


def test_a_value_is_written_as_one_line_that_is_read_again() -> None:
    value = {"text": "a\nb \u2028 天", "numbers": [1, 2.5, None, True]}
    line = bodies.line_of(value)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert bodies.loads(line) == value
