"""The hub is asked as the environment says, and the cache alone where it says so."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from support.hub_fixtures import TOKEN

from portrait import HubError
from portrait.hub.addresses import Address
from portrait.hub.connection import HubConnection, HubFile

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn

FERRY = Address("model", "org/ferry")
FILES = {"a.safetensors": b"weights", "deep/b.txt": b"text\n", "deep/inside/c.txt": b"", "d.txt": b"more\n"}


def listed(data: bytes, *, large: bool = False) -> HubFile:
    """Return how a file is listed."""
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    return HubFile(len(data), hashlib.sha256(data).hexdigest() if large else None, blob)


@pytest.fixture
def ferry(hub: StandIn) -> Address:
    """A repository with some files, at its commit."""
    return FERRY.at(hub.add_model("org/ferry", FILES))


def test_the_environment_describes_the_connection(
    hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "hub"
    assert HubConnection.of_environment() == HubConnection(hub.url, home)
    assert HubConnection.of_environment(
        token=TOKEN, cache_dir=tmp_path, local_files_only=True
    ) == HubConnection(hub.url, tmp_path, TOKEN, local_only=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert HubConnection.of_environment().local_only


@pytest.mark.parametrize(
    ("path", "recursive", "names"),
    [
        ("", False, {"a.safetensors", "d.txt"}),
        ("", True, {*FILES}),
        ("deep", False, {"deep/b.txt"}),
        ("deep", True, {"deep/b.txt", "deep/inside/c.txt"}),
        ("none", False, set()),
    ],
)
def test_files_are_listed(ferry: Address, path: str, recursive: bool, names: set[str]) -> None:
    files = HubConnection.of_environment().files(ferry.inside(path), recursive=recursive)
    assert files == {name: listed(FILES[name], large=name == "a.safetensors") for name in names}


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("repo_type", ["model", "dataset"])
def test_the_cache_lists_what_the_hub_lists(hub: StandIn, repo_type: Any, recursive: bool) -> None:
    hub.add_model("org/ferry", FILES)
    hub.add("org/ferry", FILES)
    ferry = Address(repo_type, "org/ferry")
    online = HubConnection.of_environment()
    fixed = ferry.at(online.commit(ferry))
    paths = [online.download(fixed.inside(name)) for name in FILES]
    offline = HubConnection.of_environment(local_files_only=True)
    theirs, ours = online.files(fixed, recursive=recursive), offline.files(fixed, recursive=recursive)
    assert theirs.keys() == ours.keys()
    for name, file in ours.items():
        assert (file.n_bytes, file.sha256) == (theirs[name].n_bytes, theirs[name].sha256)
        assert file.blob_id == ("" if file.sha256 else theirs[name].blob_id)
    assert {path.relative_to(online.snapshot(fixed)).as_posix() for path in paths} == {*FILES}
    assert hub.leaked == []


def test_what_the_cache_does_not_have_is_an_error(ferry: Address, tmp_path: Path) -> None:
    offline = HubConnection.of_environment(cache_dir=tmp_path / "cache", local_files_only=True)
    for request in (
        lambda: offline.files(ferry),
        lambda: offline.commit(FERRY),
        lambda: offline.download(ferry.inside("d.txt")),
    ):
        with pytest.raises(HubError) as raised:
            request()
        assert str(raised.value).startswith("hf://org/ferry")
        assert str(raised.value).endswith(
            f": is not in the cache {tmp_path / 'cache'}, and nothing else may be asked: fetch it once while "
            "online"
        )


def test_a_branch_is_a_commit_that_the_cache_remembers(hub: StandIn, ferry: Address) -> None:
    online, offline = HubConnection.of_environment(), HubConnection.of_environment(local_files_only=True)
    assert online.commit(FERRY) == ferry.revision
    newer = hub.models["org/ferry"].commit({}, "branch/of/org")
    assert online.commit(FERRY.at("branch/of/org")) == newer
    hub.clear()
    assert offline.commit(FERRY) == ferry.revision
    assert offline.commit(FERRY.at("branch/of/org")) == newer
    assert hub.requests == []


def test_a_token_is_sent_unless_none_is_wanted(hub: StandIn) -> None:
    hub.add_model("org/secret", FILES, private=True)
    secret = Address("model", "org/secret")
    assert HubConnection.of_environment().commit(secret) == HubConnection.of_environment(token=TOKEN).commit(
        secret
    )
    with pytest.raises(HubError):
        HubConnection.of_environment(token=False).commit(secret)


@pytest.mark.parametrize("end", ["/api/models/org/ferry", "/tree/main", "/resolve/main/d.txt"])
def test_a_hub_that_asks_for_patience_gets_it(
    hub: StandIn, ferry: Address, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.refusals[end.replace("main", str(ferry.revision))] = (2, 0)
    connection = HubConnection.of_environment()
    fixed = FERRY.at(connection.commit(FERRY))
    assert connection.files(fixed)["d.txt"] == listed(FILES["d.txt"])
    assert connection.download(fixed.inside("d.txt")).read_bytes() == FILES["d.txt"]
    assert all(times == 0 for times, _ in hub.refusals.values())
