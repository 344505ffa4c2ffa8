"""Trees of files: one of several formats, the files that sources have in it, and what a directory holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.corpus.shards import Source

PATHS = (
    "one.txt",
    "web/a.jsonl",
    "web/b.jsonl.gz",
    "web/deep/c.parquet",
    "web/deep/d.txt",
    "web/e.ndjson",
    "web/f.jsonl.zst",
    "web/notes.md",
    "web/config.json",
    "web/.hidden.txt",
    "web/.cache/g.txt",
)
#: What every file holds, whatever its format.
CONTENT = b"content"


def write_tree(directory: Path) -> None:
    """Write all files of the tree in ``directory``."""
    for name in PATHS:
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(CONTENT)


def snapshot(path: Path) -> dict[str, bytes | str | None]:
    """Return the entries below a directory: a file's content, a link's target, ``None`` for a directory."""
    entries: dict[str, bytes | str | None] = {}
    for entry in sorted(path.rglob("*")):
        name = str(entry.relative_to(path))
        if entry.is_symlink():
            entries[name] = str(entry.readlink())
        else:
            entries[name] = entry.read_bytes() if entry.is_file() else None
    return entries


def paths_of(source: Source) -> list[str]:
    """Return the paths of a source's files, in the order in which they are read."""
    return [file.path for file in source.files]


def paths_by_source(sources: Any) -> dict[str, list[str]]:
    """Return the paths that each source has, by its name."""
    return {source.name: paths_of(source) for source in resolve(sources)}
