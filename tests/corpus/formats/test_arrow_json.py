"""Chunks of JSON lines parsed by Arrow, where it gives what JSON says."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.refusals import GOOD

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
    ids=["alone", "first", "behind a mark", "within", "last"],
)
def test_a_line_that_is_null_is_named(data: bytes, line: int, tmp_path: Path) -> None:
    # In a process of its own: Arrow's parser crashes on a null that comes first.
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
