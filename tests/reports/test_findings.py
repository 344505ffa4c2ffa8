"""Findings as JSON objects."""

from __future__ import annotations

import json

from portrait.reports.findings import (
    ColumnFindings,
    ColumnSpan,
    Findings,
    PortraitFindings,
    ReportLayer,
    ReportPortrait,
    SourceFindings,
    Totals,
)
from portrait.reports.statistics import Histogram, Share, Spread
from portrait.spec import WindowSpec

NONE, ALL = Share(0, 2), Share(2, 2)
FINDINGS = Findings(
    totals=Totals(2, NONE, ALL, NONE, NONE, NONE, 0.0),
    portraits=(PortraitFindings("p", WindowSpec(), NONE, ALL, NONE, Spread(1, 2, 3)),),
    sources=(SourceFindings("p", "web", NONE),),
    columns=(ColumnFindings("text", NONE, ALL),),
    coverage=Histogram((0, 1), (0,)),
    longest_match=Histogram((), ()),
    worst=(),
    verdicts=b"nn",
)


def test_findings_as_json_leave_out_the_verdict_of_each_row() -> None:
    content = FINDINGS.to_dict()
    assert "verdicts" not in content
    assert content == json.loads(json.dumps(content))
    assert content["totals"]["not_found"]["share"] == 1.0
    (by_portrait,) = content["by_portrait"]
    assert (by_portrait["portrait"], by_portrait["not_found"]["count"]) == ("p", 2)
    assert by_portrait["detectable_length"] == {"least": 1, "median": 2, "greatest": 3}
    assert by_portrait["counting"] == "characters, runs of white space counted as one"
    assert [one["source"] for one in content["sources"]] == ["web"]
    assert content["columns"][0]["mostly"]["count"] == 2


def test_column_spans_and_portraits_become_objects() -> None:
    assert ColumnSpan("q", 0, 5).to_dict() == {"column": "q", "start": 0, "end": 5}
    content = ReportPortrait("p", None, WindowSpec(), (ReportLayer("web", 0.01),)).to_dict()
    assert content["layers"] == [{"source": "web", "fpr": 0.01}]
    assert (content["id"], content["width"], content["unit"]) == (None, 50, "char")
