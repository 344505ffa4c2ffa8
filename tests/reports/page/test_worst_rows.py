"""The worst rows on the page, and the passages marked in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support.evaluation import COLUMNS, ROWS, write_jsonl
from support.html_page import check

import portrait

if TYPE_CHECKING:
    from pathlib import Path


def test_matching_passages_are_marked_in_the_row(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    report = portrait.report(bundle, data, columns=COLUMNS)
    html = report.to_html()
    worst_rows = html[html.index('<ol class="rows">') :]
    for row in report.findings.worst:
        card = worst_rows[worst_rows.index(f'id="row-{row.number}"') :].partition("</li>")[0]
        marked_texts = re.findall("<mark [^>]*><sup>[A-Z+]+</sup>(.*?)</mark>", card, flags=re.DOTALL)
        expected = {
            row.text[max(match.start, passage.start) : min(match.end, passage.end)]
            for _, match in row.answer.matches
            for passage in row.columns
            if match.start < passage.end and match.end > passage.start
        }
        assert set(marked_texts) == expected


def test_texts_have_their_own_writing_direction(tmp_path: Path) -> None:
    hebrew = "בראשית ברא אלהים את השמים ואת הארץ והארץ היתה תהו ובהו וחשך על פני תהום " * 3
    (tmp_path / "corpus.txt").write_text(hebrew)
    built = portrait.build({"תורה": tmp_path / "corpus.txt"}, tmp_path / "out")
    data = write_jsonl(tmp_path / "data.jsonl", [{"text": hebrew, "id": "א1"}])
    html = portrait.report(built.path, data).to_html()
    check(html)
    assert '<div class="text" dir="auto">' in html
    assert html.count("<bdi>תורה</bdi>") >= 3
    assert html.count("<bdi>א1</bdi>") == 2


def test_no_worst_rows_are_a_sentence(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    assert "No row to show." in portrait.report(bundle, data, columns=COLUMNS, worst=0).to_html()
