"""The description of a portrait as a dataset, in Croissant 1.1.

Source: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from portrait import strict_json
from portrait.bundle.manifest import FORMAT_VERSION, SketchRecord
from portrait.bundle.reader import MANIFEST_NAME
from portrait.bundle.readme.front_matter import LIBRARY
from portrait.bundle.sources import Origin, SourceRecord, source_records, web_page
from portrait.cards.licenses import license_url
from portrait.errors import printable
from portrait.evidence import FORGEABLE
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest, ShardRecord

CROISSANT_NAME = "croissant.json"

_CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
#: Terms of Croissant that stand in its context without a prefix.
_TERMS = """
annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileObject
fileProperty fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path readLines
recordSet references regex repeated replace samplingRate sdVersion separator source subField transform
unArchive value
"""
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
#: Formats without a registered media type are named by the pages that define them.
_FORMATS = {
    ".safetensors": "https://github.com/huggingface/safetensors",
    ".pybloom": "https://pypi.org/project/pybloom-live/",
}
_BINARY = "application/octet-stream"


def croissant(
    manifest: Manifest, name: str, *, address: str | None = None, manifest_text: bytes | None = None
) -> bytes:
    """Return the text of ``croissant.json``; the same arguments give the same bytes.

    Args:
        manifest: The portrait's manifest.
        name: The portrait's name.
        address: Where the portrait is published: a URL, or an address such as ``hf://org/name``.
        manifest_text: The content of the manifest's file, whose size and digest are described; the text that
            the manifest would be written with, if not given.

    Raises:
        OutputError: No ``manifest_text`` is given, and the manifest is too large to be written.
    """
    text = manifest.to_json() if manifest_text is None else manifest_text
    sources = source_records(manifest)
    page = web_page(address) if address else None
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": printable(name),
        "description": _description(sources),
        "identifier": f"sha256:{manifest.id}",
        "version": f"{FORMAT_VERSION}.0.0+{manifest.id[:12]}",
        "keywords": [LIBRARY, "data portrait", "training data", "membership", "data provenance"],
        "citeAs": _citation(manifest, name, page),
        **({"license": license_url(printable(manifest.license))} if manifest.license else {}),
        **({"url": page} if page else {}),
        "distribution": [_manifest_file(text), *_shard_files(manifest)],
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": "Building a data portrait",
            "prov:wasAssociatedWith": {
                "@type": "prov:SoftwareAgent",
                "prov:label": printable(manifest.tool),
            },
        },
        **_derivation(sources),
        **_responsible_ai(manifest),
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def is_croissant(content: bytes) -> bool:
    """Return whether a file's content is a description that :func:`croissant` wrote."""
    try:
        described = strict_json.loads(content)
    except JsonError:
        return False
    return (
        isinstance(described, dict)
        and described.get("conformsTo") == _CONFORMS_TO
        and isinstance(keywords := described.get("keywords"), list)
        and LIBRARY in keywords
        and isinstance(identifier := described.get("identifier"), str)
        and re.fullmatch("sha256:[0-9a-f]{64}", identifier) is not None
    )


def _description(sources: tuple[SourceRecord, ...]) -> str:
    names = ", ".join(source.name for source in sources)
    return (
        "A data portrait: a filter for each source of a text corpus that records which passages the source "
        f"contains, without containing them. Sources: {names}."
    )


def _citation(manifest: Manifest, name: str, page: str | None) -> str:
    """Return a BibTeX entry of what is known: neither an author nor a year is."""
    title = re.sub(r"[\\{}]", "", printable(name))
    where = f"  howpublished = {{\\url{{{page}}}}},\n" if page else ""
    return (
        f"@misc{{portrait-{manifest.id[:12]},\n  title = {{{title}}},\n{where}"
        f"  note = {{Data portrait {manifest.id}}}\n}}"
    )


def _manifest_file(text: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(text).hexdigest()
    return _file_object(MANIFEST_NAME, len(text), digest, ["application/json"], "The manifest.")


def _shard_files(manifest: Manifest) -> list[dict[str, Any]]:
    return [_layer_file(record, layer.source) for layer in manifest.layers for record in layer.files]


def _layer_file(record: ShardRecord | SketchRecord, source: str) -> dict[str, Any]:
    suffix = f".{record.file.rpartition('.')[2]}"
    formats = [_BINARY, _FORMATS[suffix]] if suffix in _FORMATS else [_BINARY]
    what = "A sketch of the keys" if isinstance(record, SketchRecord) else "A filter"
    return _file_object(record.file, record.bytes, record.sha256, formats, f"{what} of the source {source}.")


def _file_object(file: str, n_bytes: int, sha256: str, formats: list[str], what: str) -> dict[str, Any]:
    # Everything but letters, digits and -._~ is escaped: a colon would make a scheme of what precedes it.
    reference = quote(file, safe="")
    return {
        "@type": "cr:FileObject",
        "@id": reference,
        "name": file,
        "description": what,
        "contentUrl": reference,
        "contentSize": f"{n_bytes} B",
        "encodingFormat": formats[0] if len(formats) == 1 else formats,
        "sha256": sha256,
    }


def _derivation(sources: tuple[SourceRecord, ...]) -> dict[str, Any]:
    """Return what the portrait was derived from: each revision once, with a label for each use."""
    entities: dict[str, dict[str, Any]] = {}
    for source in sources:
        for number, origin in enumerate(source.origins, 1):
            entity = _entity(source, number, origin)
            entities.setdefault(entity["@id"], entity)["prov:label"].append(_label(source, origin))
    return {"prov:wasDerivedFrom": list(entities.values())} if entities else {}


def _entity(source: SourceRecord, number: int, origin: Origin) -> dict[str, Any]:
    date = {} if origin.date is None else {"prov:generatedAtTime": origin.date}
    reference = origin.url or f"#source-{quote(source.name, safe='')}-{number}"
    return {"@type": "prov:Entity", "@id": reference, "prov:label": [], **date}


def _label(source: SourceRecord, origin: Origin) -> str:
    about = f" ({origin.selection})" if origin.selection else ""
    what = "local data: " if origin.kind == "local" else ""
    return f"{source.name}: {what}{origin.name}{about}"


def _responsible_ai(manifest: Manifest) -> dict[str, Any]:
    spec = manifest.windows
    protocol = (
        f"The text was normalised by the rule {spec.normalizer}, and cut into windows of {spec.cut}. "
        "Only hashes of windows, in filters, are stored."
    )
    guarantee = (
        f"Every verbatim passage of {spec.length(spec.guaranteed_length, 'or more')} in one document "
        "hits. Shorter passages, paraphrases and translations may not."
    )
    chance = "A hit can be chance: filters have false positives, at the rates that the manifest states."
    use = "Asking whether a text was in the corpus, in which of its sources, and whether that can be chance."
    return {
        "rai:dataPreprocessingProtocol": protocol,
        "rai:dataUseCases": use,
        "rai:dataLimitations": [guarantee, chance, FORGEABLE],
    }
