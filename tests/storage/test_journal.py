"""Journals: each resumes at its last note, and its output appears whole."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from portrait.errors import OutputError, OutputExistsError
from portrait.storage.journal import Done, Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TASK: dict[str, Any] = {"version": "1", "columns": ("a", "b"), "data": [["in.jsonl", 7]]}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The path of the output."""
    return tmp_path / "out.jsonl"


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """The directory that holds the unfinished output."""
    return tmp_path / ".out.jsonl.parts"


def unchanged(rows: Path, _: Path) -> Path:
    """Make the rows themselves the output."""
    return rows


def append_and_interrupt(out: Path, *pieces: bytes, task: dict[str, Any] = TASK, **options: bool) -> None:
    """Append pieces to a journal, and interrupt it; ``options`` are those of the journal."""
    with suppress(KeyboardInterrupt), Journal(out, task, **options) as journal:
        for piece in pieces:
            journal.append(piece, {"rows": 1, "bytes": len(piece)})
        raise KeyboardInterrupt
    assert not out.exists()


def names(path: Path) -> list[str]:
    """Return the names in a directory."""
    return sorted(one.name for one in path.iterdir())


def test_pieces_are_counted() -> None:
    done = Done().plus(b"abc", {"rows": 2}).plus(b"d", {"rows": 1, "found": 1})
    assert done == Done(2, 4, {"rows": 3, "found": 1})


def test_the_output_is_all_pieces_and_appears_on_commit(out: Path, tmp_path: Path) -> None:
    with Journal(out, TASK) as journal:
        journal.append(b"one\n", {"rows": 1})
        journal.append(b"two\n", {"rows": 2})
        assert not out.exists()
        journal.commit(unchanged)
        assert journal.done == Done(2, 8, {"rows": 3})
    assert out.read_bytes() == b"one\ntwo\n"
    assert names(tmp_path) == ["out.jsonl"]


def test_commit_can_transform_the_rows_into_the_output(out: Path, tmp_path: Path) -> None:
    def backwards(rows: Path, whole: Path) -> Path:
        whole.write_bytes(rows.read_bytes()[::-1])
        return whole

    with Journal(out, TASK) as journal:
        journal.append(b"abc", {})
        journal.commit(backwards)
    assert out.read_bytes() == b"cba"
    assert names(tmp_path) == ["out.jsonl"]


def test_the_same_task_resumes(out: Path) -> None:
    append_and_interrupt(out, b"one\n", b"two\n")
    assert not out.exists()
    with Journal(out, TASK) as journal:
        assert journal.done == Done(2, 8, {"rows": 2, "bytes": 8})
        journal.append(b"three\n", {"rows": 1, "bytes": 6})
        journal.commit(unchanged)
    assert out.read_bytes() == b"one\ntwo\nthree\n"
    assert journal.done.counts == {"rows": 3, "bytes": 14}


def test_pieces_without_bytes_are_resumed_like_others(out: Path) -> None:
    append_and_interrupt(out, b"", b"")
    with Journal(out, TASK) as journal:
        assert journal.done == Done(2, 0, {"rows": 2, "bytes": 0})


def test_rows_after_the_last_note_are_cut_off(out: Path, parts: Path) -> None:
    append_and_interrupt(out, b"one\n")
    with (parts / "rows").open("ab") as file:
        file.write(b"half a pie")
    with Journal(out, TASK) as journal:
        assert journal.done.n_pieces == 1
        journal.commit(unchanged)
    assert out.read_bytes() == b"one\n"


