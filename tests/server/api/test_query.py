"""``/v1/query``: its answers, and the requests that it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from portrait_server.api import answers
from support.clients import client_of, refused
from support.live import BREAD, FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The paths of two portraits, ``ferry`` and ``bread``."""
    folder = tmp_path_factory.mktemp("portraits")
    return [build(folder / "ferry.portrait", FERRY), build(folder / "bread.portrait", BREAD)]


@pytest.fixture(scope="module")
def client(paths: list[Path]) -> FlaskClient:
    """A client of an application with low limits."""
    return client_of(paths, MAX_TEXTS=5, MAX_CHARS=1000, MAX_BODY_BYTES=20_000)


def test_an_answer_equals_the_library_s(client: FlaskClient, paths: list[Path]) -> None:
    texts = [FERRY, BREAD, "short"]
    expected = portrait.query([portrait.open(path) for path in paths], texts)
    response = client.post("/v1/query", json={"texts": texts})
    assert response.get_json() == json.loads(json.dumps({"answers": [one.to_dict() for one in expected]}))
    answers.Answers.model_validate(response.get_json())
    (alone,) = portrait.open(paths[1]).query([BREAD], evalue=1e-50)
    response = client.post("/v1/query", json={"text": BREAD, "portraits": ["bread"], "evalue": 1e-50})
    assert response.get_json()["answers"] == [json.loads(json.dumps(alone.to_dict()))]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "must be an object"),
        (b"null", "must be an object"),
        (b"{}", "text is missing"),
        (b'{"text": 3}', "must be a string"),
        (b'{"text": null}', "must be a string"),
        (b'{"texts": "x"}', "must be a list"),
        (b'{"texts": []}', "at least 1 item"),
        (b'{"text": "x", "texts": ["x"]}', "is not known here"),
        (b'{"text": "x", "colour": 1}', "is not known here"),
        (b'{"text": "x", "text": "y"}', "the same name twice"),
        (b'{"text": "x", "portraits": []}', "at least 1 item"),
        (b'{"text": "x", "portraits": ["ferry", "ferry"]}', "the same name twice"),
        (b'{"text": "x", "evalue": 0}', "greater than 0"),
        (b'{"text": "x", "evalue": true}', "must be a number"),
        (b'{"text": "x", "evalue": "1"}', "must be a number"),
        (b'{"text": "x", "evalue": NaN}', "NaN"),
        (b'{"text": "x", "evalue": Infinity}', "Infinity"),
        (b'{"text": "x", "evalue": 1e999}', "too large"),
        (b'{"text": "x", "evalue": ' + b"9" * 5000 + b"}", "too long a number"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b'\xef\xbb\xbf{"text": "x"}', "not JSON"),
        (b'{"text": "\\ud800"}', "lone surrogate"),
        (b'{"text": "x", "\\ud800": 1}', ""),
        (b"[" * 9000 + b"]" * 9000, "nested"),
        (b'{"text":' * 2000 + b"1" + b"}" * 2000, ""),
    ],
)
def test_an_invalid_question_is_refused(body: bytes, words: str, client: FlaskClient) -> None:
    response = client.post("/v1/query", data=body, content_type="application/json")
    assert words in refused(response, 400)["detail"]
    for path in ("/q", "/overlap", "/quip"):
        assert client.post(path, data=body, content_type="application/json").status_code in (200, 400)


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/json; charset=latin-1", "multipart/form-data", "x"]
)
def test_other_media_types_are_refused(media_type: str, client: FlaskClient) -> None:
    for path in ("/v1/query", "/q", "/overlap", "/quip"):
        refused(client.post(path, data=b'{"text": "x"}', content_type=media_type), 415)


def test_a_request_that_exceeds_a_limit_is_refused(client: FlaskClient) -> None:
    assert "NDJSON" in refused(client.post("/v1/query", json={"texts": ["x"] * 6}), 413)["detail"]
    assert "characters" in refused(client.post("/v1/query", json={"text": "x" * 1001}), 413)["detail"]
    refused(client.post("/v1/query", json={"text": "x" * 30_000}), 413)
    refused(client.post("/quip", json={"documents": ["x"] * 6}), 413)
