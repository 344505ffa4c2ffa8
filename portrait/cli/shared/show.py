"""Answers and numbers as a person reads them in a terminal."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from portrait.answers.wording import show_evalue
from portrait.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portrait.answers.answer import Answer, LayerAnswer
    from portrait.answers.matches import Match

#: Characters shown on either side of a match; what lies further away is folded.
_CONTEXT = 60
#: Longer matches are folded in the middle.
_LONGEST_SHOWN = 2000
_FOLD = " […] "

#: Colours of sources, in the order of the answer; all can be read on dark and on light ground.
_SHADES = ("red", "cyan", "magenta", "blue", "yellow", "green")

_VERDICTS = {
    "found": ("FOUND", "red"),
    "not_found": ("NOT FOUND", "green"),
    "inconclusive": ("INCONCLUSIVE", "yellow"),
}

#: What a verdict means, and what it does not.
_MEANINGS = {
    "found": "So the corpus holds it; this does not say where it comes from, nor that a model remembers it.",
    "not_found": "A shorter passage may be in the corpus, or a reworded one.",
    "inconclusive": "That is neither yes nor no: ask about more of the text.",
}

color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the output; auto: on a terminal, unless NO_COLOR is set.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


def wants_color(choice: str) -> bool:
    """Whether to colour stdout."""
    if choice == "auto":
        return (
            sys.stdout is not None
            and sys.stdout.isatty()
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )
    return choice == "always"


def count(n: int | None) -> str:
    """A whole number with its thousands apart."""
    return "unknown" if n is None else f"{n:,}"


def size(n_bytes: int | None) -> str:
    """A number of bytes in three digits and a decimal unit."""
    if n_bytes is None:
        return "unknown"
    if n_bytes < 1000:
        return f"{n_bytes} B"
    units = ("kB", "MB", "GB", "TB")
    power = min(len(units), int(math.log10(n_bytes + n_bytes // 2000) // 3))
    return f"{n_bytes / 1000**power:.3g} {units[power - 1]}"


def answer(text: str, found: Answer, *, color: bool, n_portraits: int = 1) -> Iterator[str]:
    """The lines that tell a person what is known about ``text``."""
    label, shade = _VERDICTS[found.verdict]
    yield f"{_styled(label, color, fg=shade, bold=True)}: {found.reason}."
    yield _MEANINGS[found.verdict]
    if found.exact_document:
        yield "The very text is a document of the corpus, as far as its key can tell."
    if found.matches:
        shades = _shades(found)
        spans = [Span(match.start, match.end, shades[_where(layer)]) for layer, match in found.matches]
        yield ""
        yield from excerpt(text, spans, color=color)
        yield ""
        for (start, end), held in _by_span(found).items():
            best = min((match for _, match in held), key=lambda match: match.evalue)
            names = [_where(layer) if n_portraits > 1 else layer.source for layer, _ in held]
            sources = ", ".join(
                _styled(printable(name), color, fg=shades[_where(layer)])
                for name, (layer, _) in zip(names, held, strict=True)
            )
            yield (
                f"  characters {start}-{end} ({end - start})  in {sources}  "
                f"{best.windows} windows  E-value {show_evalue(best.evalue)}"
            )
    for layer in found.layers:
        wider = layer.approximate
        # What is no wider than a match has been said.
        if wider is None or any(m.start <= wider.start and wider.end <= m.end for m in layer.matches):
            continue
        name = printable(_where(layer) if n_portraits > 1 else layer.source)
        yield (
            f"  characters {wider.start}-{wider.end} ({wider.end - wider.start})  in {name}  "
            f"{wider.hits} of {wider.windows} windows, as in a copy with edits  "
            f"E-value {show_evalue(wider.evalue)}"
        )


def _where(layer: LayerAnswer) -> str:
    return f"{layer.portrait}:{layer.source}"


def _shades(found: Answer) -> dict[str, str]:
    """A colour for each source that holds something; with more sources than colours they start over."""
    holding = [_where(layer) for layer in found.layers if layer.matches]
    return {where: _SHADES[i % len(_SHADES)] for i, where in enumerate(holding)}


def _by_span(found: Answer) -> dict[tuple[int, int], list[tuple[LayerAnswer, Match]]]:
    """Matches by their place: a passage that several sources hold is one line."""
    grouped: dict[tuple[int, int], list[tuple[LayerAnswer, Match]]] = {}
    for layer, match in found.matches:
        grouped.setdefault((match.start, match.end), []).append((layer, match))
    return grouped


class Span(NamedTuple):
    """A stretch of a text to set off, and in which colour."""

    start: int
    end: int
    shade: str


def excerpt(text: str, spans: list[Span], *, color: bool) -> Iterator[str]:
    """The text around ``spans``, these set off by colour or by » «, the rest folded."""
    parts: list[str] = []
    at = 0
    for start, end, shade in _united(spans):
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
    # A style that is closed at every line's end survives pagers and indentation.
    return "\n".join(
        click.style(line, fg=shade, bold=True, underline=True) if line else line for line in text.split("\n")
    )


def _between(text: str, *, first: bool) -> str:
    """What stands before a match: its end, and after another match its beginning, too."""
    if first:
        return _shown(text if len(text) <= _CONTEXT else _FOLD.lstrip() + text[-_CONTEXT:].lstrip())
    if len(text) <= 2 * _CONTEXT + len(_FOLD):
        return _shown(text)
    return _shown(text[:_CONTEXT].rstrip() + _FOLD + text[-_CONTEXT:].lstrip())


def _united(spans: list[Span]) -> list[Span]:
    """Spans that overlap, in one, with the colour of the first."""
    united: list[Span] = []
    for start, end, shade in sorted(spans):
        if united and start <= united[-1].end:
            united[-1] = united[-1]._replace(end=max(end, united[-1].end))
        else:
            united.append(Span(start, end, shade))
    return united


def _shown(text: str) -> str:
    return printable(text, keep="\n\t")


def _styled(text: str, color: bool, *, fg: str, bold: bool | None = None) -> str:
    return click.style(text, fg=fg, bold=bold) if color else text


def listed(facts: Mapping[str, str]) -> Iterator[str]:
    """Lines that each name a fact."""
    for name, value in facts.items():
        yield f"{name:<10} {printable(value)}"


def table(rows: Sequence[Sequence[str]], n_names: int = 2) -> Iterator[str]:
    """Rows in columns, of which the first few hold names."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        # Names to the left, numbers to the right.
        cells = [
            cell.ljust(n) if i < n_names else cell.rjust(n)
            for i, (cell, n) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
