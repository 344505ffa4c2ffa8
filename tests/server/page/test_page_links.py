"""Links to a question, which is in the fragment and is sent only when the reader submits it."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from support.page_fixtures import SHARED, TEXTS

if TYPE_CHECKING:
    from support.page_fixtures import Watched


def link(page: Watched) -> str:
    """Make a link to the question, and return it."""
    page.page.click(".make-link")
    page.page.wait_for_selector(".made:visible")
    return page.page.input_value("#link")


def pack(text: str) -> str:
    """Compress ``text`` as links do."""
    deflated = zlib.compress(text.encode(), 9, wbits=-15)
    return base64.urlsafe_b64encode(deflated).decode().rstrip("=")


@pytest.mark.parametrize(
    "text", ["a + b = c & d#e%20 漢\r\n🦊", SHARED, TEXTS["emoji"] + "\r\n" + TEXTS["cjk"]]
)
def test_a_link_reproduces_the_question(text: str, page: Watched) -> None:
    page.drop("a.txt", text.encode())
    page.page.wait_for_selector("#origin:visible")
    page.page.get_by_label("<b>bold").uncheck()
    page.submit()
    text_shown, verdict = page.shown(), page.page.inner_text("#verdict")
    url = link(page)
    assert url.startswith(page.site.url + "#")

    page.page.goto("about:blank")
    urls = []
    page.page.on("request", lambda request: urls.append(request.url))
    page.page.goto(url)
    page.page.wait_for_selector("#origin:visible")
    assert not [one for one in urls if "v1" in one]
    assert "came with the link" in page.page.inner_text("#origin")
    assert page.page.locator("#answer").count() == 0
    assert not page.page.get_by_label("<b>bold").is_checked()
    with page.page.expect_request("**/v1/query") as query:
        page.submit()
    body = query.value.post_data_json
    assert body == {"text": text, "portraits": ["letters"]}
    assert (page.shown(), page.page.inner_text("#verdict")) == (text_shown, verdict)


def test_links_also_work_on_an_open_page(page: Watched) -> None:
    page.open("#" + urlencode({"t": "plain\nwords"}))
    page.page.wait_for_selector("#origin:visible")
    assert page.page.input_value("#text") == "plain\nwords"
    page.open("#" + urlencode({"z": pack("packed wörds")}))
    page.page.wait_for_selector("#origin:visible")
    page.page.wait_for_timeout(200)
    assert page.page.input_value("#text") == "packed wörds"


def test_a_link_may_name_a_portrait_that_is_not_here(page: Watched) -> None:
    page.open("#" + urlencode([("t", "words"), ("p", "letters"), ("p", "<img src=x onerror=alert(1)>")]))
    page.page.wait_for_selector("#origin:visible")
    assert "<img src=x onerror=alert(1)>" in page.page.inner_text("#origin")
    assert page.page.get_by_label("letters").is_checked()
    assert not page.page.get_by_label("<b>bold").is_checked()


@pytest.mark.parametrize("damaged", ["!!", "AAAA", pack("words" * 99)[:-9], pack("x" * 50_000_000), ""])
def test_a_damaged_link_is_reported(damaged: str, page: Watched) -> None:
    page.open("#" + urlencode({"z": damaged}))
    page.page.wait_for_selector("#problem h2")
    assert page.page.inner_text("#problem h2") == "This link is damaged"
    assert page.page.input_value("#text") == ""


def test_a_text_may_be_too_long_for_a_link(page: Watched) -> None:
    page.ask(TEXTS["cjk"] * 40 + "".join(chr(0x4E00 + i * 7919 % 20000) for i in range(9_000)))
    page.page.click(".make-link")
    page.page.wait_for_selector(".made:visible")
    assert page.page.inner_text("#link-hint") == "This text is too long for a link."
    assert page.page.is_hidden("#link")


@pytest.mark.parametrize("fragment", ["#passage-1", "#answer", "#", "#p=letters"])
def test_other_fragments_are_not_questions(fragment: str, page: Watched) -> None:
    page.open(fragment)
    assert page.page.input_value("#text") == ""
    assert page.page.is_hidden("#problem")
    assert page.page.is_hidden("#origin")
