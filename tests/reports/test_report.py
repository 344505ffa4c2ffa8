"""A report as plain values and as a page."""

from __future__ import annotations

from support.html_page import check

from portrait.reports.findings import ColumnFindings, Findings, ReportLayer, ReportPortrait, Totals
from portrait.reports.report import Report
from portrait.reports.statistics import Histogram, Share
from portrait.spec import WindowSpec

NONE = Share(0, 2)
FINDINGS = Findings(
    totals=Totals(2, NONE, Share(2, 2), NONE, NONE, NONE, 0.0),
    sources=(),
    columns=(ColumnFindings("text", Share(0, 0), Share(0, 0)),),
    coverage=Histogram((0, 1), (0,)),
    longest_match=Histogram((), ()),
    detectable_length=None,
    worst=(),
    verdicts=b"nn",
)
REPORT = Report(
    data="d.jsonl",
    columns=("text",),
    evalue=1e-5,
    portraits=(ReportPortrait("p", None, WindowSpec(), (ReportLayer("web", 0.01),)),),
    findings=FINDINGS,
    tool="portrait 1",
)


def test_a_report_is_a_page_and_an_object() -> None:
    page = check(REPORT.to_html())
    assert "0 of 2 rows share a passage" in page.text
    assert "Made by portrait 1." in page.text
    content = REPORT.to_dict()
    assert content["columns_asked"] == ["text"]
    assert content["date"] is None
    assert REPORT.contaminated == NONE
