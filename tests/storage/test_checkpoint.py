"""Records of interrupted tasks: read back unchanged or not at all; and the differences of two tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portrait.storage.checkpoint import as_read_back, difference, other_task, read_record, write_record


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    content = {"n": 1, "name": "caf\udce9.txt", "list": [1, [2, None]], "日本": 0.1}
    write_record(tmp_path / "record.json", content)
    assert read_record(tmp_path / "record.json") == content
    write_record(tmp_path / "record.json", {})
    assert read_record(tmp_path / "record.json") == {}
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b"\xff", b'{"n": 1', b"[" * 100_000])
def test_an_invalid_record_is_read_as_none(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(text)
    assert read_record(tmp_path / "record.json") is None


def test_a_missing_record_is_read_as_none_and_an_unreadable_one_raises_an_error(tmp_path: Path) -> None:
    assert read_record(tmp_path / "missing.json") is None
    with pytest.raises(IsADirectoryError):
        read_record(tmp_path)


def test_a_record_that_cannot_be_written_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_record(tmp_path / "missing" / "record.json", {})


def test_a_record_does_not_wait_for_the_disk(synced_names: list[str], tmp_path: Path) -> None:
    write_record(tmp_path / "record.json", {"n": 1})
    assert synced_names == []


def test_a_task_has_the_form_in_which_it_will_be_read_back() -> None:
    assert as_read_back({"a": (1, 2), "b": {3: "c"}}) == {"a": [1, 2], "b": {"3": "c"}}


OLD: dict[str, Any] = {"width": 50, "inputs": [["a", 1], ["b", 1], ["c", 1], ["d", 1]], "gone": 1}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ""),
        ({"width": 40}, "width"),
        ({"width": 40, "new": 1}, "width, new"),
        ({"inputs": [["a", 1], ["b", 2], ["c", 1], ["d", 1]]}, "inputs (b)"),
        ({"inputs": [["a", 1], ["e", 1], ["c", 1], ["d", 1]], "width": 1}, "width, inputs (b, e)"),
        ({"inputs": [["a", 2], ["b", 2], ["c", 2], ["d", 2]]}, "inputs (a, b, c)"),
        ({"inputs": 7}, "inputs"),
        ({"inputs": [[]]}, "inputs"),
    ],
)
def test_differences_are_named(change: dict[str, Any], expected: str) -> None:
    assert difference(OLD, {**OLD, **change}) == expected


def test_a_missing_field_is_a_difference() -> None:
    assert difference(OLD, {name: value for name, value in OLD.items() if name != "gone"}) == "gone"


def test_the_error_says_what_to_do_and_which_parameter_helps() -> None:
    error = other_task(Path("work"), {"width": 50}, {"width": 40})
    assert str(error) == ("work: begun with other width: repeat the original call to resume it, or restart")
    assert error.parameter == "restart"
