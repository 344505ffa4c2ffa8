"""``portrait card``: the card, the model's section, and the descriptions, on stdout and in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import message_of

import portrait

if TYPE_CHECKING:
    from conftest import Cli

TALE = "The card of a portrait says where its text comes from, and how to ask about it. " * 5


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a portrait."""
    monkeypatch.chdir(tmp_path)
    Path("tale.txt").write_text(TALE)
    portrait.build({"tales": "tale.txt"}, "p.portrait")
    return tmp_path


def test_the_card_is_that_of_the_directory(cli: Cli) -> None:
    card = Path("p.portrait/README.md")
    assert cli("card", "p.portrait") == (0, card.read_text(), "")
    card.write_text(card.read_text() + "\nWritten by hand.\n")
    assert cli("card", "p.portrait").out == card.read_text()
    published = cli("card", "p.portrait", "--address", "hf://org/p").out
    assert "portrait query hf://org/p " in published
    assert published.endswith("\nWritten by hand.\n")
    card.unlink()
    assert "# p.portrait\n" in cli("card", "p.portrait").out


def test_a_models_card_gets_a_section(cli: Cli) -> None:
    page = Path("README.md")
    page.write_text("# My model\n")
    assert cli("card", "p.portrait", "--for-model", "org/model", "-o", page) == (0, "", "")
    once = page.read_text()
    assert once.startswith("# My model\n\n<!-- portrait:model begin")
    assert "hf://org/model/p.portrait" in once
    assert cli("card", "p.portrait", "--for-model", "org/model", "-o", page).code == 0
    assert page.read_text() == once
    assert cli("card", "p.portrait", "--for-model", "org/model").out in once
    assert "not a model's repository" in message_of(cli("card", "p.portrait", "--for-model", "model"))


def test_a_croissant_description_is_json(cli: Cli) -> None:
    content = json.loads(cli("card", "p.portrait", "--croissant", "--address", "hf://org/p").out)
    assert content["name"]
    files = {one["name"] for one in content["distribution"]}
    assert "portrait.json" in files


@pytest.mark.parametrize("name", ["training-summary.md", "training-summary.json"])
def test_a_training_summary_keeps_what_people_filled_in(cli: Cli, name: str) -> None:
    as_json = ["--json"] if name.endswith(".json") else []
    out = cli("card", "p.portrait", "--training-summary", *as_json).out
    assert "tales" in out
    assert cli("card", "p.portrait", "--training-summary", "-o", name).code == 0
    assert Path(name).read_text() == out
    assert cli("card", "p.portrait", "--training-summary", "-o", name).code == 0
    assert Path(name).read_text() == out


def test_what_people_have_written_in_another_card_stays(cli: Cli) -> None:
    other = Path("other.md")
    other.write_text(Path("p.portrait/README.md").read_text() + "\nOnly here.\n")
    assert cli("card", "p.portrait", "-o", other) == (0, "", "")
    assert other.read_text().endswith("\nOnly here.\n")


def test_files_of_somebody_else_are_not_replaced(cli: Cli) -> None:
    theirs = Path("theirs.md")
    theirs.write_text("# Theirs\n")
    for options in (["--training-summary"], []):
        assert "choose another name" in message_of(cli("card", "p.portrait", *options, "-o", theirs))
    assert theirs.read_text() == "# Theirs\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--croissant", "--training-summary"], "exclude each other"),
        (["--croissant", "--for-model", "a/b"], "exclude each other"),
        (["--training-summary", "--json", "-o", "s.md"], "s.md: is Markdown by its name"),
        (["--json"], "--json belongs to --training-summary"),
        (["-o", "missing/card.md"], "missing/card.md: "),
    ],
)
def test_options_that_contradict_each_other_are_refused(cli: Cli, options: list[str], message: str) -> None:
    assert message in message_of(cli("card", "p.portrait", *options))


def test_what_is_no_portrait_has_no_card(cli: Cli) -> None:
    assert message_of(cli("card", "nothing")) == "nothing: no such file or directory"
