"""Regular files are opened; whatever else is in their place is an error at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portrait.storage.regular import open_regular, read_regular, regular_status

if TYPE_CHECKING:
    from collections.abc import Callable


def fifo() -> None:
    os.mkfifo("it")


def directory() -> None:
    Path("it").mkdir()


def device() -> None:
    Path("it").symlink_to("/dev/zero")


def endpoint() -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("it")


def dangling_link() -> None:
    Path("it").symlink_to("nowhere")


def loop() -> None:
    Path("it").symlink_to("it")


OBSTACLES: list[tuple[Callable[[], None], str]] = [
    (fifo, "is a FIFO, not a regular file"),
    (directory, "is a directory, not a regular file"),
    (device, "is a device, not a regular file"),
    (endpoint, "is a socket, not a regular file"),
    (dangling_link, "is a link to nowhere, which is missing"),
    (loop, "Too many levels of symbolic links"),
    (lambda: None, "No such file or directory"),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the tests in a directory of their own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("obstacle", "message"), OBSTACLES, ids=[message for _, message in OBSTACLES])
def test_what_is_not_a_regular_file_is_refused_at_once(obstacle: Callable[[], None], message: str) -> None:
    obstacle()
    for function in (open_regular, regular_status, lambda path: read_regular(path, 10)):
        with pytest.raises(OSError) as error:  # noqa: PT011  # its text is compared
            function(Path("it"))
        assert error.value.strerror == message
        assert error.value.filename in ("it", Path("it"))


def test_a_file_that_becomes_a_fifo_meanwhile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fifo()
    monkeypatch.setattr("portrait.storage.regular.regular_status", lambda _: None)
    with pytest.raises(OSError, match="is a FIFO"):
        open_regular(Path("it"))


def test_links_that_end_in_a_regular_file_are_followed() -> None:
    Path("file").write_bytes(b"content")
    Path("link").symlink_to("file")
    Path("it").symlink_to("link")
    with open_regular(Path("it")) as opened:
        assert opened.read() == b"content"
    assert regular_status(Path("it")).st_size == 7
    assert read_regular(Path("it"), 7) == b"content"
    with pytest.raises(OSError, match="has more than 6 bytes"):
        read_regular(Path("it"), 6)
