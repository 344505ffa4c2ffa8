"""The page as the server sends it: headers, forms, keys, and words for what went wrong."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from portrait_server import create_app
from portrait_server.access.keys import new_key
from support.page_fixtures import SHARED, TEXTS

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


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
    return create_app({"PORTRAITS": shelf, "TESTING": True, "MAX_CHARS": 20_000})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A key for ``letters``, in the file ``keys.toml``."""
    secret, key = new_key("alice", ("letters",))
    (tmp_path / "keys.toml").write_text(key.to_line())
    return secret


@pytest.fixture
def locked(shelf: list[Path], tmp_path: Path, secret: str) -> FlaskClient:
    assert secret
    app = create_app({"PORTRAITS": shelf, "KEYS": tmp_path / "keys.toml", "TESTING": True})
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
    page = ask(client, SHARED + TEXTS["long"], "letters", "<b>bold").text
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
    page = ask(client, attack + TEXTS["long"] + attack, "letters", "<b>bold").text
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
        (("nobody",), "text", 404, "There is no portrait 'nobody' here"),
        (("letters",), "x" * 20_001, 413, "20,001 characters"),
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
    client = create_app({"PORTRAITS": shelf, "TESTING": True}).test_client()
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
    app = create_app({"PORTRAITS": shelf, "TESTING": True, "RATE": "1/hour"})
    client = app.test_client()
    assert ask(client, "text", "letters").status_code == 200
    response = ask(client, "kept text", "letters")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "kept text" in response.text
    # Looking at the page is no question.
    assert client.get("/").status_code == 200


def test_a_server_without_portraits_says_so() -> None:
    client = create_app({"TESTING": True}).test_client()
    assert "No portrait can be asked" in client.get("/").text
