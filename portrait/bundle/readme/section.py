"""What a card says: the part that is generated from the manifest."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from portrait.bundle.sources import source_records
from portrait.errors import printable
from portrait.evidence import FORGEABLE, significant_chain
from portrait.markup.markdown import code_block, plain
from portrait.markup.numbers import count, counted, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.bundle.manifest import Layer, Manifest
    from portrait.bundle.sources import Origin, SourceRecord

#: The card says what can be found in a text of so many units.
EXAMPLE_UNITS = 2000
#: The kind of filter that makes the smallest portraits.
_SMALLEST = "ribbon"
#: A card is a page: of more sources, locations or files, it only says how many there are.
_MOST_SOURCES = 50
_MOST_ORIGINS = 10
_MOST_FILES = 100
#: The hash that places a window in a filter, by the filter's kind.
_HASHES = {
    "bloom": "XXH3-64",
    "ribbon": "XXH3-64",
    "pybloom": "the digests that pybloom-live takes",
    "redisbloom": "MurmurHash",
}


def shown(text: str) -> str:
    """Return text from people in one line, in which nothing is markup."""
    return plain(printable(text))


def commands(name: str, address: str | None) -> str:
    """Return the three lines that install, check and ask.

    Args:
        name: The name of the bundle's directory.
        address: The portrait's address on a hub, if it has one.
    """
    local = printable(f"./{name}" if name.startswith("-") else name)
    where = shlex.quote(local if address is None else printable(address))
    package = "data-portrait" if address is None else "'data-portrait[hub]'"
    return (
        f"pip install {package}\n"
        f"portrait verify {where}\n"
        f'portrait query {where} "a passage of the text in question"'
    )


def detectable(manifest: Manifest, n_units: int = EXAMPLE_UNITS) -> str | None:
    """Return how long a copy in a text of ``n_units`` must be to be told from chance, in words.

    Returns:
        The length; ``None`` where no copy can be told from chance.
    """
    spec = manifest.windows
    worst = max(layer.fpr for layer in manifest.layers)
    n_windows = max(1, spec.typical_windows(n_units))
    chain = significant_chain(n_windows, len(manifest.layers), worst, 0.01)
    return None if chain is None else spec.length(spec.length_holding(chain), "or more")


def section(manifest: Manifest, name: str, address: str | None) -> str:
    """Return the part of a card that is generated, without its marks.

    Args:
        manifest: The bundle's manifest.
        name: The name of the bundle's directory.
        address: Its address on a hub, if it has one.
    """
    spec = manifest.windows
    rows = "\n".join(_row(layer) for layer in manifest.layers)
    hashes = " and ".join(sorted({_hash(layer) for layer in manifest.layers}, reverse=True))
    models = ", ".join(shown(model) for model in manifest.trained_models) or "none named"
    licence = shown(manifest.license) if manifest.license else "not stated"
    corpus = "\n".join(_corpus(manifest))
    return f"""# {shown(name)}

A *data portrait*: it records which passages a corpus contains, without containing them. Whoever holds
this directory can ask whether a text was in the corpus, and in which of its sources.

| source | documents | text | distinct keys | false-positive rate | size |
|---|---:|---:|---:|---:|---:|
{rows}

- Id: `{manifest.id}`
- Models trained on the corpus: {models}
- Licence: {licence}
- Built by {shown(manifest.tool)}: windows of {spec.cut}, normaliser
  `{spec.normalizer}`, hashed by {hashes}.
- Filters: {_filters(manifest)}

## The corpus

{corpus}

## How to ask

{code_block(commands(name, address))}

## What it can say

- Every verbatim passage of {spec.length(spec.guaranteed_length, "or more")} that appears in one document
  hits its source's layer: there are no false negatives.
- A hit can be chance. Answers state how many chains of hits of that length chance alone would produce (the
  E-value) and how long a copy must be to be told from chance: in a text of {EXAMPLE_UNITS} {spec.unit_name},
  {detectable(manifest) or "none"}.
- {FORGEABLE}

## What it cannot say

