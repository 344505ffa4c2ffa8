"""NDJSON queries: each line is a question and gets one line in reply."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from portrait_server import create_app
from portrait_server.access.callers import Caller
from portrait_server.api import answers
from portrait_server.api.asking import Asking
from portrait_server.api.ndjson import Conversation
from portrait_server.errors import SlowRequestError
from portrait_server.state import EXTENSION
from support.clients import NDJSON, client_of, refused
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


def lines_of(client: FlaskClient, body: bytes) -> list[Any]:
    """Post NDJSON, and return the lines of the response."""
    response = client.post("/v1/query", data=body, content_type=NDJSON)
    assert (response.status_code, response.mimetype) == (200, NDJSON)
    return [json.loads(line) for line in response.data.splitlines()]


def test_a_bad_line_does_not_affect_the_others(client: FlaskClient) -> None:
    good = json.dumps({"text": FERRY}).encode()
    bad = [b"{", b'{"text": 1}', b'"\xff"', b'{"text": "x", "portraits": ["none"]}', b'{"text": "\\ud800"}']
    bad += [json.dumps({"text": "x" * 1001}).encode(), b"x" * 30_000, b'{"texts": ["x"]}', b"{}{}"]
    body = b"\r\n\n".join(part for one in bad for part in (good, one)) + b"\n" + good
    lines = lines_of(client, body)
    assert len(lines) == 2 * len(bad) + 1
    assert all(line["verdict"] == "found" for line in lines[::2])
    statuses = [line["error"]["status"] for line in lines[1::2]]
    assert statuses == [400, 400, 400, 404, 400, 413, 413, 400, 400]
    for line in lines:
        answers.AnswerLine.model_validate(line)


def test_each_line_may_name_portraits_and_a_threshold(client: FlaskClient, paths: list[Path]) -> None:
    questions: list[dict[str, Any]] = [
        {"text": BREAD, "portraits": ["bread"], "evalue": 1e-50},
        {"text": BREAD, "portraits": ["bread"]},
        {"text": BREAD},
    ]
    ferry, bread = map(portrait.open, paths)
    expected = [
        bread.query(BREAD, evalue=1e-50),
        bread.query(BREAD),
        portrait.query([ferry, bread], BREAD),
    ]
    body = b"\n".join(json.dumps(one).encode() for one in questions)
    assert lines_of(client, body) == [json.loads(json.dumps(one.to_dict())) for one in expected]


def test_a_rate_counts_lines(paths: list[Path]) -> None:
    lines = lines_of(client_of(paths, RATE="3/day"), b'{"text": "x"}\n' * 5)
    assert ["error" in line for line in lines] == [False] * 3 + [True] * 2


def test_a_body_that_is_too_large_is_refused(paths: list[Path]) -> None:
    client = client_of(paths, MAX_BULK_BYTES=1500)
    response = client.post("/v1/query", data=b'{"text": "x"}\n' * 999, content_type=NDJSON)
    assert "1,500 bytes of NDJSON" in refused(response, 413)["detail"]


class Body:
    """A body in pieces, the last of which may be an error."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = list(pieces)

    def read(self, _: int) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


def conversation(paths: list[Path], max_bytes: int = 1 << 20, seconds: float = 60) -> Conversation:
    """Return a conversation about these portraits, with limits to its bytes and time."""
    state = create_app({"PORTRAITS": paths}).extensions[EXTENSION]
    return Conversation(Asking(state, Caller("address 192.0.2.7"), seconds), max_bytes, 1000)


def test_each_piece_is_answered_before_the_next_is_read(paths: list[Path]) -> None:
    body = Body(b'{"text": "a"}\n{"text', b'": "b"}\n', b"\n")
    exchange = conversation(paths)
    replies = exchange.answers(body)
    first = next(replies)
    assert (first.count(b"\n"), len(body.pieces)) == (1, 2)
    assert exchange.n_bytes == len(first)
    assert next(replies).count(b"\n") == 1
    assert list(replies) == []


@pytest.mark.parametrize(
    ("pieces", "options", "status"),
    [
        ([b'{"text": "a"}\n', SlowRequestError("slow")], {}, 408),
        ([b'{"text": "a"}\n', b'{"text": "b"}\n' * 9], {"max_bytes": 50}, 413),
        ([b'{"text": "a"}\n'], {"seconds": -1}, 503),
    ],
)
def test_an_error_that_ends_the_conversation_is_its_last_line(
    pieces: list[bytes | Exception], options: dict[str, Any], status: int, paths: list[Path]
) -> None:
    lines = [
        json.loads(line)
        for line in b"".join(conversation(paths, **options).answers(Body(*pieces))).splitlines()
    ]
    assert lines[-1]["error"]["status"] == status
    assert len(lines) == (1 if status == 503 else 2)
