"""``portrait compare``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.cli.shared.options import json_option
from portrait.cli.shared.tables import table
from portrait.errors import printable
from portrait.markup.estimates import count_interval, estimated_count, estimated_share, share_interval
from portrait.markup.numbers import count, counted, percent, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portrait import Comparison
    from portrait.operations.comparison import SourceComparison
    from portrait.operations.estimates import KeyOverlap

#: More pairs of layers are shown on demand only.
_MOST_PAIRS = 10
#: The fields of layers whose differences are shown, their names for people, and how their values are shown.
_LAYER_FIELDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "fpr_target": ("rate", percent),
    "document_keys": ("keys of documents", str),
    "documents": ("documents", count),
    "text_bytes": ("text", size),
    "distinct_keys": ("keys", count),
}
#: Where a source is, for people.
_PRESENCE = {"dropped": "A only", "added": "B only", "identical": "A and B", "changed": "A and B"}


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--layers", "all_pairs", is_flag=True, help="Show all pairs of layers that share keys.")
@json_option
def command(a: str, b: str, all_pairs: bool, as_json: bool) -> None:
    """Compare two portraits: their specs, their sources, and how many keys they share.

    The overlap is estimated from the sketches that portraits carry; the filters are not read.

    \b
    portrait compare old.portrait new.portrait
    """
    compared = portrait.compare(a, b)
    if as_json:
        click.echo(json.dumps(compared.to_dict(), ensure_ascii=False))
        return
    parts = (
        _sizes(compared),
        _differences(compared),
        _sources(compared),
        _overlap(compared),
        _pairs(compared, all_pairs=all_pairs),
    )
    click.echo("\n\n".join(text for text in map("\n".join, parts) if text))


def _sizes(compared: Comparison) -> Iterator[str]:
    """Yield what each of the portraits is."""
    a, b = compared.a, compared.b

    def known(show: Callable[[int], str], n: int | None) -> str:
        return "unknown" if n is None else show(n)

    rows = [("", "A", "B"), ("portrait", printable(a.name), printable(b.name)), ("id", a.id[:16], b.id[:16])]
    rows += [
        ("sources", count(a.layers), count(b.layers)),
        ("documents", known(count, a.documents), known(count, b.documents)),
        ("text", known(size, a.text_bytes), known(size, b.text_bytes)),
        ("keys", count(a.distinct_keys), count(b.distinct_keys)),
        ("size", size(a.bytes), size(b.bytes)),
    ]
    yield from table(rows, n_names=3)


def _differences(compared: Comparison) -> Iterator[str]:
    """Yield in what specs, licences and models differ."""
    if compared.same_id:
        yield "The ids are equal: A and B give the same answers."
    if compared.differences:
        rows = [("differs", "A", "B")]
        rows += [(one.field, _shown(one.a), _shown(one.b)) for one in compared.differences]
        yield from table(rows, n_names=3)
    else:
        yield "Windows, licence and trained models are the same."


def _shown(value: Any) -> str:
    """Return a value of a manifest for people."""
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    return count(value) if isinstance(value, int) else printable(str(value))


def _sources(compared: Comparison) -> Iterator[str]:
    """Yield where each source is, and in what its layers differ, a row for each difference."""
    rows = [("source", "in", "differs", "A", "B")]
    for one in compared.sources:
        first = (printable(one.source), _PRESENCE[one.presence])
        for difference in _layer_differences(one) or [("", "", "")]:
            rows.append((*first, *difference))
            first = ("", "")
    yield from table(rows, n_names=5)


def _layer_differences(source: SourceComparison) -> list[tuple[str, str, str]]:
    """Return in what two layers of a source differ: a name, and the value of each."""
    if source.presence in ("dropped", "added"):
        return []
    shown = []
    for one in source.differences:
        if one.field == "filter":
            kinds = str(one.a.get("kind")), str(one.b.get("kind"))
            if kinds[0] != kinds[1]:
                shown.append(("filter", printable(kinds[0]), printable(kinds[1])))
        elif one.field in _LAYER_FIELDS:
            name, show = _LAYER_FIELDS[one.field]
            a, b = ("unknown" if value is None else show(value) for value in (one.a, one.b))
            shown.append((name, a, b))
    if source.presence == "identical":
        return shown or [("nothing: the filters are the same", "", "")]
    return shown or [("the filter's content", "", "")]


def _overlap(compared: Comparison) -> Iterator[str]:
    """Yield how many keys the portraits share."""
    found = compared.overlap
    if found is None:
        yield f"overlap of keys: unknown: {printable(compared.reason or '')}"
        return
    if found.exact:
        yield "All keys were compared: the numbers are exact. A key is the hash of a window or of a document."
    else:
        yield (
            f"Estimated from {count(found.sampled_a)} of A's keys and {count(found.sampled_b)} of B's. A key "
            "is the hash of a window or of a document."
        )
    shares = {
        "share of A's keys that are in B": found.a_in_b,
        "share of B's keys that are in A": found.b_in_a,
        "share of all keys that are in both": found.jaccard,
    }
    counts = {"keys in A and B": found.shared, "keys in A only": found.only_a, "keys in B only": found.only_b}
    rows = [("", "exact" if found.exact else "± standard error", "" if found.exact else "95% interval")]
    for shown, estimates, interval in (
        (estimated_share, shares, share_interval),
        (estimated_count, counts, count_interval),
    ):
        for name, estimate in estimates.items():
            rows.append((name, shown(estimate), "" if found.exact else interval(estimate)))
    yield from table(rows, n_names=1)


def _pairs(compared: Comparison, *, all_pairs: bool) -> Iterator[str]:
    """Yield how many keys pairs of layers share."""
    pairs = compared.layers
    if not pairs or compared.a.layers == compared.b.layers == 1:
        return
    n_shown = len(pairs) if all_pairs else min(len(pairs), _MOST_PAIRS)
    rows = [("source of A", "source of B", "of A's keys in B", "of B's keys in A", "keys in both")]
    rows += [(printable(pair.a), printable(pair.b), *_pair(pair.overlap)) for pair in pairs[:n_shown]]
    yield from table(rows)
    if n_shown < len(pairs):
        yield f"and {counted(len(pairs) - n_shown, 'pair')} more, which --layers shows"


def _pair(found: KeyOverlap) -> tuple[str, str, str]:
    return estimated_share(found.a_in_b), estimated_share(found.b_in_a), estimated_count(found.shared)
