"""What the manifest records about the corpus: each source's locations, files and skipped rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import xxhash

from portrait.strict_json import count_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portrait.corpus.shards import FileRecord, Source


#: A manifest lists files up to this number, which takes some 20 MB; of more, it only records the sum.
MAX_LISTED_FILES = 100_000
#: Names can be long or full of commas: all records together have no more bytes and values than these, half of
#: what readers of manifests take. The rest is left for the layers.
_MAX_LISTED_BYTES = 32 << 20
_MAX_LISTED_VALUES = 1_250_000


@dataclass(frozen=True, slots=True)
class Skipped:
    """What a build left out of a file, or of a shard that is not a file.

    Args:
        rows: The number of rows left out.
        first: Why the first of them was left out.
        unreadable: Why the rest of the file could not be read, if so.
    """

    rows: int = 0
    first: str | None = None
    unreadable: str | None = None

    def plus(self, other: Self) -> Self:
        """Return what was left out in all; the earliest reasons stay."""
        return replace(
            self,
            rows=self.rows + other.rows,
            first=other.first if self.first is None else self.first,
            unreadable=other.unreadable if self.unreadable is None else self.unreadable,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of the manifest's record, only those that say something."""
        facts = {
            "skipped_rows": self.rows or None,
            "first_skipped": self.first,
            "unreadable": self.unreadable,
        }
        return {name: value for name, value in facts.items() if value is not None}


@dataclass(frozen=True, slots=True)
class ShardRead:
    """The outcome of reading one shard.

    Args:
        location: The name of the source that the shard was found in.
        paths: All files that the shard reads; the parts of one file share it.
        sources: The sources that the shard's rows belong to.
        digests: The digest of each file that was read to its end, by path.
        skipped: What was left out, by the label of the file or of the shard.
    """

    location: str
    paths: Sequence[str]
    sources: Iterable[str]
    digests: Mapping[str, str]
    skipped: Mapping[str, Skipped]


@dataclass(frozen=True, slots=True)
class _RecordedFile:
    """A file with its digest and what was skipped in it."""

    file: FileRecord
    digest: str | None
    skipped: Skipped

    def to_dict(self) -> dict[str, Any]:
        digest = {} if self.digest is None else {"xxh3_128": self.digest}
        return {**self.file.to_dict(), **digest, **self.skipped.to_dict()}


@dataclass(frozen=True, slots=True)
class _RecordedSource:
    """A source of the manifest; ``skipped`` is what was left out of shards that are not files."""

    locations: Sequence[str]
    revisions: Mapping[str, dict[str, Any]]
    files: Sequence[_RecordedFile]
    skipped: Skipped

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's record, whatever order the locations were given in."""
        return {
            "location": sorted(self.locations),
            "revision": dict(self.revisions) or None,
            "files": [file.to_dict() for file in self.files],
            **self.skipped.to_dict(),
        }


def _are_few(files: Sequence[dict[str, Any]]) -> bool:
    """Return whether a manifest has room for the records of these files."""
    if len(files) > MAX_LISTED_FILES:
        return False
    # Escapes and indentation are those of a manifest, give or take a few bytes a line.
    text = json.dumps(files, indent=8, ensure_ascii=False).encode(errors="backslashreplace")
    return len(text) <= _MAX_LISTED_BYTES and count_values(text) <= _MAX_LISTED_VALUES


