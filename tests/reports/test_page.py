"""The report as a page: sound HTML that needs nothing else, and in which no text becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.evaluation import COLUMNS, ROWS, built, prose, write_jsonl

import portrait
from portrait.markup.elements import Markup, element
from portrait.markup.highlight import CONTEXT, Span, highlighted, letter, segments, visible

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "br"}

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


class Page(HTMLParser):
    """A page taken apart: every element closed, its attributes, and the text outside the style sheet."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute stands twice"
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
        return "".join(self.texts)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def check(page: str) -> Page:
    """A page that is sound, self-contained and locked up."""
    html5lib.HTMLParser(strict=True).parse(page)
    found = Page(page)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "image"}
    for _, attributes in found.elements:
        assert not any(name.startswith("on") or name in ("style", "src", "srcset") for name in attributes)
        assert not any("//" in (value or "") for value in attributes.values())
        target = attributes.get("href")
        assert target is None or (target.startswith("#") and target[1:] in ids)
    # A style sheet that loads nothing.
    (css,) = re.findall("<style>(.*?)</style>", page, flags=re.DOTALL)
    assert not re.search(r"url\(|@import|@font-face|expression", css)
    (policy,) = [one["content"] for one in found.all("meta") if "http-equiv" in one]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert policy == (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
    return found


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("known"))


