"""Which files a location names, in which formats, and what is said when there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portrait.corpus.columns import Columns
from portrait.corpus.locations import find_files, is_url, open_shards, without_password
from portrait.corpus.resolve import resolve
from portrait.errors import CorpusError, PortraitError

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.corpus.shards import Source


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree, which is also the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in (
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
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"content")
    return tmp_path


def files(source: Source) -> list[str]:
    return [file.path for file in source.files]


def names_and_files(sources: Any, **options: Any) -> dict[str, list[str]]:
    return {source.name: files(source) for source in resolve(sources, **options)}


KNOWN_WEB_FILES = [
    "web/a.jsonl",
    "web/b.jsonl.gz",
    "web/deep/c.parquet",
    "web/deep/d.txt",
    "web/e.ndjson",
    "web/f.jsonl.zst",
]


def test_a_directory_is_walked_for_known_files_leaving_hidden_ones_out() -> None:
    assert names_and_files("web") == {"main": KNOWN_WEB_FILES}


def test_a_hidden_file_that_is_named_is_read() -> None:
    assert names_and_files("web/.hidden.txt") == {"main": ["web/.hidden.txt"]}


def test_a_hidden_directory_that_is_named_is_walked() -> None:
    assert names_and_files("web/.cache") == {"main": ["web/.cache/g.txt"]}


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
def test_a_glob_finds_what_matches_and_no_directories(pattern: str, expected: list[str]) -> None:
    assert names_and_files(pattern) == {"main": expected}


def test_a_file_whose_name_looks_like_a_glob_is_that_file(corpus: Path) -> None:
    (corpus / "a[1].txt").write_text("x")
    (corpus / "a1.txt").write_text("x")
    assert names_and_files("a[1].txt") == {"main": ["a[1].txt"]}


def test_suffixes_are_known_in_any_case(corpus: Path) -> None:
    (corpus / "LOUD.JSONL").write_text("{}")
    (corpus / "LOUD.PARQUET").write_text("")
    kinds = {name: type(resolve(name)[0].shards[0]).__name__ for name in ("LOUD.JSONL", "LOUD.PARQUET")}
    assert kinds == {"LOUD.JSONL": "JsonlShard", "LOUD.PARQUET": "ParquetShard"}


def test_a_directory_without_known_files_is_named_with_the_files_it_could_have(corpus: Path) -> None:
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


def test_a_file_called_like_standard_input_is_that_file(corpus: Path) -> None:
    (corpus / "-").write_text("x")
    (stdin,) = find_files("-")
    (file,) = find_files("./-")
    assert (stdin.is_stdin, file.is_stdin) == (True, False)
    assert [shard.label for shard in open_shards([stdin, file], Columns())] == ["standard input", "-"]


def test_paths_to_one_file_have_one_identity(corpus: Path) -> None:
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


def test_each_table_has_a_shard_and_all_texts_share_the_last(corpus: Path) -> None:
    (corpus / "two.txt").write_text("x")
    (corpus / "rows.csv").write_text("text\n")
    files = [*find_files("*.txt"), *find_files("rows.csv"), *find_files("web/a.jsonl")]
    shards = open_shards(files, Columns())
    assert [shard.kind for shard in shards] == ["csv", "jsonl", "txt"]
    assert [file.path for file in shards[-1].files] == ["one.txt", "two.txt"]
    assert open_shards([], Columns()) == []


def test_a_directory_that_may_not_be_listed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(CorpusError, match=r"^web: Permission denied$"):
        find_files("web")
