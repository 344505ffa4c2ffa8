"""Roots: which files may be opened, and how."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from portrait_server.errors import ForbiddenFileError
from portrait_server.files.roots import Roots
from support.permissions import without_privilege

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """A directory of a portrait, with a directory inside, and files of others beside it."""
    path = tmp_path / "corpus.portrait"
    (path / "inner").mkdir(parents=True)
    (path / "inner" / "file").write_bytes(b"inside")
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "1f").write_bytes(b"blob")
    (tmp_path / "secret").write_bytes(b"secret")
    return path


def test_files_inside_are_opened(portrait: Path) -> None:
    roots = Roots.of_portrait(portrait)
    assert roots.read(portrait / "inner" / "file", 100) == b"inside"
    assert roots.read(portrait / "inner" / "file", 3) == b"ins"
    (portrait / "link").symlink_to("inner/file")
    (portrait / "folder").symlink_to("inner")
    assert roots.read(portrait / "link", 100) == roots.read(portrait / "folder" / "file", 100) == b"inside"
    assert roots.status(portrait / "link").st_size == 6
    descriptor = roots.open(portrait / "link")
    assert os.read(descriptor, 9) == b"inside"
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize("target", ["../secret", "../blobs/1f", "/etc/passwd", "inner/../../secret"])
def test_a_link_that_leads_outside_is_refused_and_the_message_names_the_root_to_add(
    target: str, portrait: Path
) -> None:
    link = portrait / "README.md"
    link.symlink_to(target)
    real = link.resolve()
    with pytest.raises(ForbiddenFileError) as caught:
        Roots.of_portrait(portrait).open(link)
    assert str(caught.value).startswith(f"{link}: leads to {real}, outside the directories")
    assert f"add {real.parent} to the setting 'roots'" in str(caught.value)
    assert caught.value.parameter == "roots"
    assert Roots.of_portrait(portrait, [real.parent]).read(link, 9) == real.read_bytes()[:9]


def test_a_directory_beside_a_root_is_outside_although_its_name_begins_alike(portrait: Path) -> None:
    other = portrait.with_name("corpus.portrait-other")
    other.mkdir()
    (other / "file").touch()
    with pytest.raises(ForbiddenFileError, match="outside"):
        Roots.of_portrait(portrait).open(other / "file")
    with pytest.raises(ForbiddenFileError, match="outside"):
        Roots.of_portrait(portrait).open(portrait / ".." / "secret")


def test_the_path_that_the_settings_name_may_be_a_link(portrait: Path, tmp_path: Path) -> None:
    named = tmp_path / "elsewhere" / "current"
    named.parent.mkdir()
    named.symlink_to(portrait)
    assert Roots.of_portrait(named).directories == (portrait.resolve(),)
    assert Roots.of_portrait(named).read(named / "inner" / "file", 9) == b"inside"
    dump = tmp_path / "elsewhere" / "words.bf"
    dump.symlink_to(tmp_path / "blobs" / "1f")
    assert Roots.of_portrait(dump).directories == (tmp_path / "blobs", named.parent)


def test_roots_may_be_named_by_links(portrait: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to("blobs")
    (portrait / "link").symlink_to("../blobs/1f")
    assert Roots.of_portrait(portrait, [tmp_path / "named"]).read(portrait / "link", 9) == b"blob"


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    "make",
    [
        make_pipe,
        make_socket,
        Path.mkdir,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to("."),
    ],
    ids=["pipe", "socket", "directory", "device", "root"],
)
def test_what_is_no_regular_file_is_refused_at_once(
    make: Callable[[Path], None], portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(portrait)  # the path of a socket is short
    make(Path("README.md"))
    roots = Roots.of_portrait(portrait, [Path("/dev")])
    done = threading.Event()

    def read() -> None:
        with pytest.raises(ForbiddenFileError, match=r"README\.md: is not a regular file"):
            roots.read(portrait / "README.md", 9)
        done.set()

    threading.Thread(target=read, daemon=True).start()
    assert done.wait(5)


def test_errors_of_the_system_are_passed_on(portrait: Path) -> None:
    roots = Roots.of_portrait(portrait)
    with pytest.raises(FileNotFoundError):
        roots.open(portrait / "none")
    (portrait / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        roots.open(portrait / "loop")
    (portrait / "inner" / "file").chmod(0)
    with without_privilege(), pytest.raises(PermissionError):
        roots.open(portrait / "inner" / "file")


def test_a_file_that_is_exchanged_for_a_link_meanwhile_is_never_read(portrait: Path, tmp_path: Path) -> None:
    """One thread exchanges a file, and a directory, for links that lead outside, as fast as it can."""
    inner, outer = portrait / "inner", tmp_path / "outer"
    outer.mkdir()
    (outer / "file").write_bytes(b"secret")
    aside, link = portrait / "aside", portrait / "link"
    stopping = threading.Event()

    def exchange() -> None:
        while not stopping.is_set():
            inner.rename(aside)
            link.symlink_to("../outer")
            link.rename(inner)
            inner.unlink()
            aside.rename(inner)

    roots = Roots.of_portrait(portrait)
    results = set()
    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        for _ in range(20_000):
            try:
                results.add(roots.read(inner / "file", 9))
            except (OSError, ForbiddenFileError) as error:
                results.add(type(error).__name__.encode())
    finally:
        stopping.set()
        thread.join()
    assert b"secret" not in results
    assert b"inside" in results
    assert len(results) > 1, "the threads never met"


def test_no_descriptor_is_left_open(portrait: Path) -> None:
    roots = Roots.of_portrait(portrait)
    os.mkfifo(portrait / "pipe")
    (portrait / "inner" / "away").symlink_to("/etc/passwd")
    n_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for name in ("inner/file", "pipe", "none/file", "inner/away", "inner"):
        try:
            roots.status(portrait / name)
        except (OSError, ForbiddenFileError):
            continue
    assert len(os.listdir("/proc/self/fd")) == n_before  # noqa: PTH208
