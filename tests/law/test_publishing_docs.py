"""docs/publishing.md does what it shows, against a stand-in for the hub."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from typing import TYPE_CHECKING

import click
import pytest
from support.hub_stand_in import serving
from support.places import DOCS as DOCS_FOLDER
from support.places import ROOT

from portrait.cli.push import command as push_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DOCS = (DOCS_FOLDER / "publishing.md").read_text(encoding="utf-8")
NOTES = "A note about the licence, which somebody has written down for those who come later. " * 5


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """A function that runs a command where the page does, and returns its output as the page shows it."""
    shutil.copy(ROOT / "LICENSE", tmp_path)
    (tmp_path / "notes.txt").write_text(NOTES)
    with serving() as hub:
        hub.tokens["token"] = "my-org"
        environment = {
            "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}",
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "hf"),
            "HF_TOKEN": "token",
            "HF_HUB_DISABLE_XET": "1",
        }

        def shown(command: str) -> str:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode in (0, 1), done.stderr) == (True, ""), done
            text = done.stdout.replace(hub.url, "https://huggingface.co")
            return re.sub(r"\b[0-9a-f]{40}\b", "0" * 40, text)

        # The manifest holds the path as it is given: a relative one always takes as many bytes.
        shown("portrait build LICENSE -o license.portrait -q")
        yield shown


def steps() -> list[tuple[str, str]]:
    """Return the commands of the page, each with the output that it shows."""
    found = []
    for kind, block in re.findall(r"^```(console|sh)\n(.*?)^```$", DOCS, flags=re.MULTILINE | re.DOTALL):
        if kind == "sh":
            found.append((block, ""))
        else:
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output))
    return found


def test_every_transcript_shows_the_real_output(run: Callable[[str], str]) -> None:
    assert len(steps()) >= 6
    for command, expected in steps():
        assert sizeless(run(command)) == sizeless(expected), command


def sizeless(text: str) -> str:
    """Return a text without the size of what was uploaded, which changes with every word of the card."""
    return re.sub(r"(?<= files \()[\d.]+ kB(?=\) uploaded)", "SIZE", text)


def test_every_option_of_push_that_needs_words_is_explained() -> None:
    options = {
        option.opts[-1]
        for option in push_command.params
        if isinstance(option, click.Option) and option.name not in ("quiet", "as_json", "commit_message")
    }
    assert options == {*re.findall(r"^\| `(--[\w-]+)` \|", DOCS, flags=re.MULTILINE)}
