"""docs/page.md states the limits that the page has."""

from __future__ import annotations

import math
import re

from portrait_server.page import drawing, passages, web, words
from support.places import DOCS


def test_the_docs_state_the_limits_of_the_page() -> None:
    docs = (DOCS / "page.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z ]+) \| ([0-9.e-]+) \|$", docs, re.MULTILINE)
    assert len(rows) == 2
    assert "What is weaker *may be chance*" in docs
    assert words.how_sure(0.01) == "may be chance"
    for name, value in rows:
        assert words.how_sure(float(value)) == name
        assert words.how_sure(float(value) * 1.01) != name
    assert f"{drawing.N_COLOURS * drawing.N_LINES} pairs" in docs
    assert math.gcd(drawing.N_COLOURS, drawing.N_LINES) == 1
    script = (web.STATIC / "page.js").read_text(encoding="utf-8")
    constants = dict(re.findall(r"const ([A-Z_]+) = (\d+);", script))
    assert constants == {
        "N_LANES": str(passages.N_LANES),
        "EXCERPT_CHARS": str(words.EXCERPT_CHARS),
        "LINK_CHARS": "8000",
        "N_SOURCES": str(web.N_SOURCES),
    }
    assert "more than 8,000 characters" in docs
