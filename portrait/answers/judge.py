"""Evidence → answer: what the scans of one text mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.answers.answer import Answer
from portrait.answers.layer_answer import LayerAnswer, longest_detectable
from portrait.answers.matches import approximate, unite
from portrait.answers.verdict import strongest
from portrait.errors import SpecError
from portrait.evidence import conclusive_length, evalue, significant_chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portrait.answers.matches import Match
    from portrait.answers.scan import LayerEvidence
    from portrait.answers.verdict import Verdict
    from portrait.spec import WindowSpec

#: The E-value up to which a chain counts as a copy in a text that is read for itself, unless the caller says
#: otherwise.
DEFAULT_EVALUE = 0.01
#: The same for each of many rows (scans and reports). It makes one in a hundred the chance that any of a
#: thousand rows is found that share nothing with the corpus.
DEFAULT_ROW_EVALUE = 1e-5


def require_evalue(threshold: float) -> float:
    """Return ``threshold`` if it is a positive number up to a million.

    Raises:
        SpecError: ``threshold`` is anything else.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1e6:
        raise SpecError(
            f"the E-value threshold must be a positive number up to 1e6, not {threshold!r}",
            parameter="evalue",
        )
    return threshold


def judge(text: str, evidence: Sequence[LayerEvidence], threshold: float = DEFAULT_EVALUE) -> Answer:
    """Conclude from the evidence about one text.

    Portraits that cut text alike are judged together; those that cut it differently, each kind for itself.
    docs/answers.md defines every number of the answer.

    Args:
        text: The text as given.
        evidence: The evidence of every layer, at least one.
        threshold: The E-value up to which a chain counts as a copy.
    """
    n_layers = layers_together([one.spec for one in evidence])
    layers = [_judge_layer(one, n_layers[one.spec], threshold) for one in evidence]
    spans = [(match.start, match.end) for layer in layers for match in layer.matches]
    values = [layer.evalue for layer in layers if layer.evalue is not None]
    comparable = len({(spec.unit, spec.normalizer) for spec in n_layers}) == 1
    return Answer(
        verdict=strongest({layer.verdict for layer in layers}),
        evalue=min(values, default=None),
        detectable_length=(
            longest_detectable([layer.detectable_length for layer in layers]) if comparable else None
        ),
        coverage=_covered(spans) / len(text) if spans else 0.0,
        longest_match=max((end - start for start, end in spans), default=0),
        exact_document=_any(one.scan.document for one in evidence),
        layers=tuple(layers),
        text=text,
    )


def _any(values: Iterable[bool | None]) -> bool | None:
    """Return whether some value is true; ``None`` if none is and some are unknown."""
    known = set(values)
    return True if True in known else None if None in known else False


def layers_together(specs: Iterable[WindowSpec]) -> dict[WindowSpec, int]:
    """Return the number of layers that count together in E-values: those that cut text alike.

    Args:
        specs: How the portrait of each layer in the question cuts text into windows.
    """
    numbers: dict[WindowSpec, int] = {}
    for spec in specs:
        numbers[spec] = numbers.get(spec, 0) + 1
    return numbers


def _judge_layer(one: LayerEvidence, n_layers: int, threshold: float) -> LayerAnswer:
    spec, scan, windows = one.spec, one.scan, one.windows
    shortest = significant_chain(windows, n_layers, one.fpr, threshold)
    matches: tuple[Match, ...] = ()
    verdict: Verdict = "inconclusive"
    needed: int | None = None
    by_chance = 0.0
    if shortest is not None:
        by_chance = evalue(windows, 1, one.fpr, shortest)
        needed = spec.length_holding(shortest)
        if one.units < needed:
            # In a longer text, which has room for the passage, chance has more tries.
            needed = conclusive_length(spec, one.units, windows, n_layers, one.fpr, threshold)
        elif scan.longest < shortest:
            # Only repetition makes a long chain of few different windows: a copy, or one false answer.
            verdict = "not_found"
        if scan.distinct >= shortest:
            matches = unite(one, n_layers, shortest)
            verdict = "found"
    return LayerAnswer(
        portrait=one.portrait,
        source=one.source,
        spec=spec,
        verdict=verdict,
        units=one.units,
        windows=windows,
        hits=scan.hits,
        fpr=one.fpr,
        evalue=evalue(windows, n_layers, one.fpr, scan.distinct) if scan.distinct else None,
        detectable_length=needed,
        expected_by_chance=by_chance,
        matches=matches,
        approximate=approximate(one, n_layers, threshold),
        number=one.number,
    )


def _covered(spans: list[tuple[int, int]]) -> int:
    """Return the number of characters inside at least one span."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered
