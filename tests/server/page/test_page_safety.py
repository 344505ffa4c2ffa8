"""Safety of the page in a browser: no markup injection, no storage, no leaks of questions or keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from portrait_server.access.keys import new_key
from support.page_fixtures import SHARED, TEXTS, Site, Watched, serving, watching

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</textarea><svg onload=alert(1)>",
    "</template></div></section><iframe srcdoc='<script>alert(1)</script>'>",
    '"><a href="javascript:alert(1)" autofocus onfocus=alert(1)>x</a>',
    "{{ 7*7 }}{% raw %}",
    "<!--<math><mtext></form><style>*{display:none}</style>",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server whose portrait, sources and texts all try to be markup."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "a.txt").write_text("".join(ATTACKS) + TEXTS["ascii"])
    sources: dict[str, Any] = dict.fromkeys(valid_source_names(folder), folder / "a.txt")
    path = folder / "<img src=x onerror=alert(1)>.portrait"
    portrait.build(sources, path)
    with serving([path]) as running:
        yield running


def valid_source_names(folder: Path) -> list[str]:
    """Return the attacks that are valid names of sources."""
    names = []
    for i, attack in enumerate(ATTACKS):
        try:
            portrait.build({attack: folder / "a.txt"}, folder / f"{i}.portrait")
        except portrait.PortraitError:
            continue
        names.append(attack)
    return names


def test_markup_is_text_everywhere(browser: Browser, hostile: Site) -> None:
    for scripts in (True, False):
        with watching(browser, hostile, java_script_enabled=scripts) as page:
            page.open()
            text = "".join(ATTACKS) + TEXTS["ascii"] + "".join(ATTACKS)
            before = page.page.locator("main *").count()
            page.ask(text)
            page.page.wait_for_timeout(100)
            assert page.shown() == text
            assert page.page.inner_text("#verdict") == "Found"
            assert page.page.locator("iframe, main script, main img, main svg, math, main style").count() == 0
            assert page.page.locator("main *").count() > before
            assert "<img src=x onerror=alert(1)>" in page.page.inner_text(".legend")


def test_the_response_of_a_hostile_server_is_shown_as_text(page: Watched) -> None:
    """Check a response whose every string is markup."""
    markup = "<img src=x onerror=alert(1)>"
    match = {"start": 2, "end": 9, "windows": 3, "evalue": 1e-6}
    layer = {"portrait": markup, "source": markup, "matches": [match], "approximate": None}
    answer = {
        "verdict": "found", "reason": markup, "evalue": 1e-6, "detectable_length": 9, "coverage": 0.5,
        "longest_match": 7, "exact_document": False, "layers": [layer],
        "portraits": [{"portrait": markup, "verdict": "found", "evalue": 1e-6, "detectable": markup}],
    }  # fmt: skip
    page.page.route("**/v1/query", lambda route: route.fulfill(json={"answers": [answer]}))
    page.ask(markup * 3)
    page.page.wait_for_timeout(100)
    assert page.page.inner_text(".reason") == markup + "."
    assert page.page.locator("main img").count() == 0


def test_the_content_security_policy_is_enforced(page: Watched) -> None:
    """Check that inline markup and styles are refused, and that ``wrong`` records the refusal."""
    page.page.evaluate(
        """() => {
            const script = document.createElement("div");
            try { script.innerHTML = "<b>x</b>"; } catch { }
            const style = document.createElement("style");
            style.textContent = "* { color: red }";
            document.head.append(style);
        }"""
    )
    page.page.wait_for_timeout(100)
    assert any("Content Security Policy" in one for one in page.wrong)
    assert any("TrustedHTML" in one or "Trusted" in one for one in page.wrong)
    page.wrong.clear()


def test_nothing_is_stored(page: Watched) -> None:
    page.ask(SHARED)
    stores = page.page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length, "
        "(await indexedDB.databases()).length, document.cookie]"
    )
    assert stores == [0, 0, 0, 0, ""]


def test_the_question_is_in_no_url(page: Watched) -> None:
    urls: list[str] = []
    page.page.on("request", lambda request: urls.append(request.url))
    page.ask("needle " + SHARED)
    page.page.click(".make-link")
    page.page.wait_for_selector(".made:visible")
    assert [url.removeprefix(page.site.url) for url in urls if ".svg?v=" not in url] == ["v1/query"]
    assert "needle" not in page.page.url


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            429,
            {"title": "Too Many Requests", "detail": "asked too much"},
            "Asked too much. Try again in 7 seconds.",
        ),
        (500, "<h1>bad gateway</h1>", "The server said 500 and no more."),
        (503, {"detail": "<b>busy</b>"}, "<b>busy</b>. Try again in 7 seconds."),
    ],
)
def test_problems_are_shown_in_words(status: int, body: object, words: str, page: Watched) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {} if isinstance(body, str) else {"Retry-After": "7"}
    page.page.route("**/v1/query", lambda route: route.fulfill(status=status, body=text, headers=headers))
    page.page.fill("#text", "words")
    page.page.click("button[type=submit]")
    page.page.wait_for_selector("#problem h2")
    assert page.page.inner_text("#problem p") == words
    assert page.page.inner_text("#status") == ""
    # The browser logs the status as an error, which is not one of the page.
    page.wrong.clear()
    page.page.unroute("**/v1/query")
    page.submit()
    assert page.page.inner_text("#problem") == ""


def test_a_lost_connection_is_reported(page: Watched) -> None:
    page.page.route("**/v1/query", lambda route: route.abort())
    page.page.fill("#text", "words")
    page.page.click("button[type=submit]")
    page.page.wait_for_selector("#problem h2")
    assert "could not be reached" in page.page.inner_text("#problem")
    page.wrong.clear()


def test_a_key_stays_in_memory(browser: Browser, shelf: list[Path], tmp_path: Path) -> None:
    secret, key = new_key("alice", ("letters",))
    (tmp_path / "keys.toml").write_text(key.to_line())
    with serving(shelf, tmp_path / "keys.toml") as locked, watching(browser, locked) as page:
        page.open()
        assert page.page.is_hidden("#portraits")
        page.page.fill("#key", secret)
        page.page.press("#key", "Tab")
        page.page.wait_for_selector("#portraits:visible")
        assert page.page.locator(".choice").all_inner_texts() == ["letters first, last, plain"]
        with page.page.expect_request("**/v1/query") as query:
            page.ask(SHARED)
        assert query.value.headers["authorization"] == f"Bearer {secret}"
        assert page.page.inner_text("#verdict") == "Found"
        assert secret not in page.page.content()
        page.page.click(".make-link")
        page.page.wait_for_selector(".made:visible")
        assert secret not in page.page.input_value("#link")
        page.page.reload()
        assert page.page.input_value("#key") == ""

        page.page.fill("#key", "alice.wrong")
        page.page.press("#key", "Tab")
        page.page.fill("#text", "words")
        page.page.click("button[type=submit]")
        page.page.wait_for_selector("#problem h2")
        assert "valid key" in page.page.inner_text("#problem")
        page.wrong.clear()


def test_a_key_works_without_scripts(browser: Browser, shelf: list[Path], tmp_path: Path) -> None:
    secret, key = new_key("alice")
    (tmp_path / "keys.toml").write_text(key.to_line())
    with (
        serving(shelf, tmp_path / "keys.toml") as locked,
        watching(browser, locked, java_script_enabled=False) as page,
    ):
        page.open()
        page.page.fill("#key", secret)
        page.ask(SHARED)
        assert page.page.inner_text("#verdict") == "Found"
        assert page.page.input_value("#key") == ""
