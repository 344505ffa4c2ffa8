"""Sources by name: the forms in which they are given, their order, and files named twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.file_trees import CONTENT, paths_by_source, paths_of, write_tree
from support.refusals import message

from portrait.corpus.provenance import corpus_records
from portrait.corpus.resolve import parse_source, resolve
from portrait.corpus.shards import FORMATS
from portrait.errors import CorpusError, PortraitError, SpecError


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of :mod:`support.file_trees` in the working directory."""
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("one.txt", ("main", "one.txt")),
        ("books=one.txt", ("books", "one.txt")),
        ("books=web/*.jsonl", ("books", "web/*.jsonl")),
        ("books=a=b", ("books", "a=b")),
        ("my books=-", ("my books", "-")),
        ("-", ("main", "-")),
        ("=one.txt", ("main", "=one.txt")),
        ("web/date=2020/*.parquet", ("main", "web/date=2020/*.parquet")),
    ],
)
def test_an_argument_splits_into_a_name_and_a_location(argument: str, expected: tuple[str, str]) -> None:
    assert parse_source(argument) == expected


def test_a_file_whose_name_has_an_equals_sign_is_a_file(corpus: Path) -> None:
    (corpus / "a=b.txt").write_text("x")
    assert parse_source("a=b.txt") == ("main", "a=b.txt")


@pytest.mark.parametrize(
    "argument", ["books=", " =one.txt", "\t=one.txt", "a\nb=one.txt", f"{'x' * 101}=one.txt"]
)
def test_a_name_without_a_path_or_no_name_at_all_is_refused(argument: str) -> None:
    with pytest.raises(SpecError) as error:
        resolve(argument)
    assert "\n" not in str(error.value)


def test_a_name_of_a_hundred_characters_is_a_name() -> None:
    assert parse_source("é" * 100 + "=one.txt") == ("é" * 100, "one.txt")


@pytest.mark.parametrize("name", ["", " ", "a\x00b", "a\tb", "x" * 101])
def test_blank_and_unprintable_names_in_a_mapping_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match="source's name"):
        resolve({name: "one.txt"})


def test_a_name_without_locations_in_a_mapping_is_refused() -> None:
    with pytest.raises(PortraitError, match="web"):
        resolve({"main": "one.txt", "web": []})


@pytest.mark.parametrize("location", ["one.txt", Path("one.txt"), ["one.txt"], (Path("one.txt"),)])
def test_a_file_belongs_to_the_source_main(location: Any) -> None:
    assert paths_by_source(location) == {"main": ["one.txt"]}


@pytest.mark.parametrize(
    "sources",
    [
        ["books=one.txt", "web=web/a.jsonl", "web=web/deep"],
        ["web=web/deep", "web=web/a.jsonl", "books=one.txt"],
        {"books": "one.txt", "web": ["web/a.jsonl", Path("web/deep")]},
        {"web": ("web/deep", "web/a.jsonl"), "books": Path("one.txt")},
    ],
)
def test_sources_are_merged_by_name_and_sorted(sources: Any) -> None:
    paths = paths_by_source(sources)
    assert list(paths) == ["books", "web"]
    assert paths == {
        "books": ["one.txt"],
        "web": ["web/a.jsonl", "web/deep/c.parquet", "web/deep/d.txt"],
    }


def test_named_and_unnamed_sources_can_be_combined() -> None:
    assert paths_by_source(["one.txt", "web=web/deep/d.txt"]) == {
        "main": ["one.txt"],
        "web": ["web/deep/d.txt"],
    }


@pytest.mark.parametrize(
    "sources",
    [
        ["one.txt", "one.txt"],
        ["one.txt", "./one.txt"],
        ["*.txt", "one.txt"],
        ["one.txt", "web", "web/*.jsonl", "web/a.jsonl", "web/deep"],
        ["one.txt", "ABSOLUTE"],
        ["one.txt", "web/../one.txt"],
    ],
    ids=["same", "dot", "glob", "directory", "absolute", "parent"],
)
def test_a_file_reached_twice_is_read_once(sources: list[str], corpus: Path) -> None:
    (main,) = resolve([source.replace("ABSOLUTE", str(corpus / "one.txt")) for source in sources])
    real = [str(Path(file).resolve()) for file in paths_of(main)]
    assert len(real) == len(set(real))
    assert str(Path("one.txt").resolve()) in real


def test_a_file_may_belong_to_two_sources() -> None:
    assert paths_by_source(["a=one.txt", "b=one.txt"]) == {"a": ["one.txt"], "b": ["one.txt"]}


def test_the_order_of_locations_does_not_matter() -> None:
    locations = ["web/e.ndjson", "one.txt", "web/deep", "web/a.jsonl"]
    (one,), (other,) = resolve(locations), resolve(locations[::-1])
    assert corpus_records([one], [], None) == corpus_records([other], [], None)
    assert one.n_bytes == other.n_bytes == 5 * len(CONTENT)


def test_standard_input_is_a_source_of_unknown_size() -> None:
    (source,) = resolve("web=-")
    assert source.name == "web"
    assert source.n_bytes is None
    assert corpus_records([source], [], None)["web"] == {"location": ["-"], "revision": None, "files": []}


def test_an_explicit_format_overrides_the_suffix() -> None:
    kinds = {
        kind: [type(shard).__name__ for shard in resolve("one.txt", format=kind)[0].shards]  # type: ignore[arg-type]
        for kind in FORMATS
    }
    assert kinds == {
        "auto": ["PlainShard"],
        "txt": ["PlainShard"],
        "jsonl": ["JsonlShard"],
        "parquet": ["ParquetShard"],
        "arrow": ["ArrowShard"],
        "csv": ["DelimitedShard"],
        "tsv": ["DelimitedShard"],
    }


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ("missing.txt", "missing.txt: no such file or directory"),
        ("web=missing", "missing: no such file or directory"),
        ("missing/*.txt", r"missing/\*.txt: no file matches"),
        ("web/dee*", r"web/dee\*: no file matches"),
        ([], "no source given"),
        ({}, "no source given"),
        (7, "cannot read a source from int"),
        ([None], "cannot read a source from NoneType"),
        ("n" * 300, "n: "),
    ],
)
def test_a_location_without_files_is_named(sources: Any, message: str) -> None:
    with pytest.raises(CorpusError, match=message) as error:
        resolve(sources)
    assert "\n" not in str(error.value)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(SpecError, match="unknown format 'xml'"):
        resolve("one.txt", format="xml")  # type: ignore[arg-type]


@pytest.mark.parametrize("sources", [[], {}], ids=["list", "mapping"])
def test_no_source_at_all_is_refused(sources: Any, tmp_path: Path) -> None:
    assert "no source given" in message(sources, tmp_path)
