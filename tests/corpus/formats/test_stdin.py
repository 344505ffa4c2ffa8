"""Standard input: JSON lines, tables, or one document."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from support.documents import DOCUMENTS, PROSE, built, lines, plain

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.formats.stdin import StdinShard
from portrait.corpus.resolve import resolve
from portrait.errors import CorpusError, UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Layer
    from portrait.corpus.shards import Format


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layer, bytes]:
    """The layer and the shard of a portrait of the documents as text files."""
    directory = tmp_path_factory.mktemp("reference")
    return built(plain(directory, DOCUMENTS), directory / "out")


def build_stdin(data: bytes, cwd: Path, **options: str) -> tuple[Layer, bytes]:
    """Build a portrait of ``data`` on standard input, and return its layer and its shard."""
    code = f"import portrait; portrait.build('-', 'out', **{options!r})"
    done = subprocess.run([sys.executable, "-c", code], input=data, cwd=cwd, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    (layer,) = portrait.open(cwd / "out").manifest.layers
    return layer, (cwd / "out" / layer.shards[0].file).read_bytes()


@pytest.mark.parametrize("head", [b"", b"\n \n", b"\xef\xbb\xbf"], ids=["bare", "blank lines", "mark"])
def test_json_lines_from_standard_input_give_the_same_layer(
    head: bytes, tmp_path: Path, reference: tuple[Layer, bytes]
) -> None:
    assert build_stdin(head + lines(DOCUMENTS), tmp_path) == reference


@pytest.mark.parametrize("kind", ["auto", "txt"])
def test_plain_text_from_standard_input_is_one_document(kind: str, tmp_path: Path) -> None:
    text = ("\n\n" if kind == "txt" else "") + PROSE
    (tmp_path / "a.txt").write_text(text)
    expected = built(tmp_path / "a.txt", tmp_path / "reference")
    assert build_stdin(text.encode(), tmp_path, format=kind) == expected


def test_json_lines_from_standard_input_can_be_read_as_plain_text(tmp_path: Path) -> None:
    data = lines(DOCUMENTS)
    (tmp_path / "a.txt").write_bytes(data)
    expected = built(tmp_path / "a.txt", tmp_path / "reference")
    assert build_stdin(data, tmp_path, format="txt") == expected


def test_standard_input_has_no_stamps_digests_or_files() -> None:
    (shard,) = resolve("-")[0].shards
    assert shard.label
    assert (shard.stamps(), shard.digests(), shard.files) == ([], {}, [])
    assert shard.split(10) == [shard]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_tables_cannot_be_read_from_a_pipe(kind: Format) -> None:
    message = f"standard input: {kind.title()} cannot be read from a pipe: save it to a file first"
    with pytest.raises(CorpusError, match=message):
        StdinShard(kind, Columns())


def test_closed_standard_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(CorpusError, match="standard input: it is closed: name a file instead"):
        StdinShard("auto", Columns())


@pytest.mark.parametrize(
    ("kind", "data", "texts"),
    [
        ("csv", b"id,body\n1,a\n2,b\n", ["a", "b"]),
        ("tsv", b"id\tbody\n1\ta,b\n", ["a,b"]),
        ("jsonl", b'{"body": "a"}\n', ["a"]),
        ("auto", b' \n{"body": "a"}\n', ["a"]),
        ("auto", b" a {", [b" a {"]),
        ("txt", b'{"body": "a"}', [b'{"body": "a"}']),
        ("auto", b"", []),
    ],
)
def test_standard_input_is_read_by_its_format_or_its_first_character(
    kind: Format, data: bytes, texts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    shard = StdinShard(kind, Columns()).with_columns(Columns(("body",)))
    chunks = list(shard.chunks())
    assert [text for chunk in chunks for text in chunk.batch().texts.to_pylist()] == texts
    assert sum(chunk.read_bytes for chunk in chunks) == len(data)
    assert shard.read_once
    assert shard.excerpt(1) is shard


@pytest.mark.parametrize(
    ("n_spaces", "n_rows"),
    [((1 << 20) - 1, 1), (1 << 20, 1), ((1 << 20) + 1, 1), ((2 << 20) - 2, 1), ((2 << 20) - 1, None)],
)
def test_json_lines_may_begin_with_as_many_spaces_as_a_document_may_have(
    n_spaces: int, n_rows: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A mebibyte is looked at each time.
    data = b" " * n_spaces + b'\n{"text": "a"}\n'
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    shard = StdinShard("auto", Columns(max_document_bytes=1 << 20))
    if n_rows is None:
        with pytest.raises(UnreadableFileError, match="standard input: text of more than 1,048,576 bytes"):
            list(shard.chunks())
    else:
        chunks = list(shard.chunks())
        assert sum(chunk.n_rows for chunk in chunks) == n_rows
        assert sum(chunk.read_bytes for chunk in chunks) == len(data)
