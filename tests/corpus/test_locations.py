"""The files that a location names, their formats, and errors about locations without files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.file_trees import paths_by_source, write_tree

from portrait.corpus.columns import Columns
from portrait.corpus.locations import find_files, is_url, open_shards, without_password
from portrait.corpus.resolve import resolve
from portrait.errors import CorpusError, PortraitError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of :mod:`support.file_trees` in the working directory."""
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path)
    return tmp_path


KNOWN_WEB_FILES = [
    "web/a.jsonl",
    "web/b.jsonl.gz",
    "web/deep/c.parquet",
    "web/deep/d.txt",
    "web/e.ndjson",
    "web/f.jsonl.zst",
]


def test_a_directory_is_walked_for_known_files_that_are_not_hidden() -> None:
    assert paths_by_source("web") == {"main": KNOWN_WEB_FILES}


def test_a_hidden_file_that_is_named_is_read() -> None:
    assert paths_by_source("web/.hidden.txt") == {"main": ["web/.hidden.txt"]}


def test_a_hidden_directory_that_is_named_is_walked() -> None:
    assert paths_by_source("web/.cache") == {"main": ["web/.cache/g.txt"]}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("web/*.jsonl*", ["web/a.jsonl", "web/b.jsonl.gz", "web/f.jsonl.zst"]),
        ("web/*.md", ["web/notes.md"]),
        ("web/*.json", ["web/config.json"]),
        ("web/[ae].*", ["web/a.jsonl", "web/e.ndjson"]),
        ("**/*.txt", ["one.txt", "web/deep/d.txt"]),
        ("web/deep/?.txt", ["web/deep/d.txt"]),
    ],
)
def test_a_glob_matches_files_and_not_directories(pattern: str, expected: list[str]) -> None:
    assert paths_by_source(pattern) == {"main": expected}


def test_a_file_whose_name_looks_like_a_glob_is_that_file(corpus: Path) -> None:
    (corpus / "a[1].txt").write_text("x")
    (corpus / "a1.txt").write_text("x")
    assert paths_by_source("a[1].txt") == {"main": ["a[1].txt"]}


def test_suffixes_are_known_in_any_case(corpus: Path) -> None:
    (corpus / "LOUD.JSONL").write_text("{}")
    (corpus / "LOUD.PARQUET").write_text("")
    kinds = {name: type(resolve(name)[0].shards[0]).__name__ for name in ("LOUD.JSONL", "LOUD.PARQUET")}
    assert kinds == {"LOUD.JSONL": "JsonlShard", "LOUD.PARQUET": "ParquetShard"}


def test_the_error_about_a_directory_without_known_files_lists_their_suffixes(corpus: Path) -> None:
    (corpus / "empty").mkdir()
    (corpus / "empty/readme.md").write_text("x")
    with pytest.raises(CorpusError, match=r"empty: no \.txt, \.jsonl, .* files in this directory") as error:
        resolve("empty")
    assert "\n" not in str(error.value)


def test_a_dangling_link_is_named(corpus: Path) -> None:
    (corpus / "web/gone.txt").symlink_to("nowhere")
    with pytest.raises(CorpusError, match=r"web/gone.txt: No such file"):
        resolve("web")


def test_an_empty_location_is_not_the_working_directory() -> None:
    with pytest.raises(PortraitError):
        resolve("")


def test_a_file_with_the_name_of_standard_input_is_that_file(corpus: Path) -> None:
    (corpus / "-").write_text("x")
    (stdin,) = find_files("-")
    (file,) = find_files("./-")
    assert (stdin.is_stdin, file.is_stdin) == (True, False)
    assert [shard.label for shard in open_shards([stdin, file], Columns())] == ["standard input", "-"]


def test_different_paths_to_one_file_have_the_same_identity(corpus: Path) -> None:
    (corpus / "link.txt").symlink_to("one.txt")
    ((link,), (file,)) = find_files("link.txt"), find_files("web/../one.txt")
    assert link.identity() == file.identity()


@pytest.mark.parametrize(
    ("location", "shown"),
    [("s3://me:secret@bucket/a", "s3://bucket/a"), ("https://host/a", "https://host/a"), ("a.txt", "a.txt")],
)
def test_a_location_is_shown_without_its_password(location: str, shown: str) -> None:
    assert without_password(location) == shown
    assert is_url(location) == ("://" in location)


def test_each_table_has_a_shard_and_all_plain_texts_share_the_last(corpus: Path) -> None:
    (corpus / "two.txt").write_text("x")
    (corpus / "rows.csv").write_text("text\n")
    locations = [*find_files("*.txt"), *find_files("rows.csv"), *find_files("web/a.jsonl")]
    shards = open_shards(locations, Columns())
    assert [shard.kind for shard in shards] == ["csv", "jsonl", "txt"]
    assert [file.path for file in shards[-1].files] == ["one.txt", "two.txt"]
    assert open_shards([], Columns()) == []


def test_a_directory_that_may_not_be_listed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(CorpusError, match=r"^web: Permission denied$"):
        find_files("web")


@pytest.mark.parametrize("name", ["data[1]", "da?a", "*", "[", "a]b[c"])
def test_a_name_that_looks_like_a_glob_is_a_name_where_it_exists(name: str, corpus: Path) -> None:
    (corpus / name / "deep").mkdir(parents=True)
    for file in ("a.txt", "deep/b.txt", "[c].txt"):
        (corpus / name / file).write_text(file)
    everything = [f"{name}/[c].txt", f"{name}/a.txt", f"{name}/deep/b.txt"]
    assert paths_by_source(name) == {"main": everything}
    assert paths_by_source(f"{name}/[c].txt") == {"main": everything[:1]}
    assert paths_by_source(f"{name}/*.txt") == {"main": everything[:2]}
    assert paths_by_source(f"{name}/**/*.txt") == {"main": everything}
    assert paths_by_source(f"{corpus}/{name}/a.tx?") == {"main": [f"{corpus}/{name}/a.txt"]}


def test_the_glob_that_a_message_suggests_is_one(corpus: Path) -> None:
    (corpus / "notes[1]").mkdir()
    (corpus / "notes[1]" / "a.md").write_text("a")
    with pytest.raises(CorpusError, match="name others by a glob, such as") as caught:
        find_files("notes[1]")
    suggested = str(caught.value).rpartition("such as '")[2].rstrip("'")
    assert paths_by_source(suggested) == {"main": ["notes[1]/a.md"]}
