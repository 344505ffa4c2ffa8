"""What a manifest says of the corpus: where each source's text is from, file by file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portrait.corpus.shards import Source


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was left out of a file: how many rows, why the first of them, and why the rest of the file."""

    rows: int = 0
    first: str | None = None
    unreadable: str | None = None


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
    skipped: dict[str, Skipped]


def corpus_records(
    sources: Sequence[Source], read: Iterable[ShardRead], source_column: str | None
) -> dict[str, Any]:
    """The manifest's ``corpus``: a record for each source of the rows.

    Without ``source_column`` these are the sources that were named; with it, a source's files are those
    that hold some of its rows, and ``column`` is said to name it.
    """
    digests: dict[str, str] = {}
    skipped: dict[str, dict[str, Any]] = {}
    located: dict[str, set[str]] = {}
    holding: dict[str, dict[str, set[str]]] = {}
    for shard in read:
        digests.update(shard.digests)
        for label, what in shard.skipped.items():
            said = {key: value for key, value in asdict(what).items() if value not in (None, 0)}
            _count(skipped.setdefault(label, {}), said)
            located.setdefault(shard.location, set()).add(label)
        for name in shard.sources:
            holding.setdefault(name, {}).setdefault(shard.location, set()).update(shard.paths)

    def annotated(name: str) -> dict[str, Any]:
        """A named source's record, with what was left out of its files, or of what is no file."""
        record = by_name[name].record()
        files = []
        for file in record["files"]:
            path = file["path"]
            digest = {"xxh3_128": digests[path]} if path in digests else {}
            files.append({**file, **digest, **skipped.get(path, {})})
        elsewhere: dict[str, Any] = {}
        for label in sorted(located.get(name, set()) - {file["path"] for file in files}):
            _count(elsewhere, {_SAID[key]: value for key, value in skipped[label].items()})
        return {**record, "files": files, **elsewhere}

    by_name = {source.name: source for source in sources}
    if source_column is None:
        return {name: annotated(name) for name in by_name}
    return {
        name: {**_united([annotated(one) for one in sorted(found)], set().union(*found.values()))}
        | {"column": source_column}
        for name, found in holding.items()
    }


#: What records call what a reader says of rows and files left out, and the other way round.
_CALLED = {"rows": "skipped_rows", "first": "first_skipped", "unreadable": "unreadable"}
_SAID = {called: said for said, called in _CALLED.items()}


def _count(known: dict[str, Any], what: dict[str, Any]) -> None:
    """Add what was left out of a shard to what is known of others of the same file."""
    for said, called in _CALLED.items():
        if said == "rows" and said in what:
            known[called] = known.get(called, 0) + what[said]
        elif said in what:
            known.setdefault(called, what[said])


def _united(records: list[dict[str, Any]], paths: set[str]) -> dict[str, Any]:
    """The record of those of several sources' files that hold some rows."""
    files = [file for record in records for file in record["files"] if file["path"] in paths]
    return {
        **records[0],
        "location": sorted(location for record in records for location in record["location"]),
        "files": sorted(files, key=lambda file: file["path"]),
    }


def skipped_rows(corpus: dict[str, Any]) -> tuple[int, int]:
    """How many rows a corpus's records say were left out, and of how many files the rest."""
    files = {
        file["path"]: file for record in corpus.values() for file in record.get("files", []) if "path" in file
    }
    found = [*files.values(), *corpus.values()]
    rows = sum(int(one.get("skipped_rows", 0)) for one in found)
    return rows, sum("unreadable" in one for one in found)
