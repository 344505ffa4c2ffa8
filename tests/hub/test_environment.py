"""The hub's variables mean the same here as in the hub's library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portrait.hub.environment import (
    assets_directory,
    cache_directory,
    endpoint_url,
    is_address,
    is_offline,
)

if TYPE_CHECKING:
    import os

VARIABLES = (
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_ASSETS_CACHE",
    "HUGGINGFACE_ASSETS_CACHE",
    "HF_HOME",
    "XDG_CACHE_HOME",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
)
#: Prints what the hub's library makes of several environments.
_THEIRS = """
import importlib, json, os, sys
from huggingface_hub import constants
facts = []
for variables in json.loads(sys.argv[1]):
    for name in json.loads(sys.argv[2]):
        os.environ.pop(name, None)
    os.environ.update(variables)
    importlib.reload(constants)
    directories = [constants.HF_HUB_CACHE, constants.HF_ASSETS_CACHE]
    facts.append([*directories, constants.ENDPOINT, constants.HF_HUB_OFFLINE])
print(json.dumps(facts))
"""
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"HF_HOME": "/home/of/hf"},
    {"HF_HOME": "~/hf", "HF_HUB_CACHE": "$HOME/hub"},
    {"XDG_CACHE_HOME": "/xdg"},
    {"XDG_CACHE_HOME": "/xdg", "HF_HOME": "/hf", "HUGGINGFACE_HUB_CACHE": "/hub"},
    {"HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "/new", "HF_ASSETS_CACHE": "/assets"},
    {"HUGGINGFACE_ASSETS_CACHE": "/assets"},
    {"HF_ENDPOINT": "https://hub.example.org/"},
    {"HF_ENDPOINT": "http://localhost:8080"},
    {"HF_HUB_OFFLINE": "1"},
    {"HF_HUB_OFFLINE": "yes"},
    {"HF_HUB_OFFLINE": "0"},
    {"HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "true"},
    {"HF_HUB_OFFLINE": "off", "TRANSFORMERS_OFFLINE": "on"},
    {"TRANSFORMERS_OFFLINE": "On"},
]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the hub be set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_variables_mean_what_they_mean_to_the_hubs_library(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _THEIRS, json.dumps(ENVIRONMENTS), json.dumps(VARIABLES)],
        capture_output=True,
        check=True,
    )
    theirs = json.loads(done.stdout)
    ours = []
    for variables in ENVIRONMENTS:
        with monkeypatch.context() as context:
            for name, value in variables.items():
                context.setenv(name, value)
            ours.append([str(cache_directory()), str(assets_directory()), endpoint_url(), is_offline()])
    assert ours == theirs
    assert len({json.dumps(facts) for facts in ours}) > 8


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("hf://org/ferry", True),
        ("https://huggingface.co/org/ferry", True),
        ("https://huggingface.co.example.org/org/ferry", False),
        ("https://example.org/org/ferry", False),
        ("ferry.portrait", False),
        ("org/ferry", False),
        ("./hf:/org", False),
        ("", False),
        (Path("hf://org/ferry"), False),
    ],
)
def test_addresses_are_told_from_paths(location: str | os.PathLike[str], expected: bool) -> None:
    assert is_address(location) is expected


def test_pages_of_the_hub_in_use_are_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org/")
    assert is_address("https://hub.example.org/org/ferry")
    assert not is_address("https://huggingface.co/org/ferry")
