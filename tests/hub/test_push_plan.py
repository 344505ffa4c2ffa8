"""A push uploads what differs, removes what only the old portrait lists, and touches nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.hub_fixtures import files_of, shard_name

from portrait import OutputExistsError
from portrait.bundle import reader as bundles
from portrait.hub.addresses import Address
from portrait.hub.connection import HubFile
from portrait.hub.push_plan import PushPlan, RemoteFolder, Upload, parse_remote, plan_push

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from portrait.bundle.manifest import Manifest

FERRY = Address("model", "org/ferry", "main", "deep")
COMMIT = "0" * 40


def manifest_of(bundle: Path) -> Manifest:
    """Return a portrait's manifest."""
    return bundles.read(bundle).manifest


def recorded(manifest: Manifest) -> dict[str, HubFile]:
    """Return a portrait's files as a repository lists them that holds exactly these."""
    records = [record for layer in manifest.layers for record in layer.files]
    return {record.file: HubFile(record.bytes, record.sha256, "") for record in records}


def folder(
    files: Mapping[str, HubFile],
    manifest: Manifest | None = None,
    texts: Mapping[str, bytes] | None = None,
) -> RemoteFolder:
    """Return a directory of a repository."""
    return RemoteFolder(FERRY, COMMIT, files, manifest, texts or {})


def plan(bundle: Path, remote: RemoteFolder, *texts: Upload) -> PushPlan:
    """Return what a push of a portrait changes."""
    return plan_push(bundle, manifest_of(bundle), texts, remote)


def names(uploads: tuple[Upload, ...]) -> set[str]:
    """Return the names of files that are uploaded."""
    return {upload.name for upload in uploads}


def test_everything_goes_into_an_empty_directory(saga: Path) -> None:
    text = Upload("portrait.json", b"text", 4)
    planned = plan(saga, folder({}), text)
    assert names(planned.uploads) == {"portrait.json", *recorded(manifest_of(saga))}
    assert (planned.unchanged, planned.removed) == ((), ())
    for upload in planned.uploads:
        if upload is not text:
            assert upload.content == saga / upload.name
            assert upload.n_bytes == len(files_of(saga)[upload.name])
            assert upload.sha256 == recorded(manifest_of(saga))[upload.name].sha256


def test_what_is_there_is_not_uploaded(saga: Path) -> None:
    manifest = manifest_of(saga)
    texts = {"portrait.json": b"same", "README.md": b"old"}
    planned = plan(
        saga,
        folder(recorded(manifest), manifest, texts),
        Upload("portrait.json", b"same", 4),
        Upload("README.md", b"new", 3),
    )
    assert names(planned.uploads) == {"README.md"}
    assert {*planned.unchanged} == {"portrait.json", *recorded(manifest)}
    assert planned.removed == ()


def test_the_same_file_is_not_somebody_elses(tale: Path) -> None:
    manifest = manifest_of(tale)
    assert {*plan(tale, folder(recorded(manifest))).unchanged} == {*recorded(manifest)}


@pytest.mark.parametrize("sha256", ["0" * 64, None])
def test_another_file_of_that_name_is_replaced_only_if_the_old_portrait_lists_it(
    tale: Path, sha256: str | None
) -> None:
    shard = shard_name(tale)
    files = {**recorded(manifest_of(tale)), shard: HubFile(5, sha256, "")}
    with pytest.raises(OutputExistsError) as raised:
        plan(tale, folder(files))
    assert str(raised.value).startswith(f"hf://org/ferry@main/deep/{shard}: is somebody else's file")
    assert raised.value.parameter == "path_in_repo"
    assert names(plan(tale, folder(files, manifest_of(tale))).uploads) == {shard}


def test_files_that_only_the_old_portrait_lists_are_removed(tale: Path, saga: Path) -> None:
    old, new = manifest_of(saga), manifest_of(tale)
    files = {**recorded(old), "notes.txt": HubFile(5, None, "")}
    planned = plan(tale, folder(files, old))
    assert {*planned.removed} == recorded(old).keys() - recorded(new).keys()
    assert list(planned.removed) == sorted(planned.removed)
    assert "notes.txt" not in planned.unchanged


def test_a_file_that_is_not_what_the_old_portrait_lists_stays(tale: Path, saga: Path) -> None:
    old = manifest_of(saga)
    gone = recorded(old).keys() - recorded(manifest_of(tale)).keys()
    files = {
        name: replace(file, n_bytes=file.n_bytes + (name in gone)) for name, file in recorded(old).items()
    }
    assert plan(tale, folder(files, old)).removed == ()
    assert plan(tale, folder({}, old)).removed == ()


def test_filters_of_other_software_stay(tale: Path, saga: Path) -> None:
    old = manifest_of(saga)
    foreign = replace(old, layers=tuple(replace(layer, documents=None) for layer in old.layers))
    assert plan(tale, folder(recorded(old), foreign)).removed == ()


def test_the_manifest_there_is_read(tale: Path) -> None:
    assert parse_remote((tale / "portrait.json").read_bytes(), FERRY) == manifest_of(tale)


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b'{"format": "portrait", "format_version": 99}'])
def test_an_unreadable_manifest_is_an_error(text: bytes) -> None:
    with pytest.raises(OutputExistsError) as raised:
        parse_remote(text, FERRY)
    assert str(raised.value).startswith("hf://org/ferry@main/deep/portrait.json: ")
    assert "none is replaced: choose another path in the repository" in str(raised.value)
    assert str(raised.value).isprintable()
    assert raised.value.parameter == "path_in_repo"
