"""Work directories: one plan, one build at a time, and a record of every finished task."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from portrait.errors import OutputError, OutputExistsError
from portrait.storage.lock import lock_file
from portrait.storage.workdir import WorkDir

PLAN: dict[str, Any] = {"windows": {"width": 50}, "inputs": [["a.txt", 1], ["b.txt", 2]]}
OTHER = {**PLAN, "windows": {"width": 40}}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the work directory, which does not exist yet."""
    monkeypatch.chdir(tmp_path)
    return Path("work")


def finish_one_task(path: Path, **options: bool) -> None:
    """Finish one task of a plan, and end the build early."""
    with WorkDir(path, PLAN, **options) as work:
        work.note("read-0", {"n": 1})


def files(path: Path) -> list[str]:
    """Return the paths of all files in a directory, relative to it."""
    return sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file())


def test_a_record_is_available_to_the_next_process(path: Path) -> None:
    finish_one_task(path)
    with WorkDir(path, PLAN) as work:
        assert work.record("read-0") == {"n": 1}
        assert work.record("read-1") is None
        work.note("read-0", {"n": 2, "list": (1, 2)})
        assert work.record("read-0") == {"n": 2, "list": [1, 2]}
        work.forget("read-0")
        assert work.record("read-0") is None
        work.forget("read-0")
    assert not path.exists()


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"\xff"])
def test_an_invalid_record_is_read_as_none(text: bytes, path: Path) -> None:
    with WorkDir(path, PLAN) as work:
        (work.data / "read-0.json").write_bytes(text)
        assert work.record("read-0") is None
        (work.data / "read-1.json").mkdir()
        assert work.record("read-1") is None


def test_the_directory_s_parents_are_created(path: Path) -> None:
    finish_one_task(path / "below" / "this")
    assert files(path) == ["below/this/data/read-0.json", "below/this/lock", "below/this/plan.json"]


def test_a_directory_without_records_is_removed(path: Path) -> None:
    with WorkDir(path, PLAN):
        assert path.is_dir()
    assert not path.exists()


def test_a_directory_that_is_not_lasting_is_removed(path: Path) -> None:
    finish_one_task(path, lasting=False)
    assert not path.exists()


def test_remove_deletes_the_whole_directory(path: Path) -> None:
    with WorkDir(path, PLAN) as work:
        work.note("read-0", {})
        (work.data / "read-0.keys").touch()
        work.remove()
    assert not path.exists()


def test_what_is_gone_already_is_no_obstacle_to_the_removal(path: Path) -> None:
    with WorkDir(path, PLAN) as work:
        for file in files(path):
            (path / file).unlink()
        work.data.rmdir()
        work.remove()
        assert not path.exists()


def test_other_files_survive_the_removal(path: Path) -> None:
    with WorkDir(path, PLAN) as work:
        (path / "thesis.tex").touch()
        work.remove()
    assert files(path) == ["thesis.tex"]


def test_another_plan_is_refused_and_the_records_stay(path: Path) -> None:
    finish_one_task(path)
    before = files(path)
    with pytest.raises(OutputExistsError) as caught, WorkDir(path, OTHER):
        pass
    assert str(caught.value) == (
        "work: begun with other windows: repeat the original call to resume it, or restart"
    )
    assert caught.value.parameter == "restart"
    assert files(path) == before


def test_inputs_that_changed_are_named(path: Path) -> None:
    finish_one_task(path)
    plan = {**PLAN, "inputs": [["a.txt", 1], ["b.txt", 3]]}
    with pytest.raises(OutputExistsError, match=r"begun with other inputs \(b\.txt\)"), WorkDir(path, plan):
        pass


def test_another_plan_can_start_over(path: Path) -> None:
    finish_one_task(path)
    with WorkDir(path, OTHER, restart=True) as work:
        assert work.record("read-0") is None
        assert files(path) == ["lock", "plan.json"]


def test_the_same_plan_can_start_over(path: Path) -> None:
    finish_one_task(path)
    with WorkDir(path, PLAN, restart=True) as work:
        assert work.record("read-0") is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]"])
def test_a_damaged_plan_is_refused_and_the_records_stay(text: bytes, path: Path) -> None:
    finish_one_task(path)
    whole = (path / "plan.json").read_bytes()
    (path / "plan.json").write_bytes(text)
    with (
        pytest.raises(OutputExistsError, match=r"^work/plan\.json: is damaged") as caught,
        WorkDir(path, PLAN),
    ):
        pass
    assert caught.value.parameter == "restart"
    assert (path / "plan.json").read_bytes() == text
    (path / "plan.json").write_bytes(whole)
    with WorkDir(path, PLAN) as work:
        assert work.record("read-0") == {"n": 1}


@pytest.mark.parametrize("text", [b"", b"{", b"[]"])
def test_a_damaged_plan_is_replaced_where_nothing_is_lost(text: bytes, path: Path) -> None:
    finish_one_task(path)
    (path / "plan.json").write_bytes(text)
    with WorkDir(path, PLAN, restart=True) as work:
        assert work.record("read-0") is None
    path.mkdir(exist_ok=True)
    (path / "lock").touch()
    (path / "plan.json").write_bytes(text)
    with WorkDir(path, PLAN) as work:
        work.note("read-0", {"n": 2})


