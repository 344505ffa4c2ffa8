"""A running server with portraits of known texts, and a browser that opens its page."""

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


def of(alphabet: list[str], n_units: int) -> str:
    """Return a random text that stands nowhere else."""
    return "".join(dice.choice(alphabet) for _ in range(n_units))


WORDS = [
    "ledger", "harbour", "quince", "tallow", "vesper", "mizzen", "oxbow", "pewter", "saffron", "thistle",
    "umber", "wicket", "yarrow", "zither", "cobalt", "drizzle", "ember", "flagstone", "gantry", "hemlock",
]  # fmt: skip
IDEOGRAPHS = [chr(code) for code in range(0x4E00, 0x5E00)]
#: Families and flags of several code points, skin tones, and characters outside the basic plane.
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
#: Letters with marks that have a composed form, and some that have none.
MARKED = [base + mark for base in "aeionuxqk" for mark in ("\u0301", "\u0308", "\u0328\u0301", "\u20dd")]


def prose(n_words: int) -> str:
    """Return random words, twelve a line."""
    words = [dice.choice(WORDS) for _ in range(n_words)]
    return "\n".join(" ".join(words[i : i + 12]) for i in range(0, n_words, 12))


#: The texts in the portraits, by what is special about them.
TEXTS = {
    "ascii": prose(60),
    "cjk": of(IDEOGRAPHS, 300),
    "emoji": of(EMOJI, 160),
    "marks": of(MARKED, 160),
    "long": prose(400),
    "page": prose(120),
}
#: The first part is in one source and the last in another; the middle is in both.
SHARED = prose(110)


def edited(text: str, every: int = 140) -> str:
    """Return ``text`` with a character changed here and there, so that no long run of windows stays whole."""
    chars = list(text)
    for i in range(every // 2, len(chars), every):
        chars[i] = "#"
    return "".join(chars)


def matches(answer: portrait.Answer, text: str) -> list[str]:
    """Return the passages that appear word for word, each once, in the order of the text."""
    spans = {(match.start, -match.end) for _, match in answer.matches}
    return [text[start:-minus_end] for start, minus_end in sorted(spans)]


@dataclass(frozen=True, slots=True)
class Site:
    """A running server and its portraits."""

    url: str
    portraits: tuple[portrait.Portrait, ...]

    def answer(self, text: str) -> portrait.Answer:
        return portrait.query(self.portraits, text)


@contextmanager
def serving(paths: list[Path], keys: Path | None = None) -> Iterator[Site]:
    """Run a server with these portraits while the block runs."""
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
            said = process.stderr.readline()
            address = re.search(r"http://\S+", said)
            assert address is not None, said
            wait_for(address[0])
            yield Site(f"{address[0]}/", tuple(map(portrait.open, paths)))
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    """Return when the server at ``url`` answers."""
    for _ in range(200):
        with suppress(OSError), urlopen(f"{url}/healthz", timeout=5) as response:
            assert response.status == 200
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody answers at {url}")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two portraits: ``letters`` of three sources, and ``<b>bold`` of one, whose names try to be markup."""
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
    with serving(shelf) as running:
        yield running


@pytest.fixture(scope="module")
def living_browser() -> Iterator[Callable[[], Browser]]:
    """Return a function that gives the browser, or a new one if it died, so that only one test fails."""
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
    return living_browser()


@dataclass
class Watched:
    """A page, and everything about it that should not happen."""

    page: Page
    site: Site
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = self.page
        page.on("console", lambda message: self.wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.wrong.append(f"failed: {request.url}"))
        page.on("dialog", self._dismiss)
        page.on("request", self._look_where)

    def _dismiss(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _look_where(self, request: Request) -> None:
        if not request.url.startswith((self.site.url, "about:", "blob:")):
            self.wrong.append(f"to {request.url}")

    def open(self, fragment: str = "") -> None:
        self.page.goto(self.site.url + fragment)

    def ask(self, text: str) -> None:
        self.page.fill("#text", text)
        self.submit()

    def submit(self) -> None:
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#answer")

    def drop(self, name: str, content: bytes) -> None:
        """Drop a file of this content on the page's box."""
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
        """The text as the page shows it."""
        text: str = self.page.eval_on_selector(".shown", "shown => shown.textContent")
        return text

    def marked(self) -> dict[int, str]:
        """The marked text, by the number of its passage."""
        found: dict[str, str] = self.page.evaluate(
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
        return {int(number): text for number, text in found.items()}


@contextmanager
def watching(browser: Browser, site: Site, **options: Any) -> Iterator[Watched]:
    """Open a page in a context of its own, and check that nothing goes wrong on it."""
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
    with watching(browser, site) as watched:
        watched.open()
        yield watched


@pytest.fixture
def plain_page(browser: Browser, site: Site) -> Iterator[Watched]:
    """The page in a browser without scripts."""
    with watching(browser, site, java_script_enabled=False) as watched:
        watched.open()
        yield watched
