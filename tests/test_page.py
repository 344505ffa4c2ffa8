"""The page as the server sends it: headers, forms, keys, and words for what went wrong."""

from __future__ import annotations

import html
import importlib
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from page_fixtures import HELD, SHARED

import portrait

if TYPE_CHECKING:
    from types import ModuleType

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


def module(name: str) -> ModuleType:
    """A module of the service: installed under this name, but type checkers see it as ``server``."""
    return importlib.import_module(f"portrait_server{name}")


POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "require-trusted-types-for": ["'script'"],
}


@pytest.fixture
def app(shelf: list[Path]) -> Flask:
    app: Flask = module("").create_app({"PORTRAITS": shelf, "TESTING": True, "MAX_CHARS": 20_000})
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A key for ``letters``, in the file ``keys.toml``."""
    secret, key = module(".keys").new_key("alice", ("letters",))
    (tmp_path / "keys.toml").write_text(key.to_line())
    return str(secret)


@pytest.fixture
def locked(shelf: list[Path], tmp_path: Path, secret: str) -> FlaskClient:
    assert secret
    app: Flask = module("").create_app({"PORTRAITS": shelf, "KEYS": tmp_path / "keys.toml", "TESTING": True})
    return app.test_client()


def ask(client: FlaskClient, text: str, *names: str, **more: str) -> TestResponse:
    form = {"text": text, "portraits": list(names), "listed": "1", **more}
    return client.post("/", data=form)


def complaint(response: TestResponse) -> str:
    """The page's words for what went wrong."""
    found = re.search(r'<div id="problem" role="alert">(.*?)</div>', response.text, re.DOTALL)
    assert found is not None
    return html.unescape(re.sub("<[^>]+>", " ", found[1])).strip()


def test_the_page_says_what_browsers_may_do_with_it(client: FlaskClient) -> None:
    for response in (client.get("/"), ask(client, SHARED, "letters")):
        assert (response.status_code, response.mimetype) == (200, "text/html")
        policy = {
            words[0]: words[1:]
            for words in map(str.split, response.headers["Content-Security-Policy"].split(";"))
        }
        assert policy == POLICY
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in response.headers


def test_nothing_is_inline_and_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = ask(client, SHARED + HELD["long"], "letters", "<b>bold").text
    assert not re.search(r"<style|\sstyle=|<script(?![^>]* src=)|\son\w+=|javascript:", page)
    assert not re.search(r"""(src|href|action)=["']?(\w+:)?//""", page)
    for name in ("page.css", "page.js"):
        with client.get(f"/static/{name}") as response:
            content = response.get_data(as_text=True).replace("// ", "")
        assert not re.search(r"https?://|//\w|@import|innerHTML|outerHTML|document\.write|eval\(", content)


def test_static_files_are_kept_as_long_as_they_are_the_same(client: FlaskClient) -> None:
    page = client.get("/").text
    urls = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(urls) == 3
    for url in urls:
        with client.get(url) as response:
            assert response.status_code == 200
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        for other in (url.partition("?")[0], url + "0"):
            with client.get(other) as response:
                assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/", "/static/../web.py", "/static/%2e%2e/web.py", "/static/nothing.js"]
)
def test_nothing_else_is_served(path: str, client: FlaskClient) -> None:
    assert client.get(path).status_code == 404


def test_the_page_works_under_a_prefix(client: FlaskClient) -> None:
    page = client.get("/", base_url="https://example.org/portraits").text
    assert 'data-query="/portraits/v1/query"' in page
    assert 'action="/portraits/#answer"' in page
    assert 'src="/portraits/static/page.js' in page


def test_a_form_is_answered_as_the_api_answers(client: FlaskClient) -> None:
    answer = client.post("/v1/query", json={"text": SHARED, "portraits": ["letters"]}).get_json()["answers"][
        0
    ]
    page = ask(client, SHARED.replace("\n", "\r\n"), "letters").text
    assert f'data-verdict="{answer["verdict"]}"' in page
    first = min(match["start"] for layer in answer["layers"] for match in layer["matches"])
    assert re.search(rf"characters, {first:,}–", page)
    assert 'value="letters" data-unit="characters" checked' in page
    assert 'value="&lt;b&gt;bold" data-unit="characters">' in page


def test_texts_and_names_are_no_markup(client: FlaskClient) -> None:
    attack = "</textarea></div><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7*7 }}&amp;"
    page = ask(client, attack + HELD["long"] + attack, "letters", "<b>bold").text
    assert page.count(html.escape(attack).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) == 4
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b>" not in page


def test_leading_line_breaks_survive_the_form(client: FlaskClient) -> None:
    # Parsers drop the first line break of a textarea: the page has one more.
    assert ">\n\n\nwords</textarea>" in ask(client, "\r\n\r\nwords", "letters").text


@pytest.mark.parametrize(
    ("names", "text", "status", "words"),
    [
        ((), "text", 400, "Choose at least one portrait"),
        (("nobody",), "text", 404, "No portrait 'nobody' here"),
        (("letters",), "x" * 20_001, 413, "20001 characters"),
    ],
)
def test_problems_are_told_in_words(
    names: tuple[str, ...], text: str, status: int, words: str, client: FlaskClient
) -> None:
    response = ask(client, text, *names)
    assert (response.status_code, response.mimetype) == (status, "text/html")
    assert words in complaint(response)
    assert text in response.text
    assert "Content-Security-Policy" in response.headers
    assert 'id="answer"' not in response.text.partition("<template")[0]


def test_a_body_that_is_too_large_is_told_of(client: FlaskClient) -> None:
    response = ask(client, "x" * 5_000_000, "letters")
    assert response.status_code == 413
    assert "larger than this server takes" in complaint(response)


