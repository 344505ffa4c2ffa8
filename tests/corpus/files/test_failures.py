"""Failures of servers and connections: every one named in one line."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from support.remote_files import FILES, refused

import portrait
from portrait.corpus.files.failures import RemoteError, as_os_error, describe, naming, reason, unreadable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["missing.jsonl", "missing.parquet"])
def test_a_file_that_is_not_there_is_named(name: str, web: str, memory: str, archive: str) -> None:
    assert refused(f"{web}/{name}") == "the server answers 404 Not Found"
    assert refused(f"{memory}/{name}") == "no such file or directory"
    assert refused(archive.format(name)) == "no such file or directory"
    assert refused(f"{memory}/{name}*", portrait.CorpusError) == "no file matches"


@pytest.mark.parametrize("name", FILES)
def test_a_server_that_refuses_is_named(name: str, web: str) -> None:
    assert refused(f"{web}/refused/{name}") == "the server answers 500 Internal Server Error"


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert "Connect call failed" in refused(f"http://127.0.0.1:{port}/a.jsonl")


@pytest.mark.parametrize("name", FILES)
def test_a_connection_that_breaks_is_named(name: str, web: str) -> None:
    assert "Response payload is not completed" in refused(f"{web}/broken/{name}")


def test_a_table_that_cannot_be_read_here_and_there_is_named(web: str) -> None:
    what = "its server does not serve ranges: download the file first"
    assert refused(f"{web}/plain/a.parquet") == f"not a readable Parquet file: {what}"
    assert refused(f"{web}/plain/a.arrow") == f"not a readable Arrow file: {what}"


class StatusError(Exception):
    """As HTTP clients raise."""

    status, message = 503, "Service Unavailable"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FileNotFoundError(2, "x"), "no such file or directory"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (StatusError(), "the server answers 503 Service Unavailable"),
        (ValueError("first line\nsecond line"), "first line"),
        (ValueError(), "ValueError"),
        (RemoteError("the data ends"), "the data ends"),
    ],
)
def test_what_is_wrong_is_one_line(error: Exception, expected: str) -> None:
    assert describe(error) == expected
    with pytest.raises(portrait.UnreadableFileError, match=f"^url: {expected}$"), naming("url"):
        raise error
    with pytest.raises(RemoteError) as caught, as_os_error():
        raise error
    assert str(caught.value) == expected
    # What hides the cause behind a file that is not found does not hide it here.
    hidden = FileNotFoundError("url")
    hidden.__cause__ = error
    assert describe(hidden) == expected


def test_the_reason_of_the_system_is_one_line(tmp_path: Path) -> None:
    assert reason(PermissionError(13, "Permission denied")) == "Permission denied"
    assert reason(OSError("a\nb")) == "a"
    assert reason(OSError()) == "unknown error"
    assert str(unreadable(tmp_path, OSError("a\nb"))) == f"{tmp_path}: a"
