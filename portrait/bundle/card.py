"""The card: the page for people who find a portrait beside a model.

It is written between two marks. What stands before and after them is whoever's it is, and stays.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from portrait.bundle import front_matter
from portrait.errors import printable
from portrait.evidence import FORGEABLE, significant_chain
from portrait.markup.markdown import code_block, plain
from portrait.storage.regular import read_regular

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Layer, Manifest

CARD_NAME = "README.md"
#: A README that is larger than this is not a card.
_MAX_CARD_BYTES = 8 << 20
_BEGIN = "<!-- portrait:begin (replaced whenever the portrait is written; write before or after it) -->"
_END = "<!-- portrait:end -->"
#: The lines of the marks, whatever the first one explains.
_MARK = re.compile(r"^<!-- portrait:(begin|end)\b[^\n]*?-->[ \t]*(\r?)$", re.MULTILINE)
#: The card says what can be found in a text of so many units.
_EXAMPLE_UNITS = 2000
#: The hash that places a window in a filter, by the filter's kind.
_HASHES = {
    "bloom": "XXH3-64",
    "ribbon": "XXH3-64",
    "pybloom": "the digests that pybloom-live takes",
    "redisbloom": "MurmurHash",
}


#: The kind of filter that makes the smallest portraits.
_SMALLEST = "ribbon"


def card(manifest: Manifest, name: str, address: str | None = None) -> str:
    """Return the text of a new README.md, in Markdown.

    Args:
        manifest: The bundle's manifest.
        name: The name of the bundle's directory.
    """
    return f"{front_matter.front_matter(manifest)}\n{_section(manifest, name)}\n"


def updated(
    content: bytes, manifest: Manifest, name: str, old: Manifest | None, address: str | None = None
) -> bytes:
    """Return a card with the part that is generated written again, and all else as it is, byte for byte.

    Args:
        content: The card, as :func:`read_card` returns it.
        manifest: The new manifest.
        name: The name of the bundle's directory.
        old: The manifest that the card was written for; see :func:`portrait.bundle.front_matter.updated`.
    """
    # Text in another encoding than UTF-8 passes through.
    text = content.decode("utf-8", "surrogateescape")
    marks = _marks(text)
    assert marks is not None  # read_card has checked it
    begin, end = marks
    section = _section(manifest, name).replace("\n", "\r\n" if begin[2] else "\n")
    before = front_matter.updated(text[: begin.start()], manifest, old)
    return f"{before}{section}{text[end.end() - len(end[2]) :]}".encode("utf-8", "surrogateescape")


def read_card(directory: Path) -> bytes | None:
    """Return the card in a directory; ``None`` if there is none, or its README.md is not a card.

    A card is a regular file, or a link that leads to one, with each of the two marks once.
    """
    try:
        content = read_regular(directory / CARD_NAME, _MAX_CARD_BYTES)
    except OSError:
        return None
    return content if is_card(content) else None


def is_card(content: bytes) -> bool:
    """Return whether a README.md is a card: whether it has each of the two marks once."""
    return _marks(content.decode("utf-8", "surrogateescape")) is not None


def _marks(text: str) -> tuple[re.Match[str], re.Match[str]] | None:
    marks = list(_MARK.finditer(text))
    return (marks[0], marks[1]) if [mark[1] for mark in marks] == ["begin", "end"] else None


def _shown(text: str) -> str:
    """Return text from people in one line, in which nothing is markup."""
    return plain(printable(text))


def _section(manifest: Manifest, name: str) -> str:
    """Return the part of a card that is generated, from the first mark to the second."""
    spec = manifest.windows
    rows = "\n".join(_row(layer) for layer in manifest.layers)
    n_windows = max(1, spec.typical_windows(_EXAMPLE_UNITS))
    worst = max(layer.fpr for layer in manifest.layers)
    chain = significant_chain(n_windows, len(manifest.layers), worst, 0.01)
    length = "none" if chain is None else spec.length(spec.length_holding(chain), "or more")
    hashes = " and ".join(sorted({_hash(layer) for layer in manifest.layers}, reverse=True))
    models = ", ".join(_shown(model) for model in manifest.trained_models) or "none named"
    licence = _shown(manifest.license) if manifest.license else "not stated"
    argument = shlex.quote(printable(f"./{name}" if name.startswith("-") else name))
    commands = f'pip install data-portrait\nportrait query {argument} "a passage of the text in question"'
    return f"""{_BEGIN}
# {_shown(name)}

A *data portrait*: it records which passages a corpus contains, without containing them. Whoever holds
this directory can ask whether a text was in the corpus, and in which of its sources.

| source | documents | text bytes | distinct keys | false-positive rate | bytes |
|---|---:|---:|---:|---:|---:|
{rows}

- Id: `{manifest.id}`
- Models trained on the corpus: {models}
- Licence: {licence}
- Built by {_shown(manifest.tool)}: windows of {spec.cut}, normaliser
  `{spec.normalizer}`, hashed by {hashes}.
- Filters: {_filters(manifest)}

## How to ask

{code_block(commands)}

## What it can say

- Every verbatim passage of {spec.length(spec.guaranteed_length, "or more")} that appears in one document
  hits its source's layer: there are no false negatives.
- A hit can be chance. Answers state how many chains of hits of that length chance alone would produce (the
  E-value) and how long a copy must be to be told from chance: in a text of {_EXAMPLE_UNITS} {spec.unit_name},
  {length}.
- {FORGEABLE}

## What it cannot say

- Nothing about paraphrases, translations, or passages shorter than that.
- Not which document a passage is in, nor how often; only in which source.
- Not whether a model was trained on the corpus, or remembers it.
- A passage that is found may have come into the corpus from elsewhere, by quotation or by common origin.
{_END}"""


def _row(layer: Layer) -> str:
    n_bytes = sum(shard.bytes for shard in layer.shards)
    return (
        f"| {_shown(layer.source)} | {_number(layer.documents)} | {_number(layer.text_bytes)} "
        f"| {layer.distinct_keys} | {layer.fpr:.3g} | {n_bytes} |"
    )


def _hash(layer: Layer) -> str:
    kind = layer.filter.get("kind")
    return _HASHES.get(kind, "an unknown hash") if isinstance(kind, str) else "an unknown hash"


def _filters(manifest: Manifest) -> str:
    """Return the kinds of the layers' filters, with advice where another kind would be smaller."""
    kinds = sorted({str(layer.filter.get("kind")) for layer in manifest.layers})
    names = ", ".join(map(_shown, kinds))
    if kinds == [_SMALLEST]:
        return f"{names}, the smallest kind."
    return f"{names}. With filters of the kind `{_SMALLEST}`, which is for publishing, it would be smaller."


def _number(n: int | None) -> str:
    return "unknown" if n is None else str(n)