- Nothing about paraphrases, translations, or passages shorter than that.
- Not which document a passage is in, nor how often; only in which source.
- Not whether a model was trained on the corpus, or remembers it.
- A passage that is found may have come into the corpus from elsewhere, by quotation or by common origin.

{_digests(manifest)}"""


def _row(layer: Layer) -> str:
    n_bytes = sum(shard.bytes for shard in layer.shards)
    return (
        f"| {shown(layer.source)} | {_number(layer.documents)} | {_size(layer.text_bytes)} "
        f"| {count(layer.distinct_keys)} | {layer.fpr:.3g} | {_size(n_bytes)} |"
    )


def _corpus(manifest: Manifest) -> Iterator[str]:
    """Yield a line for each source: where its text comes from, at which revisions."""
    records = source_records(manifest)
    for record in records[:_MOST_SOURCES]:
        yield f"- {shown(record.name)}: {_origins(record)}{_files(manifest.corpus.get(record.name))}"
    if len(records) > _MOST_SOURCES:
        yield f"- and {counted(len(records) - _MOST_SOURCES, 'more source')}"


def _origins(record: SourceRecord) -> str:
    named = [_origin(origin) for origin in record.origins[:_MOST_ORIGINS]]
    if len(record.origins) > _MOST_ORIGINS:
        named.append(f"{count(len(record.origins) - _MOST_ORIGINS)} more")
    return ", ".join(named) or "not recorded"


def _origin(origin: Origin) -> str:
    name = shown(origin.name)
    # In an address that is a link's target, brackets would end it.
    link = f"[{name}](<{origin.url}>)" if origin.url is not None and not set("<>\n") & {*origin.url} else name
    about = [shown(origin.selection)] if origin.selection else []
    about += [f"commit `{origin.commit}`"] if origin.commit and origin.commit.isalnum() else []
    about += [shown(origin.date)] if origin.date else []
    return f"{link} ({', '.join(about)})" if about else link


def _files(record: Any) -> str:
    """Return how many files a source has, and what was left out of them; the record is unchecked."""
    record = record if isinstance(record, dict) else {}
    files = record.get("files")
    listed = [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    unlisted = record.get("unlisted")
    together = unlisted if isinstance(unlisted, dict) else {}
    n_files = _whole(together.get("files")) or len(listed)
    n_skipped = sum(_whole(one.get("skipped_rows")) for one in (record, together, *listed))
    parts = [counted(n_files, "file")] if n_files else []
    parts += [f"{counted(n_skipped, 'row')} left out"] if n_skipped else []
    return f": {', '.join(parts)}" if parts else ""


def _whole(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 1 << 63 else 0


def _digests(manifest: Manifest) -> str:
    """Return the SHA-256 of each file, folded away."""
    files = [record for layer in manifest.layers for record in layer.files]
    lines = [f"{record.sha256}  {record.file}" for record in files[:_MOST_FILES]]
    if len(files) > _MOST_FILES:
        lines.append(f"and {count(len(files) - _MOST_FILES)} more, in portrait.json")
    block = code_block("\n".join(map(printable, lines)))
    return f"<details>\n<summary>SHA-256 of each file</summary>\n\n{block}\n\n</details>"


def _hash(layer: Layer) -> str:
    kind = layer.filter.get("kind")
    return _HASHES.get(kind, "an unknown hash") if isinstance(kind, str) else "an unknown hash"


def _filters(manifest: Manifest) -> str:
    """Return the kinds of the layers' filters, with advice where another kind would be smaller."""
    kinds = sorted({str(layer.filter.get("kind")) for layer in manifest.layers})
    names = ", ".join(map(shown, kinds))
    if kinds == [_SMALLEST]:
        return f"{names}, the smallest kind."
    return f"{names}. With filters of the kind `{_SMALLEST}`, which is for publishing, it would be smaller."


def _number(n: int | None) -> str:
    return "unknown" if n is None else count(n)


def _size(n_bytes: int | None) -> str:
    """Return a number of bytes for people, and the exact one."""
    if n_bytes is None:
        return "unknown"
    return size(n_bytes) if n_bytes < 1000 else f"{size(n_bytes)} ({count(n_bytes)} bytes)"
