"""The interface, in this process: what it takes, what it refuses and how, and its description."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from live import BREAD, FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

create_app: Any = importlib.import_module("portrait_server").create_app
models: Any = importlib.import_module("portrait_server.models")

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("portraits")
    return [build(folder / "ferry.portrait", FERRY), build(folder / "bread.portrait", BREAD)]


def client_of(paths: list[Path], **settings: Any) -> FlaskClient:
    client: FlaskClient = create_app({"TESTING": True, "PORTRAITS": paths, **settings}).test_client()
    return client


@pytest.fixture(scope="module")
def client(paths: list[Path]) -> FlaskClient:
    return client_of(paths, MAX_TEXTS=5, MAX_CHARS=1000, MAX_BODY_BYTES=20_000)


def refused(response: Any, status: int) -> Any:
    assert (response.status_code, response.mimetype) == (status, PROBLEM), response.data
    problem = response.get_json(force=True)
    assert problem["status"] == status
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    return problem


def test_an_answer_is_the_library_s(client: FlaskClient, paths: list[Path]) -> None:
    texts = [FERRY, BREAD, "short"]
    expected = portrait.query([portrait.open(path) for path in paths], texts)
    response = client.post("/v1/query", json={"texts": texts})
    assert response.get_json() == json.loads(json.dumps({"answers": [one.to_dict() for one in expected]}))
    models.Answers.model_validate(response.get_json())
    (alone,) = portrait.open(paths[1]).query([BREAD], evalue=1e-50)
    response = client.post("/v1/query", json={"text": BREAD, "portraits": ["bread"], "evalue": 1e-50})
    assert response.get_json()["answers"] == [json.loads(json.dumps(alone.to_dict()))]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "valid dictionary"),
        (b"null", "valid dictionary"),
        (b"{}", "required"),
        (b'{"text": 3}', "valid string"),
        (b'{"text": null}', "valid string"),
        (b'{"texts": "x"}', "valid list"),
        (b'{"texts": []}', "at least 1"),
        (b'{"text": "x", "texts": ["x"]}', "not permitted"),
        (b'{"text": "x", "colour": 1}', "not permitted"),
        (b'{"text": "x", "text": "y"}', "stands twice"),
        (b'{"text": "x", "portraits": []}', "at least 1"),
        (b'{"text": "x", "portraits": ["ferry", "ferry"]}', "stands twice"),
        (b'{"text": "x", "evalue": 0}', "greater than 0"),
        (b'{"text": "x", "evalue": true}', "valid number"),
        (b'{"text": "x", "evalue": "1"}', "valid number"),
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
def test_a_body_that_is_not_a_question_is_refused(body: bytes, words: str, client: FlaskClient) -> None:
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


def test_more_than_a_request_may_bring_is_refused(client: FlaskClient) -> None:
    assert "NDJSON" in refused(client.post("/v1/query", json={"texts": ["x"] * 6}), 413)["detail"]
    assert "characters" in refused(client.post("/v1/query", json={"text": "x" * 1001}), 413)["detail"]
    refused(client.post("/v1/query", json={"text": "x" * 30_000}), 413)
    refused(client.post("/quip", json={"documents": ["x"] * 6}), 413)


def test_errors_of_every_kind_are_problem_documents(client: FlaskClient) -> None:
    refused(client.get("/nowhere"), 404)
    assert refused(client.get("/v1/portraits/none"), 404)["code"] == "unknown_portrait"
    refused(client.post("/v1/query", json={"text": "x", "portraits": ["none"]}), 404)
    response = client.delete("/v1/query")
    refused(response, 405)
    assert "POST" in response.headers["Allow"]


def test_what_fails_inside_is_not_told(paths: list[Path], caplog: pytest.LogCaptureFixture) -> None:
    app = create_app({"PORTRAITS": paths})
    shelf = app.extensions["shelf"]
    shelf.asker = lambda *_: 1 / 0
    problem = refused(app.test_client().post("/v1/query", json={"text": "secret words"}), 500)
    assert problem["code"] == "internal"
    assert "ZeroDivisionError" in caplog.text
    assert "secret words" not in caplog.text


def test_a_bad_line_costs_no_other(client: FlaskClient) -> None:
    good = json.dumps({"text": FERRY}).encode()
    bad = [b"{", b'{"text": 1}', b'"\xff"', b'{"text": "x", "portraits": ["none"]}', b'{"text": "\\ud800"}']
    bad += [json.dumps({"text": "x" * 1001}).encode(), b"x" * 30_000, b'{"texts": ["x"]}', b"{}{}"]
    body = b"\r\n\n".join(part for one in bad for part in (good, one)) + b"\n" + good
    response = client.post("/v1/query", data=body, content_type="application/x-ndjson")
    lines = [json.loads(line) for line in response.data.splitlines()]
    assert len(lines) == 2 * len(bad) + 1
    assert all(line["verdict"] == "found" for line in lines[::2])
    statuses = [line["error"]["status"] for line in lines[1::2]]
    assert statuses == [400, 400, 400, 404, 400, 413, 413, 400, 400]
    for line in lines:
        models.AnswerLine.model_validate(line)


def test_lines_come_to_the_same_however_they_are_cut() -> None:
    bulk: Any = importlib.import_module("portrait_server.bulk")

    class Body:
        def __init__(self, data: bytes, size: int) -> None:
            self.data, self.size = data, size

        def read(self, _: int) -> bytes:
            piece, self.data = self.data[: self.size], self.data[self.size :]
            return piece

    data = b"a\n\nbb\n" + b"c" * 11 + b"\n" + b"d" * 10 + b"\r\n \nlast"
    for size in range(1, len(data) + 1):
        lines = [line for piece in bulk._pieces(Body(data, size), 11) for line in piece.lines]
        assert lines[:3] == [b"a", b"bb", b"c" * 11], size
        assert lines[3:] == [b"d" * 10 + b"\r", b"last"]
    lines = [
        line for piece in bulk._pieces(Body(b"x" * 12 + b"\ny\n" + b"z" * 12, 5), 11) for line in piece.lines
    ]
    assert [str(line) for line in lines] == [
        "a line of more than 11 bytes",
        "b'y'",
        "a line of more than 11 bytes",
    ]


def test_the_portraits_are_described(client: FlaskClient, paths: list[Path]) -> None:
    listed = models.Portraits.model_validate(client.get("/v1/portraits").get_json())
    assert [one.name for one in listed.portraits] == ["ferry", "bread"]
    details = models.PortraitDetails.model_validate(client.get("/v1/portraits/ferry").get_json())
    assert details.manifest == json.loads(json.dumps(portrait.open(paths[0]).facts))
    assert details.card == (paths[0] / "README.md").read_text()
    models.Version.model_validate(client.get("/v1/version").get_json())
    models.Ready.model_validate(client.get("/readyz").get_json())


def test_a_rate_counts_texts(paths: list[Path]) -> None:
    client = client_of(paths, RATE="5/day")
    assert client.post("/v1/query", json={"texts": ["x"] * 4}).status_code == 200
    assert client.get("/v1/version").get_json()["rates"]["counted"] == "in this process"
    response = client.get("/v1/version")
    refused(response, 429)
    assert int(response.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
    client = client_of(paths, RATE="3/day")
    body = b'{"text": "x"}\n' * 5
    lines = client.post("/v1/query", data=body, content_type="application/x-ndjson").data.splitlines()
    assert ["error" in json.loads(line) for line in lines] == [False] * 3 + [True] * 2


def test_addresses_are_believed_only_of_trusted_proxies(paths: list[Path]) -> None:
    def statuses(**settings: Any) -> list[int]:
        client = client_of(paths, RATE="1/day", **settings)
        forwarded = [{"X-Forwarded-For": f"192.0.2.{n}"} for n in range(3)]
        return [client.get("/v1/portraits", headers=one).status_code for one in forwarded]

    assert statuses() == [200, 429, 429]
    assert statuses(TRUSTED_PROXIES=1) == [200, 200, 200]


def test_other_origins_may_ask_only_where_it_is_set(paths: list[Path]) -> None:
    asks = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    for origins, allowed in [((), None), (["https://example.org"], "https://example.org"), (["*"], "*")]:
        client = client_of(paths, CORS_ORIGINS=origins)
        for response in (client.options("/v1/query", headers=asks), client.get("/healthz", headers=asks)):
            assert response.status_code == 200
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
    other = client_of(paths, CORS_ORIGINS=["https://other.example"]).get("/healthz", headers=asks)
    assert "Access-Control-Allow-Origin" not in other.headers


def test_every_answer_has_the_security_headers(client: FlaskClient) -> None:
    for path in ("/healthz", "/nowhere", "/docs", "/v1/portraits"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"


def test_the_reference_has_every_endpoint_and_nothing_from_elsewhere(client: FlaskClient) -> None:
    spec = client.get("/openapi.json").get_json()
    page = client.get("/docs").get_data(as_text=True)
    for path in spec["paths"]:
        assert f" {path}</code>" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


def test_the_benchmark_s_endpoint_is_there_only_where_it_is_set(
    client: FlaskClient, paths: list[Path]
) -> None:
    refused(client.post("/v1/constant", json={"text": "x"}), 404)
    timed = client_of(paths, BENCHMARK=True)
    assert timed.post("/v1/constant", json={"text": "x"}).get_json() == {"answers": []}
    refused(timed.post("/v1/constant", json={"text": 1}), 400)
