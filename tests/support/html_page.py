"""A parser of HTML pages, and a check that a page is valid, self-contained and locked down."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import html5lib

VOID = {"meta", "br"}


class Page(HTMLParser):
    """A parsed page: its elements with their attributes, and its text outside the style sheet.

    Fails if an element is not closed, an attribute is repeated, or there is a comment.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute is repeated"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        """The text of all elements, end to end."""
        return "".join(self.texts)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element with this tag."""
        return [attributes for name, attributes in self.elements if name == tag]


def check(page: str) -> Page:
    """Check that a page is valid, loads nothing, runs no script and declares this in its policy.

    Returns:
        The parsed page.
    """
    html5lib.HTMLParser(strict=True).parse(page)
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "image"}
    for _, attributes in parsed.elements:
        assert not any(name.startswith("on") or name in ("style", "src", "srcset") for name in attributes)
        assert not any("//" in (value or "") for value in attributes.values())
        target = attributes.get("href")
        assert target is None or (target.startswith("#") and target[1:] in ids)
    # The style sheet must load nothing.
    (css,) = re.findall("<style>(.*?)</style>", page, flags=re.DOTALL)
    assert not re.search(r"url\(|@import|@font-face|expression", css)
    (policy,) = [one["content"] for one in parsed.all("meta") if "http-equiv" in one]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert policy == (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
    return parsed
