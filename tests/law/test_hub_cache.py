"""A portrait from a hub: the cache that huggingface_hub makes, whose files are links to shared blobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import hf_hub_download, snapshot_download
from support.file_trees import snapshot
from support.hub_stand_in import serving
from support.places import GOLDEN

import portrait
from portrait import Stride, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Cli
    from support.hub_stand_in import StandIn

TALES = {name: f"{name}: the tale of the {name} begins where the last one ends. " * 9 for name in "abc"}
SPEC = WindowSpec(20, Stride(10))
MODEL_FILES = {"model.safetensors": b"weights", ".gitattributes": b"*.safetensors filter=lfs\n"}


@pytest.fixture(scope="module")
def hub() -> Iterator[StandIn]:
    """A stand-in for the hub."""
    with serving() as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: StandIn) -> Path:
    """The working directory, with texts; the hub has a repository with a portrait, and one with a filter."""
    monkeypatch.chdir(tmp_path)
    for name, tale in TALES.items():
        Path(f"{name}.txt").write_text(tale)
    portrait.build({"a": "a.txt", "b": "b.txt"}, "ab", windows=SPEC, license="CC0-1.0")
    portrait.build({"c": "c.txt"}, "c", windows=SPEC)
    files = {path.name: path.read_bytes() for path in Path("ab").iterdir()}
    theirs = {path.name: path.read_bytes() for path in (GOLDEN / "redisbloom").glob("words.50-50.bf*")}
    hub.repositories.clear()
    hub.add("org/ab", {**files, **MODEL_FILES, **{f"inside/{name}": data for name, data in files.items()}})
    hub.add("org/words", theirs)
    return tmp_path


def download(hub: StandIn, name: str) -> Path:
    """Return the snapshot of a repository in a cache that huggingface_hub fills."""
    path = Path(
        snapshot_download(
            f"org/{name}", repo_type="dataset", cache_dir="cache", endpoint=hub.url, token=False
        )
    )
    assert all(file.is_symlink() for file in path.rglob("*") if not file.is_dir())
    return path.relative_to(Path.cwd()) if path.is_absolute() else path


def blobs(snapshot_path: Path) -> dict[str, bytes | str | None]:
    """Return what a cache holds besides its snapshots."""
    return snapshot(snapshot_path.parents[1] / "blobs")


def test_a_snapshot_is_opened_asked_and_verified(hub: StandIn, cli: Cli) -> None:
    path = download(hub, "ab")
    for bundle in (path, path / "inside"):
        assert portrait.open(bundle).query(TALES["a"]).verdict == "found"
        assert portrait.verify(bundle).id == portrait.open("ab").manifest.id
        assert cli("query", bundle, "-f", "a.txt").code == 0
        assert cli("info", bundle).code == 0
        assert cli("verify", bundle, "--quiet") == (0, "", "")


def test_files_that_were_downloaded_one_by_one_are_a_portrait(hub: StandIn) -> None:
    paths = [
        Path(
            hf_hub_download(
                "org/ab", name, repo_type="dataset", cache_dir="cache", endpoint=hub.url, token=False
            )
        )
        for name in sorted(path.name for path in Path("ab").iterdir())
    ]
    assert portrait.open(paths[0].parent).query(TALES["b"]).verdict == "found"


def test_a_filter_of_other_software_is_read_and_wrapped_in_a_snapshot(hub: StandIn) -> None:
    path = download(hub, "words")
    before = blobs(path)
    entries = portrait.open(path / "words.50-50.bf").facts["entries"]
    assert portrait.wrap(path / "words.50-50.bf", path).manifest.layers[0].distinct_keys == entries
    portrait.wrap(path / "words.50-50.bf", "new")
    for bundle in (path, Path("new")):
        portrait.verify(bundle)
    assert not any(file.is_symlink() for file in Path("new").iterdir())
    assert blobs(path) == before


def test_what_is_made_of_a_snapshot_is_made_of_files(hub: StandIn) -> None:
    path = download(hub, "ab")
    before = blobs(path)
    portrait.convert(path, "cut", max_shard_bytes=4096)
    portrait.merge([path, "c"], "abc")
    for bundle in ("cut", "abc"):
        assert not any(file.is_symlink() for file in Path(bundle).iterdir())
        portrait.verify(bundle)
    assert blobs(path) == before


def test_writing_into_a_snapshot_leaves_the_blobs_alone(hub: StandIn) -> None:
    path = download(hub, "ab")
    before, inodes = blobs(path), {file: file.stat().st_ino for file in path.parents[1].glob("blobs/*")}
    model = path / "model.safetensors"
    target = model.readlink()
    portrait.add(path, {"c": "c.txt"})
    assert portrait.open(path).query(TALES["c"]).verdict == "found"
    portrait.verify(path)
    portrait.drop(path, ["a"])
    portrait.build("c.txt", path, windows=SPEC, overwrite=True)
    portrait.verify(path)
    assert model.readlink() == target
    assert blobs(path) == before
    assert {file: file.stat().st_ino for file in path.parents[1].glob("blobs/*")} == inodes
    # The portrait beside it, whose files are the same blobs, is whole.
    portrait.verify(path / "inside")


def test_a_snapshot_whose_blob_is_missing_says_so(hub: StandIn) -> None:
    path = download(hub, "ab")
    shard = next(path.glob("a-*-of-*"))
    (shard.parent / shard.readlink()).unlink()
    with pytest.raises(portrait.DamagedBundleError) as error:
        portrait.open(path)
    assert str(error.value) == f"{shard}: is a link to {shard.readlink()}, which is missing"
