"""Queries in a browser: the right characters are marked, in any script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.page_fixtures import SHARED, TEXTS, edited, matches

if TYPE_CHECKING:
    from support.page_fixtures import Site, Watched

#: Before a quotation: characters of one, two and three UTF-16 units, and marks.
BEFORE = "I found this: é, 漢, 🦊, 👩‍👩‍👧, e\u0301, then "
AFTER = " – and that was all. 🧵 End."


@pytest.mark.parametrize("kind", ["ascii", "cjk", "emoji", "marks"])
def test_the_right_characters_are_marked(kind: str, page: Watched, site: Site) -> None:
    text = BEFORE + TEXTS[kind] + AFTER
    expected = matches(site.answer(text), text)
    assert len(expected) == 1
    assert len(expected[0]) > 100
    page.ask(text)
    assert page.shown() == text
    assert page.marked() == {1: expected[0]}
    assert page.page.inner_text("#verdict") == "Found"


@pytest.mark.parametrize("kind", ["ascii", "cjk", "emoji", "marks"])
def test_without_scripts_the_same_characters_are_marked(kind: str, plain_page: Watched, site: Site) -> None:
    text = "A line,\nanother,\n\n" + BEFORE + TEXTS[kind] + AFTER
    expected = matches(site.answer(text), text)
    plain_page.ask(text)
    marks = plain_page.page.locator(".shown mark")
    assert marks.all_text_contents() == expected
    assert plain_page.page.text_content(".shown") == text
    # The text stays in the box for the next query.
    assert plain_page.page.input_value("#text") == text


def test_line_breaks_of_a_dropped_file_are_kept(page: Watched, site: Site) -> None:
    text = ("Before.\r\n" * 20 + "😀\r\n" + TEXTS["page"].replace("\n", "\r\n") + "\r\n after").replace(
        " ", "  "
    )
    expected = matches(site.answer(text), text)
    assert len(expected) == 1
    page.drop("quoted.txt", text.encode())
    page.page.wait_for_selector("#origin:visible")
    assert page.page.input_value("#text") == text.replace("\r\n", "\n")
    with page.page.expect_request("**/v1/query") as request:
        page.submit()
    assert json.loads(request.value.post_data or "")["text"] == text
    assert page.marked() == {1: expected[0].replace("\r\n", "\n")}
    start = text.index(expected[0])
    assert f"{start:,}–{start + len(expected[0]):,}" in page.page.inner_text(".where")


def test_an_edited_file_is_queried_as_it_is_shown(page: Watched) -> None:
    page.drop("a.txt", b"one\r\ntwo")
    page.page.wait_for_selector("#origin:visible")
    page.page.press("#text", "End")
    page.page.keyboard.type("!")
    with page.page.expect_request("**/v1/query") as request:
        page.submit()
    assert "\r" not in json.loads(request.value.post_data or "")["text"]
    assert page.page.is_hidden("#origin")


def test_a_file_can_be_chosen(page: Watched) -> None:
    page.page.set_input_files("#file", {"name": "<i>x.txt", "mimeType": "text/plain", "buffer": b"chosen"})
    page.page.wait_for_selector("#origin:visible")
    assert page.page.input_value("#text") == "chosen"
    assert page.page.inner_text("#origin") == "This is the text of <i>x.txt."


def test_a_binary_file_is_refused(page: Watched) -> None:
    page.drop("picture.png", b"\x89PNG\xff\xfe")
    page.page.wait_for_selector("#problem h2")
    assert "picture.png is not a text file" in page.page.inner_text("#problem")
    assert page.page.input_value("#text") == ""


def test_not_found_states_the_detectable_length(page: Watched, site: Site) -> None:
    text = "The lighthouse keeper counted the herring boats every evening and wrote it on the wall. " * 6
    answer = site.answer(text)
    assert answer.verdict == "not_found"
    page.ask(text)
    assert page.page.inner_text("#verdict") == "Not found"
    assert f"{answer.detectable_length} characters" in page.page.inner_text(".facts")
    assert page.marked() == {}
    assert page.page.is_hidden("section.passages")


def test_a_text_that_is_too_short_is_inconclusive(page: Watched) -> None:
    page.ask("for key, value")
    assert page.page.inner_text("#verdict") == "Cannot tell"
    assert "the text has 14 characters" in page.page.inner_text(".reason").lower()


def test_overlapping_sources_have_different_marks(page: Watched, site: Site) -> None:
    answer = site.answer(SHARED)
    expected = matches(answer, SHARED)
    assert len(expected) == 2
    page.ask(SHARED)
    assert list(page.marked().values()) == expected
    assert page.shown() == SHARED
    legend = page.page.locator(".legend li:visible").all_inner_texts()
    assert [one.removeprefix("abc").strip() for one in legend] == ["first in letters", "last in letters"]
    styles = page.page.eval_on_selector_all(
        ".legend .sample:not(.near)",
        """samples => samples.map(getComputedStyle).map(
            style => [style.borderBottomStyle, style.borderBottomColor])""",
    )
    (line, colour), (other_line, other_colour) = styles
    assert line != other_line
    assert colour != other_colour
    # Where both sources hold the text, one line is below the other.
    bottoms = page.page.evaluate(
        """() => {
            const inner = document.querySelector(".shown mark mark");
            return [inner, inner.parentElement].map(mark => getComputedStyle(mark).paddingBottom);
        }"""
    )
    assert len(set(bottoms)) == 2


def test_an_edited_copy_is_marked_differently(page: Watched, site: Site) -> None:
    text = "Look: " + edited(TEXTS["long"], 66)
    answer = site.answer(text)
    near = next(layer.approximate for layer in answer.layers if layer.approximate)
    assert answer.verdict != "found"
    page.ask(text)
    assert page.marked() == {1: text[near.start : near.end]}
    mark = page.page.locator(".shown mark").first
    assert mark.evaluate("mark => getComputedStyle(mark).borderTopStyle") != "none"
    assert mark.evaluate("mark => getComputedStyle(mark).borderTopWidth") != "0px"
    assert mark.evaluate("mark => getComputedStyle(mark).borderBottomWidth") == "0px"
    assert page.page.is_visible(".about-near")
    assert "like an edited copy" in page.page.inner_text(".where")


def test_only_the_chosen_portraits_are_queried(page: Watched) -> None:
    page.page.get_by_label("letters").uncheck()
    page.ask(TEXTS["ascii"])
    assert page.page.inner_text("#verdict") == "Not found"
    page.page.get_by_label("letters").check()
    page.page.get_by_label("<b>bold").uncheck()
    page.page.click("button[type=submit]")
    page.page.wait_for_selector("[data-verdict=found]")


def test_at_least_one_portrait_must_be_chosen(page: Watched, plain_page: Watched) -> None:
    for one in (page, plain_page):
        for box in one.page.locator("input[name=portraits]").all():
            box.uncheck()
        one.page.fill("#text", "some text")
        one.page.click("button[type=submit]")
        one.page.wait_for_selector("#problem h2")
        assert "Choose at least one portrait" in one.page.inner_text("#problem")
    # The browser logs a response with status 400 as an error.
    plain_page.wrong.clear()


def test_a_long_text_stays_usable(page: Watched, site: Site) -> None:
    filler = "".join(f"Line {i} of nothing that anybody has said before 🦊.\n" for i in range(5_000))
    text = filler + TEXTS["ascii"] + "\n" + filler + TEXTS["cjk"] + filler
    assert 700_000 < len(text) < 1_000_000
    page.page.set_input_files(
        "#file", {"name": "long.txt", "mimeType": "text/plain", "buffer": text.encode()}
    )
    page.page.wait_for_selector("#origin:visible")
    page.submit()
    expected = matches(site.answer(text), text)
    assert list(page.marked().values()) == expected
    page.page.keyboard.press("j")
    height = page.page.evaluate("document.documentElement.scrollHeight")
    assert height < 8_000
    first = page.page.locator("#passage-1")
    assert first.evaluate("mark => document.activeElement === mark")
    box = first.bounding_box()
    viewport = page.page.viewport_size
    assert box is not None
    assert viewport is not None
    assert 0 <= box["y"] < viewport["height"]


def test_the_script_and_the_server_draw_the_same_answer(page: Watched, plain_page: Watched) -> None:
    texts = [
        SHARED + "\n\n" + edited(TEXTS["long"], 66),
        BEFORE + TEXTS["emoji"] + TEXTS["cjk"] + AFTER,
        TEXTS["ascii"],
        "for key, value",
        "\n\nNothing & <nobody>, " * 30,
    ]
    for text in texts:
        for one in (page, plain_page):
            one.open()
            one.ask(text)
        from_script, from_server = (
            one.page.locator("#answer").evaluate(
                """answer => {
                    const copy = answer.cloneNode(true);
                    for (const one of copy.querySelectorAll(".scripted")) one.remove();
                    return copy.outerHTML;
                }"""
            )
            for one in (page, plain_page)
        )
        assert "".join(from_script.split()) == "".join(from_server.split())
