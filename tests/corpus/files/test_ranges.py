"""Ranges of files of lines: each line is in one range; counting the lines before a range."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portrait.corpus.files.ranges import LinesBefore, open_range
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, start: int, stop: int | None) -> bytes:
    """Return the lines of a range, and check its position at the end."""
    with open_range(path, start, stop) as stream:
        data = stream.read_all(1 << 30)
        assert data is not None
        assert 0 <= stream.position() <= (path.stat().st_size if stop is None else stop) - start
        return data


@settings(max_examples=200, deadline=None)
@given(data=st.lists(st.sampled_from([b"a", b"bb", b"\n"])).map(b"".join), cut=st.integers(0, 40))
def test_adjacent_ranges_have_each_line_once(
    data: bytes, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(data)
    cut = min(cut, len(data))
    first, second = read(path, 0, cut), read(path, cut, None)
    assert first + second == data
    # No line is cut.
    assert first == b"" or second == b"" or first.endswith(b"\n")
    if second:
        assert LinesBefore(path, cut).count() == first.count(b"\n")


def test_the_position_is_relative_to_the_range(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"1234\n6789\n")
    with open_range(path, 2, 7) as stream:
        assert stream.position() == 0
        assert stream.read_all(5) == b"6789\n"
        assert stream.position() == 5


def test_the_beginning_of_a_file_has_no_lines_before_it(tmp_path: Path) -> None:
    assert LinesBefore(tmp_path / "missing", 0).none
    assert LinesBefore(tmp_path / "missing", 0).count() == 0


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing"
    with pytest.raises(UnreadableFileError, match=r"missing: No such file"), open_range(path, 0, None):
        pass
    with pytest.raises(UnreadableFileError, match=r"missing: cannot read: No such file"):
        LinesBefore(path, 5).count()


def test_a_line_longer_than_many_ranges_is_read_by_the_first_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"a\n" + b"x" * 5_000_000 + b"\nb\n")
    ends = [*range(0, 5_000_000, 1_000_000), None]
    parts = [read(path, start or 0, stop) for start, stop in pairwise(ends)]
    assert [len(part) for part in parts] == [5_000_003, 0, 0, 0, 2]
    with open_range(path, 1_000_000, 2_000_000) as stream:
        assert stream.read() == b""
        assert stream.position() <= 1_000_000
