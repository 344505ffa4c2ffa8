"""The section of the page on method and caveats."""

from __future__ import annotations

from dataclasses import replace

from support.html_page import Page

from portrait.markup.elements import join
from portrait.reports.findings import PortraitFindings, ReportLayer, ReportPortrait
from portrait.reports.page.method import caveats, method
from portrait.reports.statistics import Share, Spread
from portrait.spec import WindowSpec

PORTRAITS = [ReportPortrait("p", None, WindowSpec(), (ReportLayer("web", 0.01),))]


def findings(spread: Spread | None) -> list[PortraitFindings]:
    """Return the findings of the portrait, with these detectable lengths."""
    return [PortraitFindings("p", WindowSpec(), Share(1, 6), Share(2, 6), Share(3, 6), spread)]


def test_the_method_states_what_was_measured_and_how() -> None:
    spread = findings(Spread(100, 125, 1250))
    text = Page(join(method("d.jsonl", ["q", "a"], 1e-5, PORTRAITS, spread, "portrait report"))).text
    assert "q, a (joined by line breaks)" in text
    assert "E-value 1e-05 for each row" in text
    assert "100 to 1,250 characters or more (runs of white space counted as one)" in text
    assert "rows: 1 found, 2 not found, 3 inconclusive" in text
    assert "a filter without a manifest" in text
    assert "web 1.000%" in text
    assert "portrait report" in text


def test_a_portrait_is_identified_by_its_id() -> None:
    named = [replace(PORTRAITS[0], id="0123456789abcdef")]
    text = Page(join(method("d.jsonl", ["q"], 1e-5, named, findings(None), None))).text
    assert "p, id 0123456789abcdef" in text
    assert "without a manifest" not in text


def test_unknown_facts_are_left_out() -> None:
    text = Page(join(method("d.jsonl", ["q"], 1e-5, PORTRAITS, findings(None), None))).text
    assert "(verbatim passages that are certain to be found): none" in text
    assert "Command" not in text
    assert "joined" not in text


def test_the_caveats_say_what_the_numbers_do_not_mean() -> None:
    text = Page(join(caveats())).text
    for subject in (
        "Chance.",
        "Paraphrase.",
        "Common phrases.",
        "Inconclusive.",
        "Forged texts.",
        "Training.",
        "The intervals.",
    ):
        assert subject in text
