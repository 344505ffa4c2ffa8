"""What a build knows of the answers that a public summary of training content asks for."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.sources import Origin, SourceRecord, source_records
from portrait.errors import printable
from portrait.markup.numbers import count, counted, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portrait.bundle.manifest import Manifest

#: Text has about so many bytes of UTF-8 a token. Tokenisers and languages differ.
BYTES_PER_TOKEN = 4
#: Where the template's bands of size begin, in tokens, and their names.
_BANDS = (
    (0, "Less than 1 billion tokens"),
    (10**9, "1 billion to 10 trillion tokens"),
    (10**13, "More than 10 trillion tokens"),
)
#: An estimate is within this factor of the true number of tokens.
_UNCERTAINTY = 2
#: A dataset is large if it is more than this share of the public data of its modality.
_LARGE = 0.03


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a value that a build knows.

    Args:
        text: What it names or says.
        url: Where the name leads.
        details: What follows the name.
    """

    text: str
    url: str | None = None
    details: str = ""


def facts(manifest: Manifest) -> dict[str, tuple[Item, ...]]:
    """Return the values that a build knows, by the ids of their fields.

    Args:
        manifest: The portrait's manifest.
    """
    sources = source_records(manifest)
    waiting = [source.name for source in sources if not source.is_on_hub]
    return {
        "portrait": (Item(f"Id {manifest.id}, built by {printable(manifest.tool)}"),),
        "model-names": tuple(Item(printable(model)) for model in manifest.trained_models),
        "modality-text": (Item("Yes. A portrait records text only."),),
        **_size(sources),
        "revision-dates": _dates(sources),
        **_public(sources),
        "unassigned": (Item(", ".join(waiting) if waiting else "None"),),
    }


def unassigned(manifest: Manifest) -> dict[str, tuple[Item, ...]]:
    """Return the sources that a person must assign to a section: what is known of each, by a stable id.

    Args:
        manifest: The portrait's manifest.
    """
    return {
        _source_id(source.name): (
            Item(f"{source.name}: {_counts(source)}"),
            *(Item(origin.name, origin.url, _details(origin)) for origin in source.origins),
        )
        for source in source_records(manifest)
        if not source.is_on_hub
    }


def size_band(n_bytes: int) -> str | None:
    """Return the band of size that a text is in; ``None`` if the estimate is too close to another band.

    Args:
        n_bytes: The text's length in bytes of UTF-8.
    """
    n_tokens = n_bytes / BYTES_PER_TOKEN
    if any(start / _UNCERTAINTY < n_tokens < start * _UNCERTAINTY for start, _ in _BANDS):
        return None
    return [name for start, name in _BANDS if n_tokens >= start][-1]


def _size(sources: tuple[SourceRecord, ...]) -> dict[str, tuple[Item, ...]]:
    n_bytes, n_documents = _total(s.text_bytes for s in sources), _total(s.documents for s in sources)
    if n_bytes is None:
        return {"text-measured": (Item("Unknown: other software built a filter, and stated no size."),)}
    n_tokens = count(int(float(f"{n_bytes / BYTES_PER_TOKEN:.2g}")))
    documents = "" if n_documents is None else f" in {counted(n_documents, 'document')}"
    measured = f"{counted(n_bytes, 'byte')} of UTF-8{documents}: about {n_tokens} tokens, at 4 bytes a token"
    band = size_band(n_bytes)
    if band is None:
        return {"text-measured": (Item(f"{measured}. Near a boundary: count the tokens to name the size."),)}
    return {"text-measured": (Item(measured),), "text-size": (Item(band),)}


def _dates(sources: tuple[SourceRecord, ...]) -> tuple[Item, ...]:
    origins = [origin for source in sources for origin in source.origins]
    dates = sorted(origin.date for origin in origins if origin.date is not None)
    undated = len(origins) - len(dates)
    if not dates:
        return (Item("None are known."),)
    rest = f"; {counted(undated, 'location')} without a date" if undated else ""
    return (Item(f"{dates[0]} to {dates[-1]}{rest}"),)


def _public(sources: tuple[SourceRecord, ...]) -> dict[str, tuple[Item, ...]]:
    """Return what is known of the datasets on a hub, the large ones apart."""
    total = _total(source.text_bytes for source in sources if source.is_on_hub)
    large: list[Item] = []
    other: list[Item] = []
    for source in sources:
        share = source.text_bytes / total if source.is_on_hub and source.text_bytes and total else None
        # The size of one of several datasets is not known, nor is that of a part of a source.
        is_large = share is None or share > _LARGE
        for origin in source.origins:
            if origin.kind == "hub":
                (large if is_large else other).append(_dataset(source, origin, share))
    if not large and not other:
        return {}
    return {
        "public-used": (Item("Yes, if the datasets named here are public."),),
        "public-modalities": (Item("Text"),),
        "public-large": tuple(large) or (Item("None"),),
        "public-other": tuple(other) or (Item("None"),),
    }


def _dataset(source: SourceRecord, origin: Origin, share: float | None) -> Item:
    of_all = "" if share is None else f", {percent(share)} of the public text"
    part = "" if source.is_on_hub else ", with other data"
    details = f"{_details(origin)}; source {source.name}{part}: {_counts(source)}{of_all}"
    return Item(origin.name, origin.url, details)


def _details(origin: Origin) -> str:
    """Return what identifies the content of a location, with commas before each part."""
    date = f" of {origin.date}" if origin.date else ""
    commit = f"commit {origin.commit}{date}" if origin.commit else ""
    local = "local data" if origin.kind == "local" else ""
    return "".join(f", {part}" for part in (local, origin.selection, commit) if part)


def _counts(source: SourceRecord) -> str:
    documents = (
        "an unknown number of documents"
        if source.documents is None
        else counted(source.documents, "document")
    )
    size = "of unknown size" if source.text_bytes is None else counted(source.text_bytes, "byte")
    return f"{documents}, {size} of text" if source.text_bytes is not None else f"{documents} {size}"


def _total(numbers: Iterable[int | None]) -> int | None:
    """Return a sum; ``None`` if a number is unknown."""
    known = list(numbers)
    return None if None in known else sum(n for n in known if n is not None)


def _source_id(name: str) -> str:
    """Return an id that is a source's own, whatever its name."""
    slug = re.sub("[^a-z0-9]+", "-", name.lower())[:40].strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return "-".join(filter(None, ("source", slug, digest)))
