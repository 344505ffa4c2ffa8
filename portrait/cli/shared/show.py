"""Answers as a person reads them in a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from portrait.answers.wording import show_evalue
from portrait.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.answers.answer import Answer
    from portrait.answers.layer_answer import LayerAnswer
    from portrait.answers.matches import Match

#: Characters shown on either side of a match; the text beyond is folded.
_CONTEXT = 60
#: Longer matches are folded in the middle.
_LONGEST_SHOWN = 2000
_FOLD = " […] "

#: Colours of sources, in the order of the answer; all are legible on dark and on light backgrounds.
_SHADES = ("red", "cyan", "magenta", "blue", "yellow", "green")

_VERDICTS = {
    "found": ("FOUND", "red"),
    "not_found": ("NOT FOUND", "green"),
    "inconclusive": ("INCONCLUSIVE", "yellow"),
}


def wants_color(choice: str) -> bool:
    """Return whether to colour stdout.

    Args:
        choice: ``auto``, ``always`` or ``never``.
    """
    if choice == "auto":
        return (
            sys.stdout is not None
            and sys.stdout.isatty()
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )
    return choice == "always"


def answer_lines(text: str, answer: Answer, *, color: bool, n_portraits: int = 1) -> Iterator[str]:
    """Yield the lines that tell a person what is known about a text.

    Args:
        text: The text.
        answer: The answer about it.
        color: Whether to colour the lines.
        n_portraits: How many portraits were asked; with several, sources are named by their portraits too.
    """
    label, shade = _VERDICTS[answer.verdict]
    yield f"{_styled(label, color, fg=shade, bold=True)}: {answer.reason}."
    yield answer.meaning
    if answer.exact_document:
        yield "The very text seems to be a document of the corpus, as far as its key can tell."
    several = n_portraits > 1
    if answer.matches:
        yield from _matches(text, answer, color=color, several=several)
    for layer in answer.layers:
        wider = layer.approximate
        # A stretch no wider than a match adds nothing to it.
        if wider is None or any(m.start <= wider.start and wider.end <= m.end for m in layer.matches):
            continue
        yield (
            f"  characters {wider.start}-{wider.end} ({wider.end - wider.start})  "
            f"in {printable(_name(layer, several))}  "
            f"{wider.hits} of {wider.windows} windows, as in a copy with edits  "
            f"E-value {show_evalue(wider.evalue)}"
        )


def _matches(text: str, answer: Answer, *, color: bool, several: bool) -> Iterator[str]:
    """Yield the text with its matches marked, and a line for each matching passage."""
    shades = _shades(answer)
    spans = [ColoredSpan(match.start, match.end, shades[_where(layer)]) for layer, match in answer.matches]
    yield ""
    yield from excerpt(text, spans, color=color)
    yield ""
    for (start, end), matches in _by_span(answer).items():
        best = min((match for _, match in matches), key=lambda match: match.evalue)
        sources = ", ".join(
            _styled(printable(_name(layer, several)), color, fg=shades[_where(layer)]) for layer, _ in matches
        )
        yield (
            f"  characters {start}-{end} ({end - start})  in {sources}  "
            f"{best.windows} windows  E-value {show_evalue(best.evalue)}"
        )


def _name(layer: LayerAnswer, several: bool) -> str:
    return _where(layer) if several else layer.source


def _where(layer: LayerAnswer) -> str:
    return f"{layer.portrait}:{layer.source}"


def _shades(answer: Answer) -> dict[str, str]:
    """Return a colour for each source that matches; with more sources than colours, colours repeat."""
    matching = [_where(layer) for layer in answer.layers if layer.matches]
    return {where: _SHADES[i % len(_SHADES)] for i, where in enumerate(matching)}


def _by_span(answer: Answer) -> dict[tuple[int, int], list[tuple[LayerAnswer, Match]]]:
    """Group matches by their place: a passage that several sources hold is one line."""
    grouped: dict[tuple[int, int], list[tuple[LayerAnswer, Match]]] = {}
    for layer, match in answer.matches:
        grouped.setdefault((match.start, match.end), []).append((layer, match))
    return grouped


class ColoredSpan(NamedTuple):
    """A stretch of a text to mark, and in which colour."""

    start: int
    end: int
    shade: str


def excerpt(text: str, spans: list[ColoredSpan], *, color: bool) -> Iterator[str]:
    """Yield the lines of a text around some spans, these marked by colour or by » «, the rest folded."""
    parts: list[str] = []
    at = 0
    for start, end, shade in _merged(spans):
        parts.append(_between(text[at:start], first=at == 0))
        match = text[start:end]
        if len(match) > _LONGEST_SHOWN:
            half = _LONGEST_SHOWN // 2
            match = match[:half] + _FOLD + match[-half:]
        parts.append(_highlighted(_shown(match), shade, color))
        at = end
    rest = text[at:]
    parts.append(_shown(rest if len(rest) <= _CONTEXT else rest[:_CONTEXT].rstrip() + _FOLD.rstrip()))
    for line in "".join(parts).splitlines():
        yield f"  {line}".rstrip()


def _highlighted(text: str, shade: str, color: bool) -> str:
    if not color:
        return f"»{text}«"
    # A style closed at the end of every line survives pagers and indentation.
    return "\n".join(
        click.style(line, fg=shade, bold=True, underline=True) if line else line for line in text.split("\n")
    )


def _between(text: str, *, first: bool) -> str:
    """Fold the text before a match: its end stays, and after another match also its beginning."""
    if first:
        return _shown(text if len(text) <= _CONTEXT else _FOLD.lstrip() + text[-_CONTEXT:].lstrip())
    if len(text) <= 2 * _CONTEXT + len(_FOLD):
        return _shown(text)
    return _shown(text[:_CONTEXT].rstrip() + _FOLD + text[-_CONTEXT:].lstrip())


def _merged(spans: list[ColoredSpan]) -> list[ColoredSpan]:
    """Merge spans that overlap, in the colour of the first."""
    merged: list[ColoredSpan] = []
    for start, end, shade in sorted(spans):
        if merged and start <= merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(end, merged[-1].end))
        else:
            merged.append(ColoredSpan(start, end, shade))
    return merged


def _shown(text: str) -> str:
    return printable(text, keep="\n\t")


def _styled(text: str, color: bool, *, fg: str, bold: bool | None = None) -> str:
    return click.style(text, fg=fg, bold=bold) if color else text
