"""Files as buffers: mapped without a descriptor, or read, and explained where they are cut short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.limits import run_limited

from portrait.storage.mapping import Access, open_bytes, open_file

ACCESSES: list[Access] = ["random", "sequential", "memory"]
PAGE_BYTES = 4096

TOO_MANY = (
    "not enough memory to map file, or too many files are mapped (on Linux, vm.max_map_count): open fewer "
    "portraits at once, or convert them to larger files"
)

#: Maps a file of eight pages, cuts it to one, and reads the second.
CUT = """
import os, sys
from pathlib import Path
from portrait.storage.mapping import explain_bus_errors, open_file
if {explained}:
    explain_bus_errors("do something")
path = Path(sys.argv[1])
opened = open_file(path, {access!r})
os.truncate(path, 4096)
assert opened[0] == 120
print(opened[5000], flush=True)
"""


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 40])
@pytest.mark.parametrize("access", ACCESSES)
def test_a_file_is_a_buffer_of_its_bytes(content: bytes, access: Access, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    opened = open_file(tmp_path / "file", access)
    assert bytes(opened) == content
    assert opened.readonly


@pytest.mark.parametrize("access", ACCESSES)
def test_a_missing_file_is_an_error_of_the_operating_system(access: Access, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "missing", access)


@pytest.mark.parametrize("access", ACCESSES)
def test_a_buffer_takes_no_file_descriptor(access: Access, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"some bytes")
    before = len([*Path("/proc/self/fd").iterdir()])
    opened = [open_file(tmp_path / "file", access) for _ in range(20)]
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert {bytes(one) for one in opened} == {b"some bytes"}


def test_a_buffer_outlives_its_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"some bytes")
    opened = open_file(tmp_path / "file")
    (tmp_path / "file").unlink()
    assert bytes(opened) == b"some bytes"


def test_a_file_that_is_shorter_than_announced_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"some bytes")
    with (tmp_path / "file").open("rb") as file, pytest.raises(OSError, match="cut short while it was read"):
        open_bytes(file, 11, "memory")


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ("memory", "not enough memory for a file of 1,073,741,824 bytes"),
        (
            "random",
            TOO_MANY,
        ),
    ],
)
def test_a_file_larger_than_memory_is_an_error(access: Access, message: str, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 30)
    code = "import sys; from pathlib import Path; from portrait.storage.mapping import open_file\n"
    code += "try:\n    open_file(Path('file'), sys.argv[1])\nexcept MemoryError as error:\n    print(error)"
    done = run_limited([sys.executable, "-c", code, access], cwd=tmp_path, RLIMIT_AS=1 << 29)
    assert done.stdout == f"{message}\n", done.stderr


def cut(path: Path, *, access: Access, explained: bool) -> subprocess.CompletedProcess[str]:
    """Cut a file while a process has it open, and have the process read what is gone."""
    path.write_bytes(b"x" * 8 * PAGE_BYTES)
    code = CUT.format(access=access, explained=explained)
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("access", ["random", "sequential"])
def test_reading_what_a_map_has_lost_ends_with_one_line(access: Access, tmp_path: Path) -> None:
    done = cut(tmp_path / "two\nlines", access=access, explained=True)
    assert done.stderr == (
        f"portrait: error: {tmp_path}/two\\nlines: was cut short, or its disk or server failed, while it was "
        "being read: do something\n"
    )
    assert (done.returncode, done.stdout) == (2, "")


def test_a_library_leaves_the_signal_alone(tmp_path: Path) -> None:
    done = cut(tmp_path / "file", access="random", explained=False)
    assert (done.returncode, done.stdout, done.stderr) == (-7, "", "")


def test_a_file_in_memory_loses_nothing(tmp_path: Path) -> None:
    done = cut(tmp_path / "file", access="memory", explained=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "120\n", "")


def test_a_signal_from_elsewhere_ends_the_process_as_before() -> None:
    code = "import os, signal; from portrait.storage.mapping import explain_bus_errors\n"
    code += "explain_bus_errors('do something')\nos.kill(os.getpid(), signal.SIGBUS)\nprint('alive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-7, "", "")
