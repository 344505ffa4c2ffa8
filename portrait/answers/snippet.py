"""One answer as a piece of HTML, for notebooks and for pages of others."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from portrait.answers.wording import show_evalue
from portrait.markup.elements import Markup, element, join
from portrait.markup.highlight import Span, highlighted, letter, style, visible

if TYPE_CHECKING:
    from portrait.answers.answer import Answer

_VERDICTS = {"found": "Found", "not_found": "Not found", "inconclusive": "Inconclusive"}


def snippet(answer: Answer) -> str:
    """The verdict, the text with its matches marked by source, and the matches as a table.

    It brings a style sheet of its own, which touches nothing else, and no script; whatever stands in
    texts and names is escaped.
    """
    css = files("portrait.answers").joinpath("snippet.css").read_text(encoding="utf-8")
    verdict = element("p", element("strong", _VERDICTS[answer.verdict]), ": ", visible(answer.reason), ".")
    parts = [element("style", Markup(css)), verdict]
    holding = [layer for layer in answer.layers if layer.matches]
    if holding:
        spans = [
            Span(match.start, match.end, i) for i, layer in enumerate(holding) for match in layer.matches
        ]
        if answer.text:
            marked = highlighted(answer.text, 0, len(answer.text), spans)
            parts.append(element("p", marked, class_="text", dir="auto"))
        rows = [
            element(
                "tr",
                element("td", f"{match.start}–{match.end}"),
                element("td", str(match.end - match.start)),
                element(
                    "td",
                    element("mark", letter(i), class_=style(i)),
                    " ",
                    element("bdi", visible(layer.source)),
                    " in ",
                    element("bdi", visible(layer.portrait)),
                ),
                element("td", show_evalue(match.evalue)),
            )
            for i, layer in enumerate(holding)
            for match in layer.matches
        ]
        names = ("characters", "length", "source", "E-value")
        head = element("thead", element("tr", *(element("th", name, scope="col") for name in names)))
        parts.append(element("table", head, element("tbody", *rows)))
    return element("div", join(parts), class_="portrait-answer")