def test_a_killed_process_leaves_the_pieces_it_noted(out: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from portrait.storage.journal import Journal\n"
        "with Journal(Path(sys.argv[1]), {'of': 'this'}) as journal:\n"
        "    journal.append(b'one ', {'rows': 1})\n"
        "    time.sleep(0.6)\n"
        "    journal.append(b'two ', {'rows': 1})\n"
        "    journal.append(b'three ', {'rows': 1})\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, out], check=False)
    with Journal(out, {"of": "this"}) as journal:
        assert journal.done == Done(2, 8, {"rows": 2})
        journal.append(b"3", {"rows": 1})
        journal.commit(unchanged)
    assert out.read_bytes() == b"one two 3"


def test_another_task_is_refused_and_the_unfinished_output_stays(out: Path) -> None:
    append_and_interrupt(out, b"one\n")
    with pytest.raises(OutputExistsError) as caught, Journal(out, {**TASK, "version": "2"}):
        pass
    assert str(caught.value) == (
        f"{out}: begun with other version: repeat the original call to resume it, or restart"
    )
    assert caught.value.parameter == "restart"
    with Journal(out, TASK) as journal:
        assert journal.done.n_pieces == 1


@pytest.mark.parametrize("option", ["overwrite", "restart"])
def test_another_task_can_start_over(option: str, out: Path) -> None:
    append_and_interrupt(out, b"one\n")
    with Journal(out, {**TASK, "version": "2"}, **{option: True}) as journal:
        assert journal.done == Done()
        journal.append(b"two", {})
        journal.commit(unchanged)
    assert out.read_bytes() == b"two"


def test_the_same_task_can_start_over(out: Path) -> None:
    append_and_interrupt(out, b"one\n")
    with Journal(out, TASK, restart=True) as journal:
        assert journal.done == Done()


def test_another_task_without_pieces_is_no_obstacle(out: Path, parts: Path) -> None:
    append_and_interrupt(out)
    assert not parts.exists()
    append_and_interrupt(out, b"one\n")
    note = json.loads((parts / "note.json").read_bytes())
    note["done"] = {"n_pieces": 0, "n_bytes": 0, "counts": {}}
    (parts / "note.json").write_text(json.dumps(note))
    with Journal(out, {**TASK, "version": "2"}) as journal:
        assert journal.done == Done()


@pytest.mark.parametrize(
    "change",
    [
        lambda _: {},
        lambda note: {**note, "done": None},
        lambda note: {**note, "done": [1, 4, {}]},
        lambda note: {**note, "done": {"n_pieces": 1}, "task": 7},
        lambda note: {**note, "done": {"n_pieces": "1", "n_bytes": 4, "counts": {}}},
        lambda note: {**note, "done": {"n_pieces": 1, "n_bytes": -1, "counts": {}}},
        lambda note: {**note, "done": {"n_pieces": -1, "n_bytes": 4, "counts": {}}},
        lambda note: {**note, "done": {"n_pieces": 1, "n_bytes": 4, "counts": 3}},
        lambda note: {**note, "done": {"n_pieces": 1, "n_bytes": 4, "more": 3}},
        lambda note: {**note, "done": {"n_pieces": 1, "n_bytes": 5, "counts": {}}},
    ],
    ids=[
        "empty",
        "null",
        "list",
        "no task",
        "string",
        "bytes",
        "pieces",
        "counts",
        "unknown",
        "beyond the rows",
    ],
)
def test_an_invalid_note_makes_the_task_start_over(
    change: Callable[[dict[str, Any]], dict[str, Any]], out: Path, parts: Path
) -> None:
    append_and_interrupt(out, b"one\n")
    note = json.loads((parts / "note.json").read_bytes())
    (parts / "note.json").write_text(json.dumps(change(note)))
    with Journal(out, TASK) as journal:
        assert journal.done == Done()
        journal.append(b"two", {})
        journal.commit(unchanged)
    assert out.read_bytes() == b"two"


def test_missing_rows_make_the_task_start_over(out: Path, parts: Path) -> None:
    append_and_interrupt(out, b"one\n")
    (parts / "rows").unlink()
    with Journal(out, TASK) as journal:
        assert journal.done == Done()


def test_a_task_that_cannot_be_resumed_leaves_nothing(out: Path, tmp_path: Path) -> None:
    append_and_interrupt(out, b"one\n", resumable=False)
    assert names(tmp_path) == []
    with Journal(out, TASK, resumable=False) as journal:
        journal.append(b"two", {})
        journal.commit(unchanged)
    assert out.read_bytes() == b"two"


def test_an_output_has_only_one_writer(out: Path) -> None:
    with Journal(out, TASK):
        for options in ({}, {"overwrite": True}, {"restart": True}):
            with pytest.raises(OutputExistsError) as caught, Journal(out, TASK, **options):
                pass
            assert str(caught.value) == (
                f"{out}: another process is writing it: wait until it ends, or choose another name"
            )


def test_an_existing_output_is_replaced_only_with_overwrite(out: Path, tmp_path: Path) -> None:
    out.write_text("mine")
    with pytest.raises(OutputExistsError) as caught, Journal(out, TASK):
        pass
    assert str(caught.value) == f"{out}: already exists: choose another name, or allow overwriting"
    assert caught.value.parameter == "overwrite"
    assert names(tmp_path) == ["out.jsonl"]
    with Journal(out, TASK, overwrite=True) as journal:
        assert out.read_text() == "mine"
        journal.commit(unchanged)
    assert out.read_text() == ""


def test_an_output_that_appears_meanwhile_is_not_replaced(out: Path) -> None:
    with Journal(out, TASK) as journal:
        journal.append(b"ours", {})
        out.write_text("theirs")
        with pytest.raises(OutputExistsError, match="already exists"):
            journal.commit(unchanged)
    assert out.read_text() == "theirs"


def test_a_directory_is_not_replaced(out: Path) -> None:
    out.mkdir()
    with pytest.raises(OutputExistsError, match="is a directory"), Journal(out, TASK, overwrite=True):
        pass


def test_an_unwritable_path_is_named(tmp_path: Path, parts: Path) -> None:
    out = tmp_path / "missing" / "out.jsonl"
    with pytest.raises(OutputError) as caught, Journal(out, TASK):
        pass
    assert str(caught.value) == f"{out}: cannot write: No such file or directory"
    parts.write_text("in the way")
    with pytest.raises(OutputError, match="cannot write: File exists"), Journal(tmp_path / "out.jsonl", TASK):
        pass


def test_a_full_disk_is_named_and_noted_pieces_stay(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(out, TASK) as journal:
        journal.append(b"one\n", {"rows": 1})
        monkeypatch.setattr("portrait.storage.journal.write_all", refuse)
        with pytest.raises(OutputError) as caught:
            journal.append(b"two\n", {"rows": 1})
    assert str(caught.value) == f"{out}: cannot write: No space left on device"
    monkeypatch.undo()
    with Journal(out, TASK) as journal:
        assert journal.done == Done(1, 4, {"rows": 1})


def test_an_error_during_commit_becomes_an_output_error(out: Path) -> None:
    def fail(*_: Path) -> Path:
        raise ValueError("the rows do not fit one table")

    with Journal(out, TASK) as journal:
        journal.append(b"one", {})
        with pytest.raises(OutputError) as caught:
            journal.commit(fail)
    assert str(caught.value) == f"{out}: cannot write: the rows do not fit one table"
    assert not out.exists()


def test_a_task_with_names_that_are_not_utf8_resumes(out: Path) -> None:
    task = {"data": [[os.fsdecode(b"caf\xe9.jsonl"), 1]]}
    append_and_interrupt(out, b"one", task=task)
    with Journal(out, task) as journal:
        assert journal.done.n_pieces == 1
