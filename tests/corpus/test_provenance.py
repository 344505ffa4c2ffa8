"""The corpus record of a manifest: each source's locations and files, digests, and skipped rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xxhash

from portrait.corpus.provenance import (
    MAX_LISTED_FILES,
    ShardRead,
    Skipped,
    corpus_records,
    skipped_rows,
    within_limits,
)
from portrait.corpus.resolve import resolve
from portrait.corpus.shards import FileRecord, Shard, Source


class ShardOfFiles:
    """A shard that has only files, of which each is as many bytes long as its path."""

    def __init__(self, *paths: str) -> None:
        self.files = [FileRecord(path, len(path)) for path in paths]


def source(name: str, *paths: str) -> Source:
    """Return a source of one shard with files at ``paths``."""
    shard: Any = ShardOfFiles(*paths)
    shards: list[Shard] = [shard]
    return Source(name, [f"{name}/*"], shards)


def paths(record: dict[str, Any]) -> list[str]:
    """Return the paths of a source's files in its record."""
    return [file["path"] for file in record["files"]]


def test_the_record_names_locations_files_and_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.txt").write_bytes(b"12345")
    (source,) = resolve("*.txt")
    assert corpus_records([source], [], None)["main"] == {
        "location": ["*.txt"],
        "revision": None,
        "files": [{"path": "one.txt", "bytes": 5}],
    }


def test_locations_and_files_are_sorted_and_revisions_are_recorded() -> None:
    main = source("main", "b", "a")
    main.locations += ["aa"]
    main.revisions["aa"] = {"commit": "c0ffee"}
    assert corpus_records([main], [], None) == {
        "main": {
            "location": ["aa", "main/*"],
            "revision": {"aa": {"commit": "c0ffee"}},
            "files": [{"path": "a", "bytes": 1}, {"path": "b", "bytes": 1}],
        }
    }


def test_digests_and_skipped_rows_are_recorded_with_their_files() -> None:
    read = [
        ShardRead("main", ["a"], ["main"], {"a": "11"}, {"a": Skipped(2, "a, line 3: bad")}),
        ShardRead("main", ["a"], ["main"], {}, {"a": Skipped(1, "a, line 9: bad", "a: truncated")}),
        ShardRead("main", ["b"], ["main"], {"b": "22"}, {}),
    ]
    record = corpus_records([source("main", "a", "b")], read, None)["main"]
    assert record["files"] == [
        {
            "path": "a",
            "bytes": 1,
            "xxh3_128": "11",
            "skipped_rows": 3,
            "first_skipped": "a, line 3: bad",
            "unreadable": "a: truncated",
        },
        {"path": "b", "bytes": 1, "xxh3_128": "22"},
    ]
    assert skipped_rows({"main": record}) == (3, 1)


def test_rows_skipped_outside_files_are_recorded_with_the_source() -> None:
    read = [
        ShardRead("main", [], ["main"], {}, {"standard input": Skipped(2, "standard input, line 1: bad")}),
        ShardRead("main", [], ["main"], {}, {"dataset": Skipped(1, "dataset, row 1: bad")}),
    ]
    record = corpus_records([source("main", "a")], read, None)["main"]
    assert record["files"] == [{"path": "a", "bytes": 1}]
    assert (record["skipped_rows"], record["first_skipped"]) == (3, "dataset, row 1: bad")
    assert "unreadable" not in record


