"""The page as the server sends it: headers, forms, keys and error messages."""

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
    """An application that serves two portraits."""
    return create_app({"PORTRAITS": shelf, "TESTING": True, "MAX_CHARS": 20_000})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the application."""
    return app.test_client()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A key for ``letters``, in the file ``keys.toml``."""
    secret, key = new_key("alice", ("letters",))
    (tmp_path / "keys.toml").write_text(key.to_line())
    return secret


@pytest.fixture
def client_with_keys(shelf: list[Path], tmp_path: Path, secret: str) -> FlaskClient:
    """A client of an application that requires keys."""
    assert secret
    app = create_app({"PORTRAITS": shelf, "KEYS": tmp_path / "keys.toml", "TESTING": True})
    return app.test_client()


def ask(client: FlaskClient, text: str, *names: str, **more: str) -> TestResponse:
    """Submit the form with this text and these portraits."""
    form = {"text": text, "portraits": list(names), "listed": "1", **more}
    return client.post("/", data=form)


def error_message(response: TestResponse) -> str:
    """Return the error message on the page."""
    problem = re.search(r'<div id="problem" role="alert">(.*?)</div>', response.text, re.DOTALL)
    assert problem is not None
    return html.unescape(re.sub("<[^>]+>", " ", problem[1])).strip()


def test_the_page_has_a_strict_content_security_policy(client: FlaskClient) -> None:
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


def test_nothing_is_inline_or_from_another_host(client: FlaskClient) -> None:
    page = ask(client, SHARED + TEXTS["long"], "letters", "<b>bold").text
    assert not re.search(r"<style|\sstyle=|<script(?![^>]* src=)|\son\w+=|javascript:", page)
    assert not re.search(r"""(src|href|action)=["']?(\w+:)?//""", page)
    for name in ("page.css", "page.js"):
        with client.get(f"/static/{name}") as response:
            content = response.get_data(as_text=True).replace("// ", "")
        assert not re.search(r"https?://|//\w|@import|innerHTML|outerHTML|document\.write|eval\(", content)


def test_static_files_are_cached_by_version(client: FlaskClient) -> None:
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
    assert 'value="letters" checked' in page
    assert 'value="&lt;b&gt;bold">' in page


def test_texts_and_names_are_escaped(client: FlaskClient) -> None:
    attack = "</textarea></div><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7*7 }}&amp;"
    page = ask(client, attack + TEXTS["long"] + attack, "letters", "<b>bold").text
    assert page.count(html.escape(attack).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) == 4
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b>" not in page


def test_leading_line_breaks_survive_the_form(client: FlaskClient) -> None:
    # Parsers drop the first line break of a textarea, so the page has an extra one.
    assert ">\n\n\nwords</textarea>" in ask(client, "\r\n\r\nwords", "letters").text


@pytest.mark.parametrize(
    ("names", "text", "status", "words"),
    [
        ((), "text", 400, "Choose at least one portrait"),
        (("nobody",), "text", 404, "There is no portrait 'nobody' here"),
        (("letters",), "x" * 20_001, 413, "20,001 characters"),
    ],
)
def test_problems_are_shown_in_words(
    names: tuple[str, ...], text: str, status: int, words: str, client: FlaskClient
) -> None:
    response = ask(client, text, *names)
    assert (response.status_code, response.mimetype) == (status, "text/html")
    assert words in error_message(response)
    assert text in response.text
    assert "Content-Security-Policy" in response.headers
    assert 'id="answer"' not in response.text.partition("<template")[0]


def test_a_body_that_is_too_large_is_reported(client: FlaskClient) -> None:
    response = ask(client, "x" * 5_000_000, "letters")
    assert response.status_code == 413
    assert "larger than this server takes" in error_message(response)


def test_forms_may_be_as_large_as_other_bodies(shelf: list[Path]) -> None:
    client = create_app({"PORTRAITS": shelf, "TESTING": True}).test_client()
    assert ask(client, "x" * 900_000, "letters").status_code == 200


def test_with_keys_the_page_asks_for_one_and_lists_nothing(client_with_keys: FlaskClient) -> None:
    page = client_with_keys.get("/").text
    assert '<input type="password" id="key" name="key"' in page
    assert "letters" not in page


def test_a_form_sends_its_key_and_the_page_never_repeats_it(
    client_with_keys: FlaskClient, secret: str
) -> None:
    response = client_with_keys.post("/", data={"text": SHARED, "key": secret})
    assert response.status_code == 200
    assert 'data-verdict="found"' in response.text
    assert secret not in response.text
    # Portraits that the key does not allow are not shown.
    assert 'value="letters"' in response.text
    assert "bold" not in response.text
    assert ask(client_with_keys, SHARED, "letters", key=secret).status_code == 200
    assert ask(client_with_keys, SHARED, "<b>bold", key=secret).status_code == 404


@pytest.mark.parametrize("key", ["", "alice.wrong", "nobody"])
def test_a_wrong_key_shows_nothing(key: str, client_with_keys: FlaskClient) -> None:
    response = ask(client_with_keys, SHARED, "letters", key=key)
    assert response.status_code == 401
    assert "valid key" in error_message(response)
    assert 'value="letters"' not in response.text
    assert 'id="answer"' not in response.text.partition("<template")[0]


def test_an_exceeded_rate_is_reported(shelf: list[Path]) -> None:
    app = create_app({"PORTRAITS": shelf, "TESTING": True, "RATE": "1/hour"})
    client = app.test_client()
    assert ask(client, "text", "letters").status_code == 200
    response = ask(client, "kept text", "letters")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "kept text" in response.text
    # Opening the page is not charged.
    assert client.get("/").status_code == 200


def test_a_server_without_portraits_says_so() -> None:
    client = create_app({"TESTING": True}).test_client()
    assert "No portrait can be asked" in client.get("/").text
