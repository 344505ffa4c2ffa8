"""Fixtures for the page: a running server with portraits of known texts, and a browser on its page."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

import portrait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

dice = random.Random(20231208)


def random_text(alphabet: list[str], n_units: int) -> str:
    """Return a text of ``n_units`` random elements of ``alphabet``."""
    return "".join(dice.choice(alphabet) for _ in range(n_units))


WORDS = [
    "ledger", "harbour", "quince", "tallow", "vesper", "mizzen", "oxbow", "pewter", "saffron", "thistle",
    "umber", "wicket", "yarrow", "zither", "cobalt", "drizzle", "ember", "flagstone", "gantry", "hemlock",
]  # fmt: skip
IDEOGRAPHS = [chr(code) for code in range(0x4E00, 0x5E00)]
#: Families and flags of several code points, skin tones, and characters outside the Basic Multilingual Plane.
EMOJI = [
    "👩‍👩‍👧‍👦",
    "🇦🇹",
    "🇯🇵",
    "👍🏽",
    "🏳️‍🌈",
    "😀",
    "🦊",
    "🌋",
    "🧵",
    "𝔘",
    "𓀀",
    "🇧🇷",
    "🫀",
    "🪁",
    "🧭",
    "❤️‍🔥",
]
#: Letters with marks, some of which have a composed form.
MARKED = [base + mark for base in "aeionuxqk" for mark in ("\u0301", "\u0308", "\u0328\u0301", "\u20dd")]


def prose(n_words: int) -> str:
    """Return ``n_words`` random words, twelve to a line."""
    words = [dice.choice(WORDS) for _ in range(n_words)]
    return "\n".join(" ".join(words[i : i + 12]) for i in range(0, n_words, 12))


#: The texts in the portraits, each named by what is special about it.
TEXTS = {
    "ascii": prose(60),
    "cjk": random_text(IDEOGRAPHS, 300),
    "emoji": random_text(EMOJI, 160),
    "marks": random_text(MARKED, 160),
    "long": prose(400),
    "page": prose(120),
}
#: A text whose first two thirds are in one source and whose last two thirds in another.
SHARED = prose(110)


def edited(text: str, every: int = 140) -> str:
    """Return ``text`` with one of ``every`` characters replaced, to break up long runs of windows."""
    chars = list(text)
    for i in range(every // 2, len(chars), every):
        chars[i] = "#"
    return "".join(chars)


def matches(answer: portrait.Answer, text: str) -> list[str]:
    """Return the verbatim passages of an answer, without repeats, in the order of the text."""
    spans = {(match.start, -match.end) for _, match in answer.matches}
    return [text[start:-minus_end] for start, minus_end in sorted(spans)]


@dataclass(frozen=True, slots=True)
class Site:
    """A running server and its portraits."""

    url: str
    portraits: tuple[portrait.Portrait, ...]

    def answer(self, text: str) -> portrait.Answer:
        """Query the portraits directly, without the server."""
        return portrait.query(self.portraits, text)


@contextmanager
def serving(paths: list[Path], keys: Path | None = None) -> Iterator[Site]:
    """Run a server of these portraits while the block runs, with API keys from the file ``keys`` if given."""
    with_keys = () if keys is None else ("--keys", keys)
    with subprocess.Popen(
        [sys.executable, "-m", "portrait", "serve", "--port", "0", *with_keys, *paths],
        cwd=paths[0].parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            log_line = process.stderr.readline()
            address = re.search(r"http://\S+", log_line)
            assert address is not None, log_line
            wait_for(address[0])
            yield Site(f"{address[0]}/", tuple(map(portrait.open, paths)))
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    """Wait until the server at ``url`` answers; fail after about ten seconds."""
    for _ in range(200):
        with suppress(OSError), urlopen(f"{url}/healthz", timeout=5) as response:
            assert response.status == 200
            return
        time.sleep(0.05)
    raise AssertionError(f"no server answers at {url}")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two portraits: ``letters`` with three sources, and ``<b>bold``, named to look like markup, with one."""
    folder = tmp_path_factory.mktemp("shelf")
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8", newline="")
    third = len(SHARED) // 3
    (folder / "first.txt").write_text(SHARED[: 2 * third])
    (folder / "last.txt").write_text(SHARED[third:])
    letters = {
        "plain": [folder / f"{name}.txt" for name in ("ascii", "cjk", "emoji", "marks")],
        "first": folder / "first.txt",
        "last": folder / "last.txt",
    }
    portrait.build(letters, folder / "letters.portrait")
    portrait.build({"long": [folder / "long.txt", folder / "page.txt"]}, folder / "<b>bold.portrait")
    return [folder / "letters.portrait", folder / "<b>bold.portrait"]


