"""The files of :mod:`support.remote_files` at URLs of several schemes."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import fsspec
import pytest
from support.file_server import serving
from support.remote_files import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """The URL of a web server with the files."""
    with serving(FILES) as url:
        yield url


@pytest.fixture
def memory() -> Iterator[str]:
    """The URL of the files, with a hidden one and others, in memory."""
    filesystem = fsspec.filesystem("memory")
    for name, data in {**FILES, "deep/b.txt": b"b", ".hidden.txt": b"no", "notes.md": b"no"}.items():
        filesystem.pipe(f"/files/{name}", data)
    yield "memory://files"
    filesystem.rm("/files", recursive=True)


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """The URL of the files in a zip archive, with a placeholder for the file's name."""
    with zipfile.ZipFile(tmp_path / "files.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in FILES.items():
            file.writestr(f"files/{name}", data)
    return f"zip://files/{{}}::{tmp_path / 'files.zip'}"