def test_records_without_a_plan_are_left_by_a_build_that_was_done(path: Path) -> None:
    finish_one_task(path)
    (path / "plan.json").unlink()
    with WorkDir(path, PLAN) as work:
        assert work.record("read-0") is None


def test_an_unreadable_plan_raises_an_error_and_no_record_is_lost(path: Path) -> None:
    finish_one_task(path)
    (path / "plan.json").unlink()
    (path / "plan.json").mkdir()
    with pytest.raises(OutputError, match="cannot write: Is a directory"), WorkDir(path, PLAN):
        pass
    assert (path / "data" / "read-0.json").exists()


def test_a_plan_without_its_data_directory_resumes(path: Path) -> None:
    finish_one_task(path)
    # As left by a process that was killed while it removed the directory.
    (path / "data" / "read-0.json").unlink()
    (path / "data").rmdir()
    with WorkDir(path, PLAN) as work:
        assert work.data.is_dir()


def test_two_builds_do_not_share_a_directory(path: Path) -> None:
    with WorkDir(path, PLAN):
        with pytest.raises(OutputExistsError) as caught, WorkDir(path, PLAN):
            pass
        assert str(caught.value) == (
            "work: another build is at work there: wait until it ends, or choose another work directory"
        )
        assert caught.value.parameter == "work_dir"


@pytest.mark.parametrize("shared", [False, True])
def test_only_tasks_that_share_a_directory_wait_for_the_plan(
    shared: bool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = lock_file(path / "lock", "in use")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        if not waits:
            lock.release()
        waits.append(seconds)

    monkeypatch.setattr(time, "sleep", wait)
    if shared:
        with WorkDir(path, PLAN, shared=True) as work:
            assert work.record("read-0") is None
    else:
        with pytest.raises(OutputExistsError, match="another build is at work there"), WorkDir(path, PLAN):
            pass
        lock.release()
    assert len(waits) == shared


def test_tasks_of_one_plan_share_a_directory(path: Path) -> None:
    with WorkDir(path, PLAN, shared=True) as first, WorkDir(path, PLAN, shared=True) as second:
        first.note("read-0", {"by": 1})
        second.note("read-1", {"by": 2})
        assert second.record("read-0") == {"by": 1}
    with WorkDir(path, PLAN) as work:
        assert work.record("read-1") == {"by": 2}


def test_a_shared_directory_without_records_is_kept(path: Path) -> None:
    with WorkDir(path, PLAN, shared=True):
        pass
    assert files(path) == ["lock", "plan.json"]


def test_a_directory_with_other_files_is_left_alone(path: Path) -> None:
    path.mkdir()
    for name in ("thesis.tex", "b", "c", "d"):
        (path / name).touch()
    with pytest.raises(OutputExistsError) as caught, WorkDir(path, PLAN):
        pass
    assert str(caught.value) == (
        "work: holds other files (b, c, d): choose an empty or a new directory as the work directory"
    )
    assert caught.value.parameter == "work_dir"
    assert files(path) == ["b", "c", "d", "thesis.tex"]


@pytest.mark.parametrize("name", ["data", "plan.json"])
def test_other_people_s_files_of_the_names_of_a_build_s_are_left_alone(name: str, path: Path) -> None:
    thesis = path / name / "thesis.tex" if name == "data" else path / name
    thesis.parent.mkdir(parents=True)
    thesis.write_text("a year's work")
    for options in ({}, {"restart": True}, {"shared": True}):
        with (
            pytest.raises(OutputExistsError, match=rf"holds other files \({name}\)"),
            WorkDir(path, PLAN, **options),
        ):
            pass
    assert thesis.read_text() == "a year's work"
    assert files(path) == [str(thesis.relative_to(path))]


def test_a_half_written_file_of_a_killed_process_is_no_obstacle(path: Path) -> None:
    finish_one_task(path)
    (path / ".plan.json.0123456789abcdef.part").touch()
    with WorkDir(path, PLAN) as work:
        assert work.record("read-0") == {"n": 1}


def test_a_file_is_not_a_work_directory(path: Path) -> None:
    path.touch()
    with pytest.raises(OutputExistsError) as caught, WorkDir(path, PLAN):
        pass
    assert str(caught.value) == "work: is not a directory: choose another work directory"
    assert caught.value.parameter == "work_dir"


def test_an_unwritable_path_is_named() -> None:
    with pytest.raises(OutputError) as caught, WorkDir(Path("w" * 300), PLAN):
        pass
    assert str(caught.value).endswith("cannot write: File name too long: choose another work directory")
    assert caught.value.parameter == "work_dir"


def test_a_record_that_cannot_be_written_is_named(path: Path) -> None:
    with WorkDir(path, PLAN) as work:
        work.data.rmdir()
        with pytest.raises(OutputError) as caught:
            work.note("read-0", {})
    assert str(caught.value) == (
        "work: cannot write: No such file or directory: choose another work directory"
    )
