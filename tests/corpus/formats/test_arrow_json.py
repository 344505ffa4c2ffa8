"""Chunks of JSON lines parsed by Arrow, wherever Arrow and JSON agree."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.refusals import GOOD

from portrait.corpus.columns import Columns
from portrait.corpus.formats.arrow_json import parse_chunk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"null", 1),
        (b"\n null\n" + GOOD, 2),
        (b"\xef\xbb\xbfnull\n", 1),
        (GOOD + b"null\n" + GOOD, 2),
        (GOOD + GOOD + b"null", 3),
    ],
    ids=["alone", "first", "after a byte-order mark", "within", "last"],
)
def test_a_line_that_is_null_is_named(data: bytes, line: int, tmp_path: Path) -> None:
    # In a process of its own: Arrow's parser crashes on a null in the first line.
    (tmp_path / "a.jsonl").write_bytes(data)
    code = (
        "import portrait\n"
        "try: portrait.build('a.jsonl', 'out')\n"
        "except portrait.CorpusError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"a.jsonl, line {line}: a JSON null instead of an object\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def parse(data: bytes, *text: str, keep: tuple[str, ...] = ()) -> Any:
    """Return the texts and the kept values that Arrow parses, or ``None`` where it must not be used."""
    n_rows = sum(1 for line in data.split(b"\n") if line.strip())
    columns = parse_chunk(data, n_rows, Columns(text or ("text",), keep), str)
    return columns and (columns[0].to_pylist(), columns[1])


@pytest.mark.parametrize(
    ("data", "text", "keep", "expected"),
    [
        (b'{"text": "a"}\n\n{"n": 1, "text": "b"}\n', (), (), (["a", "b"], ())),
        (b'{"text": "a", "n": 7}', (), ("n",), (["a"], ([7],))),
        (b'{"text": "a", "day": "2020-01-01"}', (), ("day",), (["a"], (["2020-01-01"],))),
        (b'{"meta": {"text": "a"}, "q": "b"}', ("q", "meta.text"), (), (["b\na"], ())),
        (b'{"meta": {"text": "a", "id": 3}}', ("meta.text",), ("meta.id",), (["a"], ([3],))),
    ],
    ids=["texts", "number", "date", "struct", "both of a struct"],
)
def test_texts_and_integers_are_those_of_json(
    data: bytes, text: tuple[str, ...], keep: tuple[str, ...], expected: Any
) -> None:
    assert parse(data, *text, keep=keep) == expected


@pytest.mark.parametrize(
    ("data", "keep"),
    [
        (b"null", ()),
        (b'{"text": null}', ()),
        (b'{"text": "a"}\n{"body": "b"}', ()),
        (b'{"text": 5}', ()),
        (b'{"text": "a', ()),
        (b'{"text": "a"} {"text": "b"}', ()),
        (b'{"text": "a", "x": 1.5}', ("x",)),
        (b'{"text": "a", "x": [1]}', ("x",)),
        (b'{"text": "a"}', ("x",)),
        (b'{"text": "a"}', ("text",)),
        (b'{"text": "a", "x": 1}\n{"text": "b", "x": "1"}', ("x",)),
        (b'{"text": "a", "x"', ("x",)),
    ],
)
def test_rows_that_may_be_bad_or_differ_are_left_to_python(data: bytes, keep: tuple[str, ...]) -> None:
    assert parse(data, keep=keep) is None


class Long(bytes):
    """Lines that say of themselves how many bytes they are."""

    n_bytes = 0

    def __len__(self) -> int:
        return self.n_bytes


@pytest.mark.parametrize(("n_bytes", "parsed"), [((1 << 31) - 1, True), (1 << 31, False)])
def test_a_chunk_of_more_bytes_than_arrow_counts_is_left_to_python(n_bytes: int, parsed: bool) -> None:
    data = Long(b'{"text": "a"}')
    data.n_bytes = n_bytes
    chunk = parse_chunk(data, 1, Columns(), str)
    assert (chunk is not None) == parsed
