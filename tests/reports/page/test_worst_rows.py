"""The worst rows on the page, and the passages marked in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support.evaluation import COLUMNS, ROWS, write_jsonl
from support.html_page import check

import portrait
from portrait.answers.wording import show_evalue
from portrait.markup.numbers import percent

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


def test_a_row_s_facts_stand_above_its_text_and_in_the_table(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    report = portrait.report(bundle, data, columns=COLUMNS)
    worst = report.findings.worst[0]
    page = check(report.to_html())
    evalue = show_evalue(worst.answer.evalue or 0.0)
    length = f"{worst.answer.longest_match:,}"
    assert (
        f"{worst.id}Coverage{percent(worst.answer.coverage)}Longest match{length}E-value{evalue}SourcesB"
        in page.text
    )
    assert f"longest match {length} characters, E-value {evalue}, sources B; {worst.place}" in page.text
    assert [one for one in page.all("h4") if one["class"] == "column"] == [{"class": "column"}] * 2 * 5


def test_the_text_of_a_single_column_has_no_heading(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    page = check(portrait.report(bundle, data, columns="answer").to_html())
    assert page.all("h4") == []
    assert ROWS[0]["answer"][100:150] in page.text


def test_the_number_of_rows_found_is_given_if_not_all_are_shown(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    assert (
        "2 rows of 5 found, by coverage" in portrait.report(bundle, data, columns=COLUMNS, worst=2).to_html()
    )
    assert "5 rows found, by coverage" in portrait.report(bundle, data, columns=COLUMNS).to_html()


def test_a_row_that_is_a_document_of_the_corpus_says_so(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(ROWS[0]["answer"])
    built = portrait.build(tmp_path / "corpus.txt", tmp_path / "out")
    data = write_jsonl(tmp_path / "data.jsonl", ROWS[:1])
    says_so = ", the very text seems to be a document of the corpus; "
    assert says_so in portrait.report(built, data, columns="answer").to_html()
    assert says_so not in portrait.report(bundle, data, columns="answer").to_html()


def test_no_worst_rows_are_a_sentence(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    assert "No row to show." in portrait.report(bundle, data, columns=COLUMNS, worst=0).to_html()
