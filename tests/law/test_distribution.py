"""The distribution is called data-portrait: the name portrait on PyPI belongs to somebody else's package."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
from support.places import ROOT

from portrait.errors import MissingExtraError
from portrait.extras import load

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: An installation, or a requirement with extras, of the distribution that is not ours.
WRONG_NAME = re.compile(
    r"""(?:pip|pipx|uv|uvx|add|install)\s+(?:-\S+\s+)*['"]?portrait\b(?![-/.])"""
    r"""|(?<![\w/.-])portrait\[[a-z,]+\]"""
    r"""|(?<![\w/.-])portrait\s*(?:==|~=|>=)\s*\d"""
)


def texts() -> list[Path]:
    """Return the files that git lists, or all files of the folders where there is no git."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = done.stdout.decode().split("\0") if done.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or [
        path
        for folder in ("portrait", "server", "tests", "docs", "benchmarks", "native/src", ".ci")
        for path in (ROOT / folder).rglob("*")
    ]
    return [path for path in paths if path.is_file() and path.name != "test_distribution.py"]


def test_the_distribution_has_a_name_of_its_own_and_the_command_keeps_its_name() -> None:
    assert PROJECT["name"] == "data-portrait"
    # The hub's own command line calls its extension by the second name.
    main = "portrait.cli.main:main"
    assert PROJECT["scripts"] == {"portrait": main, "hf-portrait": main}


def test_no_text_tells_people_to_install_somebody_elses_package() -> None:
    wrong = {}
    for path in texts():
        try:
            found = WRONG_NAME.findall(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
        if found:
            wrong[path.relative_to(ROOT).as_posix()] = found
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    [
        "pip install portrait",
        "pip install --upgrade portrait",
        "pip install 'portrait[build]'",
        '"portrait[all]",',
        "uv add portrait",
        "portrait>=0.1",
    ],
)
def test_the_wrong_name_is_detected(text: str) -> None:
    assert WRONG_NAME.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install data-portrait",
        "pip install 'data-portrait[build]'",
        "pip install ./portrait.whl",
        "install portrait-like packages",
        "portrait build portrait/",
    ],
)
def test_the_right_name_is_accepted(text: str) -> None:
    assert WRONG_NAME.search(text) is None


def test_the_message_about_a_missing_extra_names_the_distribution() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'data-portrait\[build\]'"):
        load("nothing_of_this_name", "build")
