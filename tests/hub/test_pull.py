"""A pulled portrait is verified, and in a directory of its own it is like one that was built there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.hub_fixtures import NOTE, SEQUEL, TALE, files_of, shard_name
from support.places import GOLDEN
from support.signers import write_keys

import portrait
from portrait import (
    DamagedBundleError,
    HubError,
    NotAPortraitError,
    OutputError,
    OutputExistsError,
    SpecError,
)
from portrait.hub.pull import pull

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn

ADDRESS = "hf://org/ferry"


def test_a_portrait_stays_in_the_cache(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    path = pull(ADDRESS, cache_dir=tmp_path / "cache")
    assert path.is_relative_to(tmp_path / "cache")
    assert pull(ADDRESS, cache_dir=tmp_path / "cache", local_files_only=True) == path
    portrait.verify(path)


def test_a_directory_of_its_own_is_independent_of_the_cache(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", {**files_of(tale), "model.safetensors": b"weights"})
    out = pull(ADDRESS, tmp_path / "out")
    shutil.rmtree(tmp_path / "home")
    assert out == tmp_path / "out"
    # The card names its directory.
    assert {**files_of(out), "README.md": b""} == {**files_of(tale), "README.md": b""}
    assert not any(file.is_symlink() for file in out.iterdir())
    (tmp_path / "sequel.txt").write_text(SEQUEL)
    portrait.add(out, {"sequel": tmp_path / "sequel.txt"})
    assert portrait.open(out).query(SEQUEL).verdict == "found"
    portrait.verify(out)


def test_card_and_signature_travel_with_the_portrait(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    signed = shutil.copytree(tale, tmp_path / "signed")
    private, public = write_keys(tmp_path)
    portrait.sign(signed, private)
    files = files_of(signed)
    hub.add_model("org/ferry", {**files, "README.md": files["README.md"] + NOTE, "croissant.json": b"{}\n"})
    out = pull(ADDRESS, tmp_path / "out")
    assert (out / "README.md").read_bytes().endswith(NOTE)
    assert (out / "croissant.json").read_bytes() == b"{}\n"
    portrait.verify(out, public_key=public)


def test_what_is_there_is_replaced_only_on_request(
    hub: StandIn, tale: Path, saga: Path, tmp_path: Path
) -> None:
    hub.add_model("org/ferry", files_of(saga))
    out = shutil.copytree(tale, tmp_path / "out")
    with pytest.raises(OutputExistsError):
        pull(ADDRESS, out)
    assert hub.requests == []
    assert files_of(out) == files_of(tale)
    assert pull(ADDRESS, out, overwrite=True) == out
    assert {*portrait.open(out).sources} == {"tale", "sequel"}
    portrait.verify(out)


def test_a_signature_is_left_out_where_its_files_get_other_names(
    hub: StandIn, tale: Path, tmp_path: Path
) -> None:
    signed = shutil.copytree(tale, tmp_path / "signed")
    portrait.sign(signed, write_keys(tmp_path)[0])
    hub.add_model("org/ferry", files_of(signed))
    (tmp_path / "tale.txt").write_text(SEQUEL)
    out = portrait.build({"tale": tmp_path / "tale.txt"}, tmp_path / "out").path
    pull(ADDRESS, out, overwrite=True)
    portrait.verify(out)
    assert portrait.open(out).query(TALE).verdict == "found"
    assert shard_name(out) != shard_name(signed)
    assert not (out / "portrait.sigstore.json").exists()


def test_files_that_are_not_a_portraits_are_never_replaced(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputExistsError):
        pull(ADDRESS, tmp_path / "out", overwrite=True)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_spoiled_portrait_leaves_no_directory(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    hub.spoiled.add(shard_name(tale))
    with pytest.raises(DamagedBundleError):
        pull(ADDRESS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_directory_that_cannot_be_made_is_an_error(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    hub.add_model("org/ferry", files_of(tale))
    with pytest.raises(OutputError, match="missing"):
        pull(ADDRESS, tmp_path / "missing" / "out")


@pytest.mark.parametrize("name", ["words.50-50.bf", "words-legacy.50-50.bf"])
def test_a_filter_of_the_original_library_is_copied_with_its_parts(
    hub: StandIn, tmp_path: Path, name: str
) -> None:
    folder = GOLDEN / "redisbloom"
    parts = {file.name: file.read_bytes() for file in folder.glob(f"{name}*") if file.suffix != ".json"}
    hub.add("org/words", {**parts, "README.md": b"Words.\n"})
    out = pull(f"hf://datasets/org/words/{name}", tmp_path / "out")
    assert out == tmp_path / "out" / name
    assert files_of(tmp_path / "out") == parts
    assert portrait.open(out).facts == portrait.open(folder / name).facts
    with pytest.raises(OutputExistsError):
        pull(f"hf://datasets/org/words/{name}", tmp_path / "out")


@pytest.mark.parametrize("location", ["org/ferry", "ferry.portrait", "https://example.org/ferry"])
def test_an_address_is_needed(location: str) -> None:
    with pytest.raises(SpecError, match="not an address: name a repository, such as hf://ORG/NAME"):
        pull(location)


@pytest.mark.parametrize(
    ("location", "error", "message"),
    [
        ("hf://org/none", HubError, "hf://org/none: no such repository, or one that you may not see"),
        ("hf://else/secret", HubError, "hf://else/secret: no such repository, or one that you may not see"),
        ("hf://org/ferry@none", HubError, "hf://org/ferry: no revision 'none': name a branch"),
        ("hf://org/gated", HubError, "hf://org/gated: access is restricted: ask for it on "),
        ("hf://org/empty", NotAPortraitError, "hf://org/empty: holds no portrait"),
    ],
)
def test_what_cannot_be_pulled_is_said_in_a_line(
    hub: StandIn, tale: Path, location: str, error: type[portrait.PortraitError], message: str
) -> None:
    hub.add_model("org/ferry", files_of(tale))
    hub.add_model("org/gated", files_of(tale))
    hub.models["org/gated"].gated = True
    hub.add_model("else/secret", files_of(tale), private=True)
    hub.add_model("org/empty", {"README.md": b"# Nothing\n"})
    with pytest.raises(error) as raised:
        pull(location)
    assert type(raised.value) is error
    assert str(raised.value).startswith(message)
    assert str(raised.value).isprintable()


def test_a_private_portrait_is_pulled_with_a_token_only(hub: StandIn, tale: Path) -> None:
    hub.add_model("org/ferry", files_of(tale), private=True)
    for token in (False, "unknown"):
        with pytest.raises(HubError, match="log in"):
            pull(ADDRESS, token=token)
    assert portrait.open(pull(ADDRESS)).query(TALE).verdict == "found"