def test_forms_may_be_as_large_as_other_bodies(shelf: list[Path]) -> None:
    client: FlaskClient = module("").create_app({"PORTRAITS": shelf, "TESTING": True}).test_client()
    assert ask(client, "x" * 900_000, "letters").status_code == 200


def test_with_keys_the_page_asks_for_one_and_lists_nothing(locked: FlaskClient) -> None:
    page = locked.get("/").text
    assert '<input type="password" id="key" name="key"' in page
    assert "letters" not in page


def test_a_form_brings_its_key_and_never_gets_it_back(locked: FlaskClient, secret: str) -> None:
    response = locked.post("/", data={"text": SHARED, "key": secret})
    assert response.status_code == 200
    assert 'data-verdict="found"' in response.text
    assert secret not in response.text
    # What the key may not ask is not shown.
    assert 'value="letters"' in response.text
    assert "bold" not in response.text
    assert ask(locked, SHARED, "letters", key=secret).status_code == 200
    assert ask(locked, SHARED, "<b>bold", key=secret).status_code == 404


@pytest.mark.parametrize("key", ["", "alice.wrong", "nobody"])
def test_a_wrong_key_shows_nothing(key: str, locked: FlaskClient) -> None:
    response = ask(locked, SHARED, "letters", key=key)
    assert response.status_code == 401
    assert "valid key" in complaint(response)
    assert 'value="letters"' not in response.text
    assert 'id="answer"' not in response.text.partition("<template")[0]


def test_too_many_questions_are_told_of(shelf: list[Path]) -> None:
    app: Flask = module("").create_app({"PORTRAITS": shelf, "TESTING": True, "RATE": "1/hour"})
    client = app.test_client()
    assert ask(client, "text", "letters").status_code == 200
    response = ask(client, "kept text", "letters")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "kept text" in response.text
    # Looking at the page is no question.
    assert client.get("/").status_code == 200


def test_a_server_without_portraits_says_so() -> None:
    client: FlaskClient = module("").create_app({"TESTING": True}).test_client()
    assert "No portrait can be asked" in client.get("/").text


def test_words_for_numbers() -> None:
    words = module(".words")
    shown = {5e-324: "less than 1e-300", 2.94e-16: "2.9e-16", 1e-05: "1e-05", 0.0001: "0.0001", 0.01: "0.01"}
    assert {value: words.show_evalue(value).removeprefix("E-value ") for value in shown} == shown
    assert [words.how_sure(value) for value in (1e-9, 1e-4, 0.01, 0.02)] == [
        "practically certain",
        "very sure",
        "sure",
        "unsure",
    ]
    assert [words.share(share) for share in (0.001, 0.125, 1)] == [
        "less than 1% of the text",
        "13% of the text",
        "100% of the text",
    ]


def test_the_docs_name_the_limits_that_there_are() -> None:
    root = Path(__file__).parent.parent
    docs = (root / "docs" / "page.md").read_text(encoding="utf-8")
    words, drawing, passages = map(module, (".words", ".drawing", ".passages"))
    rows = re.findall(r"^\| ([a-z ]+) \| ([0-9.e-]+) \|$", docs, re.MULTILINE)
    assert len(rows) == 3
    for name, value in rows:
        assert words.how_sure(float(value)) == name
        assert words.how_sure(float(value) * 1.01) != name
    assert f"{drawing.N_COLOURS * drawing.N_LINES} pairs" in docs
    assert math.gcd(drawing.N_COLOURS, drawing.N_LINES) == 1
    script = (root / "server" / "portrait_server" / "static" / "page.js").read_text(encoding="utf-8")
    constants = dict(re.findall(r"const ([A-Z_]+) = (\d+);", script))
    assert constants == {
        "N_LANES": str(passages.N_LANES),
        "EXCERPT_CHARS": str(words.EXCERPT_CHARS),
        "LINK_CHARS": "8000",
        "N_SOURCES": str(module(".web").N_SOURCES),
    }
    assert "more than 8,000 characters" in docs


def layer(source: str, *spans: tuple[int, int], near: tuple[int, int] | None = None) -> portrait.LayerAnswer:
    found = tuple(portrait.Match(start, end, 3, 1e-6) for start, end in spans)
    edited = None if near is None else portrait.Approximate(*near, 9, 5, 1e-3)
    return portrait.LayerAnswer("p", source, "found", 100, 9, 0.01, 1e-6, found, edited)


def test_pieces_and_lanes_of_passages_that_overlap() -> None:
    passages = module(".passages")
    layers = (
        layer("a", (2, 8), near=(2, 8)),
        layer("silent"),
        layer("b", (5, 12), (14, 16)),
        layer("c", (2, 8), (6, 7), near=(0, 20)),
        layer("d", (6, 9)),
    )
    shown = passages.passages(SimpleNamespace(layers=layers))
    assert [
        (one.start, one.end, one.near, [(holder.source, holder.style, holder.lane) for holder in one.holders])
        for one in shown
    ] == [
        (0, 20, True, [("c", 2, 0)]),
        (2, 8, False, [("a", 0, 0), ("c", 2, 1)]),
        (5, 12, False, [("b", 1, 2)]),
        # More than the lanes there are: the last is shared.
        (6, 9, False, [("d", 3, 2)]),
        (6, 7, False, [("c", 2, 2)]),
        (14, 16, False, [("b", 1, 0)]),
    ]
    text = "0123456789abcdefghijklmn"
    pieces = list(passages.pieces(text, shown))
    assert "".join(piece.text for piece in pieces) == text
    for piece in pieces:
        middle = piece.start + len(piece.text) / 2
        assert set(piece.passages) == {one for one in shown if one.start < middle < one.end}


def test_an_empty_text_has_no_pieces() -> None:
    assert list(module(".passages").pieces("", ())) == []
