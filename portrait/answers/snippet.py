"""An answer as a piece of HTML, for notebooks and for other people's pages."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from portrait.answers.wording import show_evalue
from portrait.markup.elements import Markup, element, join
from portrait.markup.highlight import Span, highlighted, letter, style, visible
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.answers.matches import Match
    from portrait.answers.verdict import Verdict

_VERDICTS = {"found": "Found", "not_found": "Not found", "inconclusive": "Inconclusive"}


class SourceMatches(NamedTuple):
    """The matches of one source of one portrait."""

    portrait: str
    source: str
    matches: tuple[Match, ...]


def snippet(text: str, verdict: Verdict, reason: str, sources: Sequence[SourceMatches]) -> str:
    """Return the verdict, the text with its matches marked by source, and the matches as a table.

    The HTML brings its own style sheet, which touches nothing else, and no script; everything in texts
    and names is escaped.

    Args:
        text: The text as given; if it is empty, only the table shows the matches.
        verdict: The verdict on the whole text.
        reason: The verdict in a sentence.
        sources: The sources that hold a passage of the text.
    """
    css = files("portrait.answers").joinpath("snippet.css").read_text(encoding="utf-8")
    sentence = element("p", element("strong", _VERDICTS[verdict]), ": ", visible(reason), ".")
    parts = [element("style", Markup(css)), sentence]
    if sources:
        if text:
            spans = [
                Span(match.start, match.end, i) for i, one in enumerate(sources) for match in one.matches
            ]
            marked = highlighted(text, 0, len(text), spans)
            parts.append(element("p", marked, class_="text", dir="auto"))
        names = ("characters", "length", "source", "E-value")
        head = element("thead", element("tr", *(element("th", name, scope="col") for name in names)))
        rows = [_row(match, i, one) for i, one in enumerate(sources) for match in one.matches]
        parts.append(element("table", head, element("tbody", *rows)))
    return element("div", join(parts), class_="portrait-answer")


def _row(match: Match, i: int, source: SourceMatches) -> Markup:
    return element(
        "tr",
        element("td", f"{count(match.start)}–{count(match.end)}"),
        element("td", count(match.end - match.start)),
        element(
            "td",
            element("mark", letter(i), class_=style(i)),
            " ",
            element("bdi", visible(source.source)),
            " in ",
            element("bdi", visible(source.portrait)),
        ),
        element("td", show_evalue(match.evalue)),
    )
