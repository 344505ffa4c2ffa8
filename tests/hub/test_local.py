"""An address is a path wherever a portrait is read, and nothing is loaded that is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.hub_fixtures import TALE, files_of

import portrait
from portrait import HubError, SpecError
from portrait.hub.local import changeable_path, local_path

if TYPE_CHECKING:
    from support.hub_stand_in import StandIn

#: Opens a portrait, and prints which libraries that has loaded.
_OPEN = """
import sys, portrait
print(portrait.open(sys.argv[1]).query(sys.argv[2]).verdict)
print(*(name for name in ("huggingface_hub", "httpx", "pyarrow", "cryptography") if name in sys.modules))
"""


@pytest.mark.parametrize("location", ["ferry.portrait", Path("ferry.portrait"), "/a/b.bf", "org/ferry"])
def test_a_path_stays_as_it_is(location: str | Path) -> None:
    assert local_path(location) == changeable_path(location) == Path(location)


def test_an_address_is_a_path_in_the_cache(hub: StandIn, tale: Path, tmp_path: Path) -> None:
    commit = hub.add_model("org/ferry", files_of(tale))
    path = local_path("hf://org/ferry")
    assert path.is_relative_to(tmp_path / "home" / "hub")
    assert local_path(f"hf://org/ferry@{commit}") == path
    assert local_path(f"{hub.url}/org/ferry") == path
    assert portrait.open(path).query(TALE).verdict == "found"


def test_a_known_commit_opens_without_the_hubs_library(hub: StandIn, tale: Path) -> None:
    commit = hub.add_model("org/ferry", files_of(tale))
    address = f"hf://org/ferry@{commit}"
    local_path(address)
    hub.requests.clear()
    done = subprocess.run(
        [sys.executable, "-c", _OPEN, address, TALE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "found\n\n"
    assert hub.requests == []


def test_an_address_cannot_be_changed_in_place() -> None:
    with pytest.raises(SpecError, match=r"^hf://org/ferry: is on a hub: pull it into a directory"):
        changeable_path("hf://org/ferry")


@pytest.mark.usefixtures("hub")
def test_what_cannot_be_fetched_is_an_error() -> None:
    with pytest.raises(HubError, match=r"^hf://org/ferry: no such repository"):
        local_path("hf://org/ferry")
    with pytest.raises(SpecError, match=r"^hf://ferry: not an address"):
        local_path("hf://ferry")