@pytest.fixture(scope="module")
def page(known: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    data = write_jsonl(tmp_path_factory.mktemp("data") / "data.jsonl", ROWS)
    return portrait.report(
        known, data, columns=COLUMNS, date="2024-02-29", command="portrait report x"
    ).to_html()


def test_a_page_is_sound_and_says_what_there_is_to_say(page: str) -> None:
    found = check(page)
    text = found.text
    assert "5 of 10 rows share a passage with the corpus: 50% (95% interval 23.7% to 76.3%)." in text
    assert "portrait report x" in text
    assert f"Made by portrait {portrait.__version__}, 2024-02-29." in text
    for word in ("Chance", "Paraphrase", "Common phrases", "Inconclusive rows are not clean"):
        assert word in text
    for word in ("every 25 (the stride)", "normaliser spaces", "false-positive rate", "Detectable length"):
        assert word in text
    assert found.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in found.all("meta")


def test_headings_descend_one_by_one_and_tables_say_what_heads_what(page: str) -> None:
    found = check(page)
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(one.get("scope") in ("row", "col") for one in found.all("th"))
    assert len(found.all("main")) == 1


def test_every_drawing_has_its_text_or_is_left_to_the_figures_beside_it(page: str) -> None:
    found = check(page)
    ids = {attributes.get("id") for _, attributes in found.elements}
    drawings = found.all("svg")
    assert len(drawings) == 3
    for one in drawings:
        if one.get("aria-hidden") == "true":
            continue
        assert one["role"] == "img"
        assert set((one["aria-labelledby"] or "").split()) <= ids
    assert len(found.all("details")) == 2


def test_passages_are_marked_where_they_stand(known: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    report = portrait.report(known, data, columns=COLUMNS)
    html = report.to_html()
    shown = html[html.index('<ol class="rows">') :]
    for row in report.findings.worst:
        card = shown[shown.index(f'id="row-{row.number}"') :].partition("</li>")[0]
        marked = re.findall("<mark [^>]*><sup>[A-Z+]+</sup>(.*?)</mark>", card, flags=re.DOTALL)
        expected = {
            row.text[max(match.start, passage.start) : min(match.end, passage.end)]
            for _, match in row.answer.matches
            for passage in row.passages
            if match.start < passage.end and match.end > passage.start
        }
        assert set(marked) == expected


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_becomes_markup(attack: str, tmp_path: Path) -> None:
    """Neither texts nor ids nor names of columns, sources, files and portraits."""
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
    found = check(report.to_html())
    # As often as text: id twice for each row, text and b of each, column in two tables and on each row...
    assert found.text.count(attack) >= 12
    assert "".join(found.texts).count("alert(1)") >= 12 * attack.count("alert(1)")


def test_hidden_characters_are_shown(tmp_path: Path) -> None:
    hostile = "a\x00b\x1b[2Jc\u202ed\u2066e\u200bf\x7fg\u2028h\r\ni\U000e0041j"
    (tmp_path / "corpus.txt").write_text(prose(1))
    built = portrait.build({"main": tmp_path / "corpus.txt"}, tmp_path / "out")
    rows = [{"text": prose(1) + hostile, "id": hostile}]
    data = write_jsonl(tmp_path / "data\u202ename.jsonl", rows)
    html = portrait.report(built.path, data).to_html()
    found = check(html)
    assert all(c.isprintable() or c in "\n\t" for c in html), [c for c in html if not c.isprintable()]
    signs = "a␀b␛[2JcU+202EdU+2066eU+200Bf␡gU+2028h␍\niU+E0041j"
    assert found.text.count(signs) == 3
    assert "data[U+202E]name" in found.text


def test_texts_run_in_their_own_direction(tmp_path: Path) -> None:
    hebrew = "בראשית ברא אלהים את השמים ואת הארץ והארץ היתה תהו ובהו וחשך על פני תהום " * 3
    (tmp_path / "corpus.txt").write_text(hebrew)
    built = portrait.build({"תורה": tmp_path / "corpus.txt"}, tmp_path / "out")
    data = write_jsonl(tmp_path / "data.jsonl", [{"text": hebrew, "id": "א1"}])
    html = portrait.report(built.path, data).to_html()
    check(html)
    assert '<div class="text" dir="auto">' in html
    assert html.count("<bdi>תורה</bdi>") >= 3
    assert html.count("<bdi>א1</bdi>") == 2


def test_joiners_of_scripts_and_emoji_stay() -> None:
    text = "👩🏽\u200d💻 می\u200cخواهم naïve\ttab\nline"
    assert visible(text) == text


@given(st.text(max_size=40))
def test_what_is_shown_is_the_text_escaped(text: str) -> None:
    shown = visible(text)
    assert isinstance(shown, Markup)
    found = Page(shown)
    assert {tag for tag, _ in found.elements} <= {"span"}
    kept = "".join(c for c in text if visible(c) == c or c in "&<>\"'")
    assert all(c in found.text for c in kept)


SPANS = st.lists(
    st.builds(lambda a, n, s: Span(a, a + n, s), st.integers(0, 50), st.integers(1, 30), st.integers(0, 3))
)


@given(SPANS, st.integers(0, 40), st.integers(0, 40))
def test_segments_know_the_sources_of_every_character(spans: list[Span], start: int, length: int) -> None:
    end = start + length
    found = list(segments(start, end, spans))
    assert [i for one in found for i in range(one.start, one.end)] == list(range(start, end))
    for one in found:
        for i in range(one.start, one.end):
            assert one.sources == tuple(sorted({s.source for s in spans if s.start <= i < s.end}))
    assert all(one.sources != other.sources for one, other in pairwise(found))


def test_a_passage_of_two_sources_names_both() -> None:
    shown = highlighted("0123456789", 0, 10, [Span(0, 6, 0), Span(4, 10, 1)])
    assert re.findall("<sup>(.*?)</sup>([0-9]+)", shown) == [("A", "0123"), ("A+B", "45"), ("B", "6789")]


def test_what_is_far_from_a_passage_is_folded() -> None:
    text = "x" * 1000 + "MATCH" + "y" * 1000 + "MATCH" + "z" * 1000
    shown = Page(highlighted(text, 0, len(text), [Span(1000, 1005, 0), Span(2005, 2010, 0)])).text
    assert shown.count("x") == shown.count("z") == CONTEXT
    assert shown.count("y") == 2 * CONTEXT
    assert shown.count(" [… 840 characters …] ") == 2
    assert " [… 680 characters …] " in shown


def test_a_long_passage_is_folded_in_the_middle() -> None:
    shown = Page(highlighted("x" * 10_000, 0, 10_000, [Span(0, 10_000, 0)])).text
    assert shown.count("x") == 1600
    assert " [… 8,400 characters …] " in shown


def test_sources_have_letters() -> None:
    assert [letter(i) for i in (0, 1, 25, 26, 27, 51, 52, 701, 702)] == [
        "A", "B", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")))
def test_only_markup_is_taken_for_markup(text: str) -> None:
    shown = element("p", text, Markup("<b>x</b>"), title=text, data_x=None)
    found = Page(shown)
    assert [tag for tag, _ in found.elements] == ["p", "b"]
    assert found.text == f"{text}x"
    assert found.elements[0][1] == {"title": text}


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_text_has_contrast_enough(page: str) -> None:
    palettes = re.findall(r":root \{(.*?)\}", page, flags=re.DOTALL)
    assert len(palettes) == 3
    for palette in palettes:
        colour: dict[str, Any] = dict(re.findall(r"--(\w+): (#[0-9a-f]+)", palette))
        grounds = [colour["page"], colour["card"]]
        tints = [colour[f"m{i}"] for i in range(6)]
        for ground in grounds:
            for ink in ("ink", "soft", "accent"):
                assert contrast(colour[ink], ground) >= 4.5
            # Of what is drawn, WCAG asks for 3 to 1.
            for shape in ("bad", "good", "open", "accent"):
                assert contrast(colour[shape], ground) >= 3
        for i, tint in enumerate(tints):
            assert contrast(colour["ink"], tint) >= 4.5
            assert contrast(colour["soft"], tint) >= 4.5
            assert contrast(colour[f"l{i}"], tint) >= 3
