"""Reports in the form of the original Data Portraits server.

The fields have the names and the meaning that they had there, with one difference: a chain ends at the
first miss. The original's chains jumped over misses, so they were longer than what is in the corpus.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait import Portrait


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What a portrait says about a text.

    Attributes:
        portrait: The portrait's name.
        width: The width of a window, in characters.
        gap: The portrait's stride or span, in characters.
        doc: The normalised text.
        origins: For each character of ``doc``, its span in the text as given.
        windows: The positions of the windows that were asked: all, unless the text chooses them.
        hits: For each of these windows, whether a source has it.
        chains: The chains as the positions of their windows, the longest first.
    """

    portrait: str
    width: int
    gap: int
    doc: str
    origins: list[tuple[int, int]]
    windows: list[int]
    hits: list[bool]
    chains: list[list[int]]

    def segments(self) -> list[str]:
        """Return the windows of the text that were asked."""
        return [self.doc[i : i + self.width] for i in self.windows]

    def spans(self) -> list[tuple[int, int]]:
        """Return the span of each chain in the text as given."""
        return [
            (self.origins[chain[0]][0], self.origins[chain[-1] + self.width - 1][1]) for chain in self.chains
        ]

    def chain_segments(self) -> list[list[str]]:
        """Return the windows of each chain."""
        return [[self.doc[i : i + self.width] for i in chain] for chain in self.chains]

    def n_json_bytes(self, *, every_window: bool) -> int:
        """Return about how many bytes the report takes as JSON.

        Args:
            every_window: Whether the report lists the windows of the text, besides those of the chains.
        """
        n_listed = sum(map(len, self.chains))
        n_quoted = n_listed + (len(self.hits) if every_window else 0)
        n_doc_bytes = len(self.doc.encode())
        window = self.width * n_doc_bytes / max(1, len(self.doc)) + len('"",')
        return (
            n_doc_bytes + int(n_quoted * window) + len("false,") * len(self.hits) + len("99999,") * n_listed
        )

    def to_dict(self, idx: int) -> dict[str, Any]:
        """Return the fields that all of the original's answers have; ``idx`` numbers the text."""
        longest = max(map(len, self.chains), default=0)
        expected = (len(self.doc) - (self.width - 1)) / self.width if self.hits else 0
        return {
            "idx": idx,
            "doc": self.doc,
            "segments": self.segments(),
            "is_member": self.hits,
            "chains": self.chain_segments(),
            "chain_idxs": self.chains,
            "longest_chain": longest,
            "expected_longest": expected,
            "badness": longest / expected if self.hits else 0.0,
            "sketch_signature": f"{self.portrait} [{self.width}-{self.gap}]",
        }

    def score(self) -> dict[str, Any]:
        """Return the QUIP score: the share of the windows that hit."""
        n_hits, n_windows = sum(self.hits), len(self.hits)
        return {
            "too_short": n_windows == 0,
            "numerator": n_hits,
            "denominator": n_windows,
            "quip_25_beta": n_hits / n_windows if n_windows else None,
        }

    def latex(self) -> str:
        """Return the text with LaTeX marks around the chains, darker where more of them overlap."""
        return self._marked(lambda n: f"{{\\sethlcolor{{quoted!{n * 20}}}\\hl{{", lambda _: "}}")

    def brackets(self) -> str:
        """Return the text with as many brackets around each stretch as chains cover it."""
        return self._marked(lambda n: "[" * n, lambda n: "]" * n)

    def _marked(self, opening: Callable[[int], str], closing: Callable[[int], str]) -> str:
        """Return the text with marks made of the number of chains that cover each stretch."""
        steps = [0] * (len(self.doc) + 1)
        for chain in self.chains:
            steps[chain[0]] += 1
            steps[chain[-1] + self.width] -= 1
        covers, cover = [], 0
        for step in steps[:-1]:
            cover += step
            covers.append(cover)
        parts, start = [], 0
        for cover, run in groupby(covers):
            end = start + len(list(run))
            parts += [opening(cover), self.doc[start:end], closing(cover)]
            start = end
        return "".join(parts)


def report(portrait: Portrait, text: str) -> WindowReport:
    """Ask a portrait of characters about a text."""
    spec = portrait.spec
    doc, origins = portrait.normalize(text)
    hits = [any(layers) for layers in zip(*portrait.hits(text).values(), strict=True)]
    windows = portrait.asked(text)
    # A chain's windows are neighbours among the asked ones or, if all are asked, a stride apart.
    chains = sorted(_chains(windows, hits, spec.stride or 1), key=len, reverse=True)
    return WindowReport(portrait.name, spec.width, spec.sampling.gap, doc, origins, windows, hits, chains)


def _chains(windows: list[int], hits: list[bool], step: int) -> list[list[int]]:
    """Return the maximal runs of hits so many asked windows apart, in the order of their starts."""
    chains = []
    for first, hit in enumerate(hits):
        if hit and not (first >= step and hits[first - step]):
            last = first
            while last + step < len(hits) and hits[last + step]:
                last += step
            chains.append(windows[first : last + 1 : step])
    return chains