@pytest.fixture(scope="module")
def site(shelf: list[Path]) -> Iterator[Site]:
    """A running server of the portraits on the shelf."""
    with serving(shelf) as running:
        yield running


@pytest.fixture(scope="module")
def living_browser() -> Iterator[Callable[[], Browser]]:
    """A function that returns the browser, or a new one if it died, so that only one test fails."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started: list[Browser] = []

        def living() -> Browser:
            if not started or not started[-1].is_connected():
                # Tests often run as root in a container, where no sandbox can start.
                started.append(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]))
            return started[-1]

        yield living
        living().close()


@pytest.fixture
def browser(living_browser: Callable[[], Browser]) -> Browser:
    """A running browser."""
    return living_browser()


@dataclass
class Watched:
    """An open page, and a list of everything that went wrong on it."""

    page: Page
    site: Site
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = self.page
        page.on("console", lambda message: self.wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.wrong.append(f"failed: {request.url}"))
        page.on("dialog", self._dismiss)
        page.on("request", self._check_target)

    def _dismiss(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _check_target(self, request: Request) -> None:
        if not request.url.startswith((self.site.url, "about:", "blob:")):
            self.wrong.append(f"request to {request.url}")

    def open(self, fragment: str = "") -> None:
        """Open the page, with a fragment of its URL such as "#q=…"."""
        self.page.goto(self.site.url + fragment)

    def ask(self, text: str) -> None:
        """Fill in a text and submit it."""
        self.page.fill("#text", text)
        self.submit()

    def submit(self) -> None:
        """Submit the form, and wait for the answer."""
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#answer")

    def drop(self, name: str, content: bytes) -> None:
        """Drop a file of this name and content on the page's text box."""
        transfer = self.page.evaluate_handle(
            """([name, bytes]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], name));
                return transfer;
            }""",
            [name, list(content)],
        )
        self.page.dispatch_event("#text", "drop", {"dataTransfer": transfer})

    def shown(self) -> str:
        """Return the text as the page shows it."""
        text: str = self.page.eval_on_selector(".shown", "shown => shown.textContent")
        return text

    def marked(self) -> dict[int, str]:
        """Return the marked text of each passage, by the passage's number."""
        texts: dict[str, str] = self.page.evaluate(
            """() => {
                const found = {};
                const shown = document.querySelector(".shown");
                const texts = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
                while (texts.nextNode()) {
                    const numbers = new Set();
                    let mark = texts.currentNode.parentElement.closest("mark");
                    for (; mark; mark = mark.parentElement.closest("mark")) numbers.add(mark.dataset.n);
                    for (const n of numbers) found[n] = (found[n] ?? "") + texts.currentNode.data;
                }
                return found;
            }"""
        )
        return {int(number): text for number, text in texts.items()}


@contextmanager
def watching(browser: Browser, site: Site, **options: Any) -> Iterator[Watched]:
    """Open a page in its own browser context, and check at the end that nothing went wrong on it."""
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(15_000)
    watched = Watched(context.new_page(), site)
    try:
        yield watched
        assert context.cookies() == []
    finally:
        context.close()
    assert watched.wrong == []


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Watched]:
    """The open page, which fails the test if anything goes wrong on it."""
    with watching(browser, site) as watched:
        watched.open()
        yield watched


@pytest.fixture
def plain_page(browser: Browser, site: Site) -> Iterator[Watched]:
    """The open page in a browser without JavaScript."""
    with watching(browser, site, java_script_enabled=False) as watched:
        watched.open()
        yield watched
