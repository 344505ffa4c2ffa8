"""Addresses are read as the hub's library reads them, and written so that they are read back the same."""

from __future__ import annotations

import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait import SpecError
from portrait.hub.addresses import Address, of_repository, of_snapshot, parse, require_path

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

COMMIT = "0123456789abcdef" * 2 + "01234567"
FERRY = Address("model", "org/ferry")
_LETTERS = string.ascii_letters + string.digits


def _names(more: str) -> SearchStrategy[str]:
    return st.text(_LETTERS + more, min_size=1, max_size=8).filter(lambda name: not {*name} <= {*"."})


def _joined(names: SearchStrategy[str], least: int) -> SearchStrategy[str]:
    return st.lists(names, min_size=least, max_size=3).map("/".join)


ADDRESSES = st.builds(
    Address,
    st.sampled_from(["model", "dataset"]),
    st.builds("{}/{}".format, st.text(_LETTERS, min_size=1), st.text(_LETTERS, min_size=1)),
    st.none() | _joined(_names("_-."), 1) | st.sampled_from(["refs/pr/12", "refs/convert/parquet", COMMIT]),
    _joined(_names("_-. @é天'(+#?"), 0),
)


@given(ADDRESSES)
def test_an_address_is_read_back_as_it_was_written(address: Address) -> None:
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("hf://org/ferry", FERRY),
        ("hf://models/org/ferry/", FERRY),
        ("hf://datasets/org/ferry", Address("dataset", "org/ferry")),
        ("hf://org/ferry@v1.0", Address("model", "org/ferry", "v1.0")),
        ("hf://org/ferry@v1.0/a/b.bf", Address("model", "org/ferry", "v1.0", "a/b.bf")),
        ("hf://org/ferry@feature%2Fx/a", Address("model", "org/ferry", "feature/x", "a")),
        ("hf://datasets/org/ferry@refs/pr/3/a", Address("dataset", "org/ferry", "refs/pr/3", "a")),
        ("https://huggingface.co/org/ferry", FERRY),
        ("https://huggingface.co/datasets/org/ferry", Address("dataset", "org/ferry")),
        ("https://huggingface.co/org/ferry/tree/main/a", Address("model", "org/ferry", "main", "a")),
    ],
)
def test_addresses_are_read(location: str, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert parse(location) == address


def test_pages_of_another_hub_are_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org/")
    assert parse("https://hub.example.org/org/ferry") == FERRY
    assert FERRY.page == "https://hub.example.org/org/ferry"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("hf://", "not an address of a repository: Empty body"),
        ("hf://org", "not an address of a repository: Repository id must be 'namespace/name'"),
        ("hf://org/ferry@", "not an address of a repository: Empty revision"),
        ("hf://or g/ferry", "not an address of a repository: "),
        ("hf://org/ferry//a", "not an address of a repository: "),
        ("hf://spaces/org/ferry", "is in a space: portraits are in repositories of models, hf://ORG/NAME"),
        ("hf://org/ferry/../a", "no part of it may be empty, . or .."),
        ("hf://org/ferry/a/.", "no part of it may be empty, . or .."),
        ("hf://org/ferry/a\\b", "not a path in a repository"),
        ("hf://org/ferry/a\0b", "not a path in a repository"),
    ],
)
def test_what_is_no_address_is_refused(location: str, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse(location)
    assert message in str(raised.value)
    assert str(raised.value).startswith(location.replace("\0", "\\x00"))
    assert str(raised.value).isprintable()


def test_only_a_commit_is_fixed() -> None:
    assert FERRY.at(COMMIT).is_fixed
    for other in (None, "main", COMMIT[:-1], f"{COMMIT}0", COMMIT.upper(), "refs/pr/1"):
        assert not FERRY.at(other).is_fixed


def test_the_parts_of_an_address() -> None:
    inside = FERRY.inside("a/words.bf")
    assert (FERRY.name, inside.name) == ("ferry", "words.bf")
    assert FERRY.join("a.json") == "a.json"
    assert FERRY.inside("a/b").join("c.json") == "a/b/c.json"
    dataset = Address("dataset", "org/ferry", "main", "a")
    assert dataset.page.endswith("/datasets/org/ferry")
    assert dataset.commit_page(COMMIT) == f"{dataset.page}/commit/{COMMIT}"


@pytest.mark.parametrize(
    ("repository", "options", "expected"),
    [
        ("org/ferry", {}, "hf://org/ferry"),
        ("org/ferry", {"repo_type": "dataset"}, "hf://datasets/org/ferry"),
        ("org/ferry", {"revision": "v1", "path": "/a/b/"}, "hf://org/ferry@v1/a/b"),
        ("hf://datasets/org/ferry", {"path": "a"}, "hf://datasets/org/ferry/a"),
        ("hf://org/ferry/a", {"revision": "v1"}, "hf://org/ferry@v1/a"),
        ("hf://org/ferry@v1", {"path": "a"}, "hf://org/ferry@v1/a"),
    ],
)
def test_a_repository_may_be_stated_in_parts(repository: str, options: dict[str, Any], expected: str) -> None:
    assert str(of_repository(repository, **options)) == expected


@pytest.mark.parametrize(
    ("repository", "options", "parameter"),
    [
        ("ferry", {}, None),
        ("", {}, None),
        ("org/ferry/a", {}, None),
        ("org/ferry@v1", {}, None),
        ("org/ferry", {"path": "a/../b"}, None),
        ("org/ferry", {"path": "a//b"}, None),
        ("org/ferry", {"repo_type": "space"}, "repo_type"),
        ("hf://org/ferry@v1", {"revision": "v2"}, "revision"),
        ("hf://org/ferry/a", {"path": "b"}, "path"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    repository: str, options: dict[str, Any], parameter: str | None
) -> None:
    with pytest.raises(SpecError) as raised:
        of_repository(repository, **options)
    assert raised.value.parameter == parameter


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/cache/models--org--ferry/snapshots/{COMMIT}", f"hf://org/ferry@{COMMIT}"),
        (f"/cache/datasets--org--ferry/snapshots/{COMMIT}/a/b", f"hf://datasets/org/ferry@{COMMIT}/a/b"),
        (f"/cache/models--org--the--ferry/snapshots/{COMMIT}", f"hf://org/the--ferry@{COMMIT}"),
        (f"/cache/spaces--org--ferry/snapshots/{COMMIT}", None),
        (f"/cache/models--org--ferry/blobs/{COMMIT}", None),
        ("/cache/models--org--ferry/snapshots/main", None),
        (f"/snapshots/{COMMIT}", None),
        ("/ferry.portrait", None),
        ("/", None),
    ],
)
def test_a_path_in_the_cache_has_an_address(path: str, expected: str | None) -> None:
    address = of_snapshot(Path(path))
    assert (address and str(address)) == expected


@given(st.text("a./\\\0", max_size=6))
def test_a_path_stays_inside(path: str) -> None:
    inside = path == "" or all((part and part.strip(".")) or len(part) > 2 for part in path.split("/"))
    if inside and "\0" not in path and "\\" not in path:
        assert require_path(path, "there") == path
    else:
        with pytest.raises(SpecError, match=r"^there: not a path in a repository"):
            require_path(path, "there")
