"""``Report``: its question, its findings and its origin, as values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.html_page import check

import portrait

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "The ferry to the island leaves from the eastern quay at noon, and again an hour before dusk. " * 3


def test_a_report_states_its_question_and_its_findings(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    (tmp_path / "data.jsonl").write_text(json.dumps({"text": TEXT}) + "\n" + '{"text": "short"}\n')
    known = portrait.build(tmp_path / "corpus.txt", tmp_path / "known.portrait")
    report = portrait.report(
        known, tmp_path / "data.jsonl", evalue=1e-3, date="2026-01-02", command="portrait …"
    )
    record = report.to_dict()
    assert record["data"] == report.data == str(tmp_path / "data.jsonl")
    assert (record["columns_asked"], record["evalue"]) == (["text"], 1e-3)
    assert (record["date"], record["command"]) == ("2026-01-02", "portrait …")
    assert record["tool"] == f"portrait {portrait.__version__}"
    assert [one["id"] for one in record["portraits"]] == [known.manifest.id]
    assert (report.contaminated.count, report.contaminated.total) == (1, 2)
    assert json.loads(json.dumps(record)) == record
    page = check(report.to_html())
    assert "1 of 2 rows matches a passage" in page.text
    assert f"Made by portrait {portrait.__version__}" in page.text
    assert "2026-01-02" in page.text