def _unlisted(files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is recorded of files that are too many to be listed."""
    digest = xxhash.xxh3_128()
    for file in sorted(files, key=lambda file: str(file["path"])):
        digest.update(json.dumps(file, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return {
        "files": len(files),
        "bytes": sum(file.get("bytes") or 0 for file in files),
        "xxh3_128": digest.hexdigest(),
        "skipped_rows": sum(file.get("skipped_rows", 0) for file in files),
        "unreadable": sum("unreadable" in file for file in files),
    }


class _Findings:
    """What reading all shards found out about their files and sources."""

    def __init__(self, read: Iterable[ShardRead]) -> None:
        self.digests: dict[str, str] = {}
        self.skipped: dict[str, Skipped] = {}
        #: For each source of rows, the files that hold some of them, by the source they were found in.
        self.holders: dict[str, dict[str, set[str]]] = {}
        self._labels: dict[str, set[str]] = {}
        for shard in read:
            self._add(shard)

    def _add(self, shard: ShardRead) -> None:
        self.digests.update(shard.digests)
        for label, skipped in shard.skipped.items():
            self.skipped[label] = self.skipped.get(label, Skipped()).plus(skipped)
            self._labels.setdefault(shard.location, set()).add(label)
        for name in shard.sources:
            self.holders.setdefault(name, {}).setdefault(shard.location, set()).update(shard.paths)

    def record(self, source: Source) -> _RecordedSource:
        """Return the record of a source, with what was found out about its files."""
        files = [
            _RecordedFile(file, self.digests.get(file.path), self.skipped.get(file.path, Skipped()))
            for file in source.files
        ]
        elsewhere = Skipped()
        for label in sorted(self._labels.get(source.name, set()) - {file.path for file in source.files}):
            elsewhere = elsewhere.plus(self.skipped[label])
        return _RecordedSource(source.locations, source.revisions, files, elsewhere)


def corpus_records(
    sources: Sequence[Source], read: Iterable[ShardRead], source_column: str | None
) -> dict[str, Any]:
    """Return the ``corpus`` of a manifest: one record for each source of the rows.

    Args:
        sources: The sources that were named.
        read: The outcome of reading each of their shards.
        source_column: The column that names each row's source, if any. Its sources replace the named ones,
            and each lists the files that hold some of its rows.
    """
    findings = _Findings(read)
    records = {source.name: findings.record(source) for source in sources}
    column = {} if source_column is None else {"column": source_column}
    if source_column is not None:
        records = {
            name: _union([records[holder] for holder in sorted(holders)], set().union(*holders.values()))
            for name, holders in findings.holders.items()
        }
    return within_limits({name: {**record.to_dict(), **column} for name, record in records.items()})


def within_limits(corpus: dict[str, Any]) -> dict[str, Any]:
    """Return the ``corpus`` of a manifest, its files only summed up if they are too many to be listed.

    Args:
        corpus: The records, which may come from manifests of others; what is no list of files stays as it is.
    """
    listings = {name: files for name, record in corpus.items() if (files := _listing(record)) is not None}
    if _are_few([file for files in listings.values() for file in files]):
        return corpus
    return {
        name: {**record, "files": [], "unlisted": _unlisted(listings[name])} if name in listings else record
        for name, record in corpus.items()
    }


def _listing(record: Any) -> list[dict[str, Any]] | None:
    """Return the files that a record lists; ``None`` if it is not one that lists its files."""
    if not isinstance(record, dict) or "unlisted" in record or not isinstance(record.get("files"), list):
        return None
    files: list[dict[str, Any]] = record["files"]
    return files if all(isinstance(file, dict) and _is_record(file) for file in files) else None


def _is_record(file: dict[str, Any]) -> bool:
    counts = (file.get("bytes") or 0, file.get("skipped_rows", 0))
    return isinstance(file.get("path"), str) and all(type(n) is int for n in counts)


def _union(records: Sequence[_RecordedSource], paths: set[str]) -> _RecordedSource:
    """Return one record of several sources, with only those of their files that are in ``paths``."""
    files = [file for record in records for file in record.files if file.file.path in paths]
    return replace(
        records[0],
        locations=[location for record in records for location in record.locations],
        revisions={location: one for record in records for location, one in record.revisions.items()},
        files=sorted(files, key=lambda file: file.file.path),
    )


def skipped_rows(corpus: dict[str, Any]) -> tuple[int, int]:
    """Return the number of rows that a manifest's ``corpus`` says were skipped, and of unreadable files."""
    files = {
        file["path"]: file for record in corpus.values() for file in record.get("files", []) if "path" in file
    }
    records = [*files.values(), *corpus.values()]
    unlisted = [record["unlisted"] for record in corpus.values() if "unlisted" in record]
    rows = sum(int(record.get("skipped_rows", 0)) for record in [*records, *unlisted])
    n_files = sum("unreadable" in record for record in records)
    return rows, n_files + sum(int(record["unreadable"]) for record in unlisted)