def test_a_source_named_by_a_column_has_the_files_that_hold_its_rows() -> None:
    sources = [source("x", "b", "c"), source("y", "a")]
    for one in sources:
        one.revisions[f"{one.name}/*"] = {"commit": one.name}
    read = [
        ShardRead("x", ["b"], ["code"], {"b": "22"}, {}),
        ShardRead("x", ["c"], ["code", "web"], {}, {}),
        ShardRead("y", ["a"], ["code"], {}, {"a": Skipped(1, "a, line 1: bad")}),
    ]
    corpus = corpus_records(sources, read, "set")
    assert {name: paths(record) for name, record in corpus.items()} == {"code": ["a", "b", "c"], "web": ["c"]}
    assert corpus["code"]["location"] == ["x/*", "y/*"]
    assert corpus["code"]["revision"] == {"x/*": {"commit": "x"}, "y/*": {"commit": "y"}}
    assert (corpus["web"]["location"], corpus["web"]["revision"]) == (["x/*"], {"x/*": {"commit": "x"}})
    assert {record["column"] for record in corpus.values()} == {"set"}
    # A file in several sources is counted once.
    assert skipped_rows({**corpus, "again": corpus["code"]}) == (1, 0)


def test_a_record_leaves_out_what_is_empty_or_unknown() -> None:
    assert Skipped().to_dict() == {}
    assert Skipped(2, "first").to_dict() == {"skipped_rows": 2, "first_skipped": "first"}
    assert Skipped(unreadable="damaged").to_dict() == {"unreadable": "damaged"}
    assert FileRecord("a").to_dict() == {"path": "a"}
    assert json.loads(json.dumps(FileRecord("a", 0, '"mark"').to_dict())) == {
        "path": "a",
        "bytes": 0,
        "etag": '"mark"',
    }


def test_the_first_reasons_are_kept() -> None:
    both = Skipped(1, None, "early").plus(Skipped(2, "first", "late"))
    assert both == Skipped(3, "first", "early")
    assert both.plus(Skipped(1, "second")) == Skipped(4, "first", "early")


def test_very_many_files_are_summed_up_instead_of_listed() -> None:
    n_files = MAX_LISTED_FILES // 2 + 1
    sources = [source(name, *(f"{name}{i:06}" for i in range(n_files))) for name in ("x", "y")]
    read = [ShardRead("x", ["x000001"], ["x"], {}, {"x000001": Skipped(3, "a", "damaged")})]
    assert len(corpus_records(sources[:1], read, None)["x"]["files"]) == n_files
    corpus = corpus_records(sources, read, None)
    lines = [b'{"bytes":7,"path":"y%06d"}\n' % i for i in range(n_files)]
    assert corpus["y"]["files"] == []
    assert corpus["y"]["unlisted"] == {
        "files": n_files,
        "bytes": 7 * n_files,
        "xxh3_128": xxhash.xxh3_128_hexdigest(b"".join(lines)),
        "skipped_rows": 0,
        "unreadable": 0,
    }
    assert len(json.dumps(corpus)) < 1000
    assert skipped_rows(corpus) == (3, 1)


@pytest.mark.parametrize("name", ["long" * 1000, "," * 138], ids=["long names", "names of commas"])
def test_files_whose_records_a_manifest_has_no_room_for_are_summed_up(name: str) -> None:
    few, many = (source("x", *(f"{name}{i:06}" for i in range(n_files))) for n_files in (7_000, 9_000))
    assert len(corpus_records([few], [], None)["x"]["files"]) == 7_000
    record = corpus_records([many], [], None)["x"]
    assert (record["files"], record["unlisted"]["files"]) == ([], 9_000)


def test_records_of_several_manifests_are_summed_up_together() -> None:
    n_files = MAX_LISTED_FILES // 2 + 1
    x, y = (corpus_records([source(name, *(f"{i:06}" for i in range(n_files)))], [], None) for name in "xy")
    assert within_limits(x) is x
    both = within_limits({**x, **y})
    assert [both[name]["unlisted"]["files"] for name in "xy"] == [n_files, n_files]
    assert within_limits(both) == both


@pytest.mark.parametrize("record", [3, {}, {"files": 3}, {"files": [3]}, {"files": [{"path": 3}] * 100_001}])
def test_what_is_no_list_of_files_stays_as_it_is(record: Any) -> None:
    many = corpus_records([source("x", *(f"{i:06}" for i in range(MAX_LISTED_FILES + 1)))], [], None)
    assert within_limits({**many, "y": record}) == {**many, "y": record}
