"""A card's front matter: the YAML in front of its text, by which hubs find and label it.

What people change or add there stays: each key is written again only as long as it has the value that was
generated for it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portrait.bundle.manifest import Manifest

LIBRARY = "data-portrait"

#: The identifiers of https://huggingface.co/docs/hub/repositories-licenses.
_HUB_LICENSES = """
afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m
bigscience-bloom-rail-1.0 bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear
bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0
cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0
cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2
gemma gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3 llama3.1 llama3.2
llama3.3 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openrail openrail++ osl-3.0 other pddl
postgresql unknown unlicense wtfpl zlib
"""
_MAX_LICENSE_CHARS = 96

#: The front matter as huggingface_hub recognises it: from a file's first line to the next ``---``.
_BLOCK = re.compile(r"\A(\s*---[ \t]*\r?\n)(.*?\r?\n)(---[ \t]*(?:\r?\n|\Z))", re.DOTALL)
#: A line that begins a key of the outermost mapping.
_KEY = re.compile(r"""(["']?)([A-Za-z_][\w-]*)\1[ \t]*:(?:\s|\Z)""")
#: A repository's name on the hub, with or without its owner.
_REPOSITORY = re.compile(r"(?:\w(?:[\w.-]{0,94}\w)?/)?\w(?:[\w.-]{0,94}\w)?", re.ASCII)
_DATASET = re.compile(
    r"(?:hf://|https://huggingface\.co/)datasets/(?:([\w.-]+/[\w.-]+)(?:[@/?].*)?|([\w.-]+)(?:[@?].*)?)",
    re.ASCII | re.DOTALL,
)


def front_matter(manifest: Manifest) -> str:
    """Return the front matter of a new card."""
    return f"---\n{''.join(_chunks(manifest).values())}---\n"


def updated(text: str, manifest: Manifest, old: Manifest | None) -> str:
    """Return the beginning of a card with the front matter for another manifest.

    Args:
        text: The card as it is, up to the part that is generated. Without front matter, it stays as it is.
        manifest: The new manifest.
        old: The manifest that the card was written for. A key stays as it is where its value is not the one
            that was generated for this manifest.
    """
    match = _BLOCK.match(text)
    if match is None:
        return text
    newline = "\r\n" if match[1].endswith("\r\n") else "\n"
    before = {} if old is None else _chunks(old)
    after = _chunks(manifest)
    parts = list(_split(match[2]))
    keys = [key for key, _ in parts]
    # Keys that people changed, removed or gave twice are theirs.
    theirs = {key for key in keys if keys.count(key) > 1} | (before.keys() - set(keys))
    theirs |= {
        key for key, part in parts if key in after and part.splitlines() != before.get(key, "").splitlines()
    }
    if "license" in theirs:
        theirs.add("license_name")
    written = []
    for key, part in parts:
        ours = key in before and key not in theirs
        written.append(_with(after.pop(key, ""), newline) if ours else part)
    written += [_with(part, newline) for key, part in after.items() if key not in theirs and key not in keys]
    return match[1] + "".join(written) + match[3] + text[match.end() :]


def _with(text: str, newline: str) -> str:
    return text.replace("\n", newline)


def _split(block: str) -> Iterator[tuple[str, str]]:
    """Yield the keys of the outermost mapping, each with its lines; the key is empty for comments between."""
    key, lines, between = "", "", ""
    for line in block.splitlines(keepends=True):
        if match := _KEY.match(line):
            yield key, lines
            if between:
                yield "", between
            key, lines, between = match[2], line, ""
        elif not line.strip() or line.startswith("#"):
            between += line
        else:
            lines += between + line
            between = ""
    yield key, lines
    yield "", between


def _chunks(manifest: Manifest) -> dict[str, str]:
    """Return the lines of each key, in their order."""
    fields: dict[str, str | list[str]] = {
        **_license(manifest.license),
        "library_name": LIBRARY,
        "tags": [LIBRARY],
        "datasets": _datasets(manifest.corpus),
        "base_model": [name for name in dict.fromkeys(manifest.trained_models) if _is_owned(name)],
    }
    return {key: _lines(key, value) for key, value in fields.items() if value}


def _lines(key: str, value: str | list[str]) -> str:
    # What JSON quotes is a scalar of YAML, too, and the values are ASCII.
    if isinstance(value, str):
        return f"{key}: {json.dumps(value)}\n"
    return f"{key}:\n" + "".join(f"- {json.dumps(item)}\n" for item in value)


def _license(stated: str | None) -> dict[str, str]:
    """Return the fields that state a licence; one that the hub does not know is ``other``, with a name."""
    if not stated:
        return {}
    identifier = stated.strip().lower()
    if identifier in _HUB_LICENSES.split():
        return {"license": identifier}
    name = re.sub(r"[^a-z0-9.]+", "-", identifier)[:_MAX_LICENSE_CHARS].strip("-.")
    return {"license": "other", "license_name": name or "custom"}


def _datasets(corpus: Mapping[str, Any]) -> list[str]:
    """Return the names of the hub's datasets among the sources."""
    names = set()
    for record in corpus.values():
        locations = record.get("location") if isinstance(record, dict) else None
        for location in locations if isinstance(locations, list) else []:
            match = _DATASET.fullmatch(location) if isinstance(location, str) else None
            if match and _is_repository(name := match[1] or match[2]):
                names.add(name)
    return sorted(names)


def _is_owned(name: str) -> bool:
    """Return whether a model's name is that of a repository with its owner's name in front."""
    return "/" in name and _is_repository(name)


def _is_repository(name: str) -> bool:
    forbidden = "--" in name or ".." in name or name.endswith(".git")
    return not forbidden and _REPOSITORY.fullmatch(name) is not None
