"""What a manifest says of the corpus: where each source's text is from, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portrait.corpus import Source


@dataclass(frozen=True, slots=True)
class ShardRead:
    """What came of reading a shard of the source called ``location``.

    ``paths`` are all files that it reads, the same ones as other shards where these are parts of one
    file; ``sources`` those that its rows belong to; ``digests`` and ``skipped`` are by path.
    """

    location: str
    paths: Sequence[str]
    sources: Iterable[str]
    digests: dict[str, str]
    skipped: dict[str, dict[str, Any]]


def corpus_records(
    sources: Sequence[Source], read: Iterable[ShardRead], source_column: str | None
) -> dict[str, Any]:
    """The manifest's ``corpus``: a record for each source of the rows.

    Without ``source_column`` these are the sources that were named; with it, a source's files are those
    that hold some of its rows, and ``column`` is said to name it.
    """
    digests: dict[str, str] = {}
    skipped: dict[str, dict[str, Any]] = {}
    holding: dict[str, dict[str, set[str]]] = {}
    for shard in read:
        digests.update(shard.digests)
        for path, what in shard.skipped.items():
            known = skipped.setdefault(path, {})
            if "rows" in what:
                known["skipped_rows"] = known.get("skipped_rows", 0) + what["rows"]
            for name, reason in (("unreadable", "unreadable"), ("first_skipped", "first")):
                if reason in what:
                    known.setdefault(name, what[reason])
        for name in shard.sources:
            holding.setdefault(name, {}).setdefault(shard.location, set()).update(shard.paths)

    def annotated(record: dict[str, Any], paths: set[str] | None) -> dict[str, Any]:
        files = [
            {
                **file,
                **({"xxh3_128": digests[file["path"]]} if file["path"] in digests else {}),
                **skipped.get(file["path"], {}),
            }
            for file in record["files"]
            if paths is None or file["path"] in paths
        ]
        return {**record, "files": files}

    records = {source.name: source.record() for source in sources}
    if source_column is None:
        return {name: annotated(record, None) for name, record in records.items()}
    return {
        name: {
            **annotated(_united(records, by_location), set().union(*by_location.values())),
            "column": source_column,
        }
        for name, by_location in holding.items()
    }


def _united(records: dict[str, dict[str, Any]], names: Iterable[str]) -> dict[str, Any]:
    """The record of several sources as of one; there is one unless columns name the sources."""
    chosen = [records[name] for name in sorted(names)]
    files = [file for record in chosen for file in record["files"]]
    return {
        **chosen[0],
        "location": sorted(location for record in chosen for location in record["location"]),
        "files": sorted(files, key=lambda file: file["path"]),
    }


def skipped_rows(corpus: dict[str, Any]) -> tuple[int, int]:
    """How many rows a corpus's records say were left out, and of how many files the rest."""
    files = {
        file["path"]: file for record in corpus.values() for file in record.get("files", []) if "path" in file
    }
    rows = sum(int(file.get("skipped_rows", 0)) for file in files.values())
    return rows, sum("unreadable" in file for file in files.values())
