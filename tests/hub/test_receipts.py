"""A receipt counts for one address as long as the files are those that were verified."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from support.permissions import without_privilege

from portrait.hub.receipts import recall, remember

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADDRESS = "hf://org/ferry@main"


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the receipts, which is not there yet."""
    monkeypatch.setenv("HF_ASSETS_CACHE", str(tmp_path / "assets"))
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org")
    return tmp_path / "assets"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    """Two files, as if they had been downloaded and verified."""
    paths = (tmp_path / "portrait.json", tmp_path / "ünï.safetensors")
    for path in paths:
        path.write_text(path.name)
    return paths


@pytest.fixture
def receipt(assets: Path, tmp_path: Path, files: tuple[Path, ...]) -> Path:
    """The file of their receipt."""
    remember(ADDRESS, tmp_path / "cache", tmp_path, files)
    (path,) = assets.rglob("*.json")
    return path


@pytest.mark.usefixtures("receipt")
def test_a_verified_download_is_recalled(tmp_path: Path) -> None:
    assert recall(ADDRESS, tmp_path / "cache") == tmp_path


@pytest.mark.usefixtures("receipt")
def test_it_counts_for_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recall(f"{ADDRESS}/a", tmp_path / "cache") is None
    assert recall(ADDRESS, tmp_path / "other") is None
    monkeypatch.setenv("HF_ENDPOINT", "https://other.example.org")
    assert recall(ADDRESS, tmp_path / "cache") is None


@pytest.mark.usefixtures("receipt")
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(path.name + "!"),
        lambda path: os.utime(path, ns=(0, path.stat().st_mtime_ns + 1)),
        lambda path: path.unlink(),
    ],
    ids=["size", "time", "gone"],
)
def test_a_file_that_changed_makes_it_void(
    tmp_path: Path, files: tuple[Path, ...], which: int, change: Callable[[Path], object]
) -> None:
    status = files[which].stat()
    change(files[which])
    if files[which].exists() and files[which].stat().st_size != status.st_size:
        os.utime(files[which], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert recall(ADDRESS, tmp_path / "cache") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"3",
        b"null",
        b"{}",
        b'{"location": "hf://org/ferry@main"}',
        b'{"location": "hf://org/ferry@main", "files": 3, "path": "/"}',
        b'{"location": "hf://org/ferry@main", "files": [[]], "path": "/"}',
        b'{"location": "hf://org/ferry@main", "files": [[3, 0, 0]], "path": "/"}',
        b'{"location": "hf://org/ferry@main", "files": [["\\u0000", 0, 0]], "path": "/"}',
        b'{"location": "hf://org/ferry@main", "files": [], "path": 3}',
        b'{"location": "hf://org/ferry@other", "files": [], "path": "/"}',
    ],
)
def test_a_damaged_receipt_is_ignored_and_replaced(
    tmp_path: Path, receipt: Path, files: tuple[Path, ...], content: bytes
) -> None:
    receipt.write_bytes(content)
    assert recall(ADDRESS, tmp_path / "cache") is None
    remember(ADDRESS, tmp_path / "cache", tmp_path, files)
    assert recall(ADDRESS, tmp_path / "cache") == tmp_path


def test_a_receipt_of_another_address_is_ignored(tmp_path: Path, receipt: Path) -> None:
    content: dict[str, Any] = json.loads(receipt.read_bytes())
    receipt.write_text(json.dumps({**content, "location": "hf://org/other"}))
    assert recall(ADDRESS, tmp_path / "cache") is None


def test_without_a_place_for_receipts_everything_works(
    assets: Path, tmp_path: Path, files: tuple[Path, ...]
) -> None:
    assets.mkdir(mode=0o500)
    with without_privilege():
        remember(ADDRESS, tmp_path / "cache", tmp_path, files)
    assert recall(ADDRESS, tmp_path / "cache") is None
    assert list(assets.iterdir()) == []
