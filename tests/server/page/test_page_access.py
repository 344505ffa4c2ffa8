"""Accessibility of the page: keyboards, screen readers, contrast, phones and paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import page_fixtures
from support.page_fixtures import SHARED, TEXTS, edited, watching

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from support.page_fixtures import Site, Watched

CHECKS = Path(page_fixtures.__file__).with_name("page_checks.js").read_text(encoding="utf-8")

#: Two sources that overlap, a copy with edits, and words that do not break.
EVERYTHING = f"{SHARED}\n\n{TEXTS['emoji']}\n\n{edited(TEXTS['long'], 66)}\n\n{'x' * 400}"


def focused_element(page: Watched) -> str:
    """Return the id of the focused element, or else its text."""
    name: str = page.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
    return name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_accessibility_checks_pass(scheme: str, width: int, browser: Browser, site: Site) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 740}}
    with watching(browser, site, **options) as page:
        page.open()
        checks = page.page.evaluate_handle(CHECKS)
        assert checks.evaluate("checks => checks.all()") == []
        page.ask(EVERYTHING)
        assert page.page.locator(".shown mark").count() > 3
        page.page.click(".make-link")
        page.page.wait_for_selector(".made:visible")
        page.page.keyboard.press("Tab")
        assert checks.evaluate("checks => checks.all()") == []
        page.page.fill("#text", "again")
        for box in page.page.locator("input[name=portraits]").all():
            box.uncheck()
        page.page.click("button[type=submit]")
        page.page.wait_for_selector("#problem h2")
        assert checks.evaluate("checks => checks.all()") == []


def test_the_accessibility_checks_detect_violations(page: Watched) -> None:
    findings = page.page.evaluate(
        f"""() => {{
            const checks = {CHECKS};
            document.body.insertAdjacentElement("beforeend", document.createElement("main"));
            const bad = document.createElement("h6");
            bad.textContent = "pale";
            bad.id = "text";
            document.styleSheets[0].insertRule("h6 {{ color: #999 }}");
            document.querySelector("main").append(bad, document.createElement("textarea"));
            document.querySelector("button").setAttribute("aria-describedby", "nowhere");
            return checks.all();
        }}"""
    )
    for what in ['h6 "pale" follows', "has no name", "not one main", "the id text", "contrast", "nowhere"]:
        assert any(what in finding for finding in findings), (what, findings)


def test_everything_can_be_done_from_the_keyboard(page: Watched) -> None:
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    assert focused_element(page) == "Skip to the question"
    keyboard.press("Enter")
    keyboard.press("Tab")
    if focused_element(page) != "text":  # the fragment may already have moved the focus into the box
        page.page.focus("#text")
    keyboard.insert_text(SHARED)
    for _ in range(4):
        keyboard.press("Tab")
    assert focused_element(page) == "Ask"
    keyboard.press("Enter")
    page.page.wait_for_selector("#answer")
    assert focused_element(page) == "verdict"
    assert page.page.inner_text("#status") == "Found. The answer is below."

    steps = [("j", 1), ("j", 2), ("j", 2), ("k", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("k", 1)]
    for key, number in steps:
        keyboard.press(key)
        assert focused_element(page) == f"passage-{number}"
        assert page.page.inner_text(".at") == f"Place {number} of 2"
        current = page.page.eval_on_selector_all(
            "mark.current", "marks => [...new Set(marks.map(mark => mark.dataset.n))]"
        )
        assert current == [str(number)]
    # In the text box, and with a modifier, the keys have their usual meaning.
    keyboard.press("Control+j")
    assert focused_element(page) == "passage-1"
    page.page.focus("#text")
    keyboard.press("End")
    keyboard.type("j")
    assert focused_element(page) == "text"
    assert "j" in page.page.input_value("#text")[-400:]


def test_the_focus_is_visible(page: Watched) -> None:
    page.ask(SHARED)
    page.page.focus("body")
    page.page.keyboard.press("Tab")
    names = []
    for _ in range(20):
        name, width = page.page.evaluate(
            """() => {
                const one = document.activeElement;
                const outlined = one.id === "file" ? one.parentElement : one;
                const name = one.id || one.textContent.trim() || one.value;
                return [name, getComputedStyle(outlined).outlineWidth];
            }"""
        )
        assert name == "verdict" or width in ("2px", "3px"), name
        names.append(name)
        page.page.keyboard.press("Tab")
    assert {"text", "file", "letters", "Ask", "Next"} <= set(names)


def test_the_list_links_to_the_passages(page: Watched, plain_page: Watched) -> None:
    page.ask(SHARED)
    plain_page.ask(SHARED)
    page.page.click("ol li:nth-child(2) a")
    assert focused_element(page) == "passage-2"
    assert page.page.locator("ol li:nth-child(2)").evaluate("item => item.classList.contains('current')")
    page.page.click("text=Previous")
    assert page.page.inner_text(".at") == "Place 1 of 2"
    assert focused_element(page) == "Previous"
    plain_page.page.click("ol li:nth-child(2) a")
    assert plain_page.page.url.endswith("#passage-2")
    assert plain_page.page.locator("#passage-2").evaluate("mark => mark.matches(':target')")


def test_controls_that_need_scripts_are_hidden_without_them(plain_page: Watched) -> None:
    plain_page.ask(SHARED)
    assert plain_page.page.locator(".scripted:visible").count() == 0


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_does_not_scroll_sideways(scripts: bool, browser: Browser, site: Site) -> None:
    options = {"viewport": {"width": 360, "height": 740}, "java_script_enabled": scripts}
    with watching(browser, site, has_touch=True, is_mobile=True, **options) as page:
        page.open()
        for text in (EVERYTHING, "W" * 5_000):
            page.ask(text)
            width = page.page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360
            inside = page.page.eval_on_selector(".shown", "shown => shown.scrollWidth - shown.clientWidth")
            assert inside == 0


def test_a_print_has_the_whole_text_and_its_lines(page: Watched) -> None:
    page.ask(EVERYTHING * 3)
    page.page.emulate_media(media="print", color_scheme="dark")
    assert page.page.is_hidden("form")
    assert page.page.is_hidden(".stepper")
    hidden = page.page.eval_on_selector(".shown", "shown => shown.scrollHeight - shown.clientHeight")
    assert hidden <= 1
    colours = page.page.eval_on_selector(
        ".shown", "shown => [getComputedStyle(shown).color, getComputedStyle(shown).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    widths = page.page.eval_on_selector_all(
        ".shown mark:not(.near)", "marks => marks.map(mark => getComputedStyle(mark).borderBottomWidth)"
    )
    assert set(widths) <= {"3px", "5px"}
