"""The report as a page: valid, self-contained HTML in which no text becomes markup."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from support.evaluation import COLUMNS, ROWS, prose, write_jsonl
from support.html_page import check

import portrait

if TYPE_CHECKING:
    from pathlib import Path

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></bdi><script>alert(1)</script>",
    "<!-- ",
    "]]><svg onload=alert(1)>",
    "&lt;b&gt; &amp; &#x3c;",
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
]


def test_a_page_is_valid_and_complete(page: str) -> None:
    parsed_page = check(page)
    text = parsed_page.text
    assert "5 of 10 rows match a passage of the corpus: 50% (95% interval 23.7% to 76.3%)." in text
    assert "portrait report x" in text
    assert f"Made by portrait {portrait.__version__}, 2024-02-29." in text
    for word in ("Chance", "Paraphrase", "Common phrases", "Inconclusive rows are not clean"):
        assert word in text
    for word in (
        "42 in a row by content",
        "normaliser spaces",
        "false-positive rate",
        "detectable length",
    ):
        assert word in text
    assert parsed_page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in parsed_page.all("meta")


def test_sources_are_named_with_their_portraits_and_the_date_is_given_only_where_there_are(
    bundle: Path, tmp_path: Path
) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    one = check(portrait.report(bundle, data, columns=COLUMNS).to_html()).text
    two = check(portrait.report([bundle, bundle], data, columns=COLUMNS).to_html()).text
    assert "A: books in known" in two
    assert "A: books in known" not in one
    assert one.endswith(f"Made by portrait {portrait.__version__}.\n")


def test_headings_skip_no_level_and_table_headings_have_a_scope(page: str) -> None:
    parsed_page = check(page)
    levels = [int(tag[1]) for tag, _ in parsed_page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(one.get("scope") in ("row", "col") for one in parsed_page.all("th"))
    assert len(parsed_page.all("main")) == 1


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_markup(attack: str, tmp_path: Path) -> None:
    """Check texts and ids, and the names of columns, sources, files and portraits."""
    name = attack.replace("/", "∕")[:60]
    (tmp_path / "corpus.txt").write_text(f"{prose(1)} {attack} {prose(2)}")
    built = portrait.build({attack: tmp_path / "corpus.txt"}, tmp_path / f"{name}.portrait")
    rows = [{attack: f"{prose(1)} {attack} {prose(2)}", "b": attack, "task_id": attack} for _ in range(2)]
    data = tmp_path / f"{name}.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))
    report = portrait.report(
        built.path, data, columns=[attack, "b"], id_column="task_id", command=attack, date=attack
    )
    assert report.contaminated.count == 2
    parsed_page = check(report.to_html())
    # The page shows each attack as id, text and names, several times for each of the two rows.
    assert parsed_page.text.count(attack) >= 12
    assert "".join(parsed_page.texts).count("alert(1)") >= 12 * attack.count("alert(1)")


def test_hidden_characters_are_shown(tmp_path: Path) -> None:
    hostile = "a\x00b\x1b[2Jc\u202ed\u2066e\u200bf\x7fg\u2028h\r\ni\U000e0041j"
    (tmp_path / "corpus.txt").write_text(prose(1))
    built = portrait.build({"main": tmp_path / "corpus.txt"}, tmp_path / "out")
    rows = [{"text": prose(1) + hostile, "id": hostile}]
    data = write_jsonl(tmp_path / "data\u202ename.jsonl", rows)
    html = portrait.report(built.path, data).to_html()
    parsed_page = check(html)
    assert all(c.isprintable() or c in "\n\t" for c in html), [c for c in html if not c.isprintable()]
    signs = "a␀b␛[2JcU+202EdU+2066eU+200Bf␡gU+2028h␍\niU+E0041j"
    assert parsed_page.text.count(signs) == 3
    assert "data[U+202E]name" in parsed_page.text


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2 of a colour such as ``#fff``."""
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_text_has_enough_contrast(page: str) -> None:
    palettes = re.findall(r":root \{(.*?)\}", page, flags=re.DOTALL)
    assert len(palettes) == 3
    for palette in palettes:
        colour: dict[str, Any] = dict(re.findall(r"--(\w+): (#[0-9a-f]+)", palette))
        grounds = [colour["page"], colour["card"]]
        tints = [colour[f"m{i}"] for i in range(6)]
        for ground in grounds:
            for ink in ("ink", "soft", "accent"):
                assert contrast(colour[ink], ground) >= 4.5
            # WCAG asks for 3 to 1 for graphics.
            for shape in ("bad", "good", "open", "accent"):
                assert contrast(colour[shape], ground) >= 3
        for i, tint in enumerate(tints):
            assert contrast(colour["ink"], tint) >= 4.5
            assert contrast(colour["soft"], tint) >= 4.5
            assert contrast(colour[f"l{i}"], tint) >= 3
