"""A portrait's sources, as its manifest records them: datasets on a hub, files at URLs, and the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

from portrait.errors import printable

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

#: The site of the hub whose addresses begin with ``hf://``.
_HUB = "https://huggingface.co"
_ADDRESS = re.compile(
    r"hf://(?P<kind>(?:datasets|spaces)/)?(?P<name>[^/@?#]+(?:/[^/@?#]+)?)"
    r"(?:@(?P<revision>refs/[^/?#]+/[^/?#]+|[^/?#]+))?(?P<path>/[^?#]*)?(?:\?[^#]*)?"
)

OriginKind = Literal["hub", "url", "local"]


@dataclass(frozen=True, slots=True)
class Origin:
    """One location of a source.

    Args:
        kind: A dataset or files on a hub, a URL, or anything that others cannot look up.
        name: The dataset, the URL, or the last part of a local path.
        url: The page of the dataset's revision, or the URL; ``None`` of anything local.
        commit: The commit of a dataset on a hub, if recorded.
        date: When the hub says that the commit was made, in UTC.
        selection: The configuration and split of a dataset, for people.
    """

    kind: OriginKind
    name: str
    url: str | None = None
    commit: str | None = None
    date: str | None = None
    selection: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source with its counts, which are ``None`` where they are unknown."""

    name: str
    origins: tuple[Origin, ...]
    documents: int | None
    text_bytes: int | None

    @property
    def is_on_hub(self) -> bool:
        """Whether everything in the source comes from a hub."""
        return bool(self.origins) and all(origin.kind == "hub" for origin in self.origins)


def source_records(manifest: Manifest) -> tuple[SourceRecord, ...]:
    """Return the record of each layer's source, in the layers' order.

    Args:
        manifest: A manifest, of whose ``corpus`` nothing has been checked.
    """
    return tuple(
        SourceRecord(
            layer.source, _origins(manifest.corpus.get(layer.source)), layer.documents, layer.text_bytes
        )
        for layer in manifest.layers
    )


def web_page(address: str) -> str | None:
    """Return the URL at which people find what an address names; ``None`` if it is no address on the web.

    Args:
        address: A URL, or an address such as ``hf://org/name@revision/folder``.
    """
    if re.match(r"https?://", address):
        return _quoted(address, safe="/:?#[]@!$&'()*+,;=%~")
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    tree = ""
    # A pattern is in a directory; nobody finds a page of the pattern itself.
    path = re.split(r"/[^/]*[*?\[]", match["path"] or "", maxsplit=1)[0].rstrip("/")
    if match["revision"] or path:
        # A revision may be percent-encoded already: refs%2Fpr%2F1.
        tree = f"/tree/{_quoted(unquote(match['revision'] or 'main'), safe='')}{_quoted(path)}"
    return f"{_HUB}/{match['kind'] or ''}{_quoted(match['name'])}{tree}"


def _quoted(text: str, safe: str = "/") -> str:
    # A file's name that is not UTF-8 has lone surrogates.
    return quote(text, safe=safe, errors="backslashreplace")


def _origins(record: Any) -> tuple[Origin, ...]:
    if not isinstance(record, dict):
        return ()
    locations, revisions = record.get("location"), record.get("revision")
    known = revisions if isinstance(revisions, dict) else {}
    texts = [one for one in locations if isinstance(one, str)] if isinstance(locations, list) else []
    return tuple(_origin(location, known.get(location)) for location in dict.fromkeys(texts))


def _origin(location: str, revision: Any) -> Origin:
    facts = revision if isinstance(revision, dict) else {}
    dataset = _ADDRESS.fullmatch(location)
    if dataset is not None and dataset["kind"] == "datasets/":
        return _hub_origin(dataset, facts)
    if "://" in location and not location.startswith("file:"):
        return Origin("url", printable(location), web_page(location))
    return Origin("local", printable(PurePosixPath(location).name or location))


def _hub_origin(dataset: re.Match[str], facts: dict[str, Any]) -> Origin:
    commit = _text(facts, "commit")
    inside = dataset["path"] or ""
    revision = commit or dataset["revision"]
    at = f"@{revision}" if revision else ""
    parts = [inside.strip("/")]
    parts += [f"{key} {value}" for key in ("config", "split") if (value := _text(facts, key))]
    return Origin(
        "hub",
        printable(dataset["name"]),
        web_page(f"hf://datasets/{dataset['name']}{at}{inside}"),
        commit,
        _text(facts, "date"),
        printable(", ".join(filter(None, parts))),
    )


def _text(facts: dict[str, Any], key: str) -> str | None:
    value = facts.get(key)
    return printable(value) if isinstance(value, str) and value else None
