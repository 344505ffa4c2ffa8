"""The page's sections about the numbers: how they were measured, and what they do not mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.evidence import FORGEABLE
from portrait.markup.elements import Markup, element, join
from portrait.markup.numbers import count
from portrait.reports.page.parts import code, name
from portrait.reports.wording import sure_lengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.reports.findings import PortraitFindings, ReportPortrait

_CAVEATS = {
    "Chance": """A filter errs now and then. Each row counts as found up to the E-value threshold, so that
        among many rows some are found by chance: how many to expect is stated above. A lower threshold
        makes them fewer, and detects longer passages only.""",
    "Forged texts": FORGEABLE,
    "Paraphrase": """Only verbatim passages are found, after normalising. A row that was translated, reworded
        or cut into pieces shorter than the detectable length is not. Copies with a few edits often show, and
        are counted apart; how many edits hide a copy is stated above.""",
    "Common phrases": """Boilerplate, quotations, licences and set phrases are found because they are there.
        Look at the worst rows before you call a benchmark leaked: which passages they are matters more
        than how many.""",
    "Inconclusive": """Inconclusive rows are not clean. They are too short for a copy to be told from
        chance.""",
    "Training": """A passage in a corpus says neither that a model was trained on it, nor that the model
        remembers it, nor who copied from whom.""",
    "The intervals": """They are Wilson's, of 95%. They say how far the rate among more rows of the same kind
        may be from that of these, if these were drawn from them at random; of these very rows the counts
        are exact.""",
}


def method(
    data: str,
    columns: Sequence[str],
    evalue: float,
    portraits: Sequence[ReportPortrait],
    findings: Sequence[PortraitFindings],
    command: str | None,
) -> list[Markup]:
    """Return the section that says how the numbers were measured."""
    names = join([code(column) for column in columns], ", ")
    facts: list[tuple[str, list[str]]] = [
        ("Data", [code(data)]),
        ("Columns", [names, " (joined by line breaks)" if len(columns) > 1 else ""]),
        ("Threshold", [f"E-value {evalue:g} for each row"]),
        *(("Portrait", _portrait(*pair)) for pair in zip(portraits, findings, strict=True)),
    ]
    if command is not None:
        facts.append(("Command", [code(command)]))
    rows = [element("tr", element("th", what, scope="row"), element("td", *value)) for what, value in facts]
    return [
        element("h2", "How it was measured"),
        element("table", element("tbody", *rows), class_="facts-table"),
    ]


def _portrait(one: ReportPortrait, findings: PortraitFindings) -> list[str]:
    spec = one.spec
    shares = {
        "found": findings.found,
        "not found": findings.not_found,
        "inconclusive": findings.inconclusive,
    }
    verdicts = ", ".join(f"{count(share.count)} {verdict}" for verdict, share in shares.items())
    layers = [join([name(layer.source), f" {layer.fpr:.3%}"]) for layer in one.layers]
    named = ["id ", element("code", one.id, class_="id")] if one.id else ["a filter without a manifest"]
    return [
        name(one.name),
        ", ",
        *named,
        element("br"),
        f"windows of {spec.cut}, after normaliser {spec.normalizer}",
        element("br"),
        "false-positive rate per window: ",
        join(layers, ", "),
        element("br"),
        f"detectable length (verbatim passages that are certain to be found): {sure_lengths(findings)}",
        element("br"),
        f"rows: {verdicts}",
    ]


def caveats() -> list[Markup]:
    """Return the section that says what the numbers do not mean."""
    items = [
        element("p", element("strong", f"{subject}."), f" {' '.join(text.split())}")
        for subject, text in _CAVEATS.items()
    ]
    return [element("h2", "What these numbers do not mean"), *items]
