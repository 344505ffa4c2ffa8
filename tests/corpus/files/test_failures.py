"""Failures of servers and connections: each has an error of one line."""

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
def test_a_missing_remote_file_is_named(name: str, web: str, memory: str, archive: str) -> None:
    assert refused(f"{web}/{name}") == "the server answers 404 Not Found"
    assert refused(f"{memory}/{name}") == "no such file or directory"
    assert refused(archive.format(name)) == "no such file or directory"
    assert refused(f"{memory}/{name}*", portrait.CorpusError) == "no file matches"


@pytest.mark.parametrize("name", FILES)
def test_an_error_of_the_server_is_named(name: str, web: str) -> None:
    assert refused(f"{web}/refused/{name}") == "the server answers 500 Internal Server Error"


def test_an_unreachable_server_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert "Connect call failed" in refused(f"http://127.0.0.1:{port}/a.jsonl")


@pytest.mark.parametrize("name", FILES)
def test_a_broken_connection_is_named(name: str, web: str) -> None:
    assert "Response payload is not completed" in refused(f"{web}/broken/{name}")


def test_a_table_on_a_server_without_ranges_is_named(web: str) -> None:
    reason = "its server does not serve ranges: download the file first"
    assert refused(f"{web}/plain/a.parquet") == f"not a readable Parquet file: {reason}"
    assert refused(f"{web}/plain/a.arrow") == f"not a readable Arrow file: {reason}"


class StatusError(Exception):
    """An error with a status, as HTTP clients raise it."""

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
def test_any_error_is_described_in_one_line(error: Exception, expected: str) -> None:
    assert describe(error) == expected
    with pytest.raises(portrait.UnreadableFileError, match=f"^url: {expected}$"), naming("url"):
        raise error
    with pytest.raises(RemoteError) as caught, as_os_error():
        raise error
    assert str(caught.value) == expected
    # Some clients report every failure as a missing file: its cause is what is described.
    hidden = FileNotFoundError("url")
    hidden.__cause__ = error
    assert describe(hidden) == expected


def test_the_operating_system_s_reason_is_one_line(tmp_path: Path) -> None:
    assert reason(PermissionError(13, "Permission denied")) == "Permission denied"
    assert reason(OSError("a\nb")) == "a"
    assert reason(OSError()) == "unknown error"
    assert str(unreadable(tmp_path, OSError("a\nb"))) == f"{tmp_path}: a"
