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
    assert cli.here("card", "p.portrait") == (0, card.read_text(), "")
    card.write_text(card.read_text() + "\nWritten by hand.\n")
    assert cli.here("card", "p.portrait").out == card.read_text()
    published = cli.here("card", "p.portrait", "--address", "hf://org/p").out
    assert "portrait query hf://org/p " in published
    assert published.endswith("\nWritten by hand.\n")
    card.unlink()
    assert "# p.portrait\n" in cli.here("card", "p.portrait").out


def test_a_card_that_is_written_again_keeps_what_people_wrote_in_it(cli: Cli) -> None:
    copy = Path("copy.md")
    assert cli.here("card", "p.portrait", "-o", copy).code == 0
    copy.write_text(copy.read_text() + "Written in the copy.\n")
    Path("p.portrait/README.md").write_text(cli.here("card", "p.portrait").out + "Written in the portrait.\n")
    assert cli.here("card", "p.portrait", "--address", "hf://org/p", "-o", copy) == (0, "", "")
    assert copy.read_text().endswith("<!-- portrait:end -->\nWritten in the copy.\n")
    assert "portrait query hf://org/p " in copy.read_text()


def test_a_file_is_written_in_place_of_a_link(cli: Cli) -> None:
    page, link = Path("page.md"), Path("link.md")
    page.write_text("# My model\n")
    link.symlink_to(page)
    assert cli.here("card", "p.portrait", "--for-model", "org/model", "-o", link).code == 0
    assert not link.is_symlink()
    assert link.read_text().startswith("# My model\n")
    assert page.read_text() == "# My model\n"


def test_the_name_is_that_of_the_address_without_its_revision(cli: Cli) -> None:
    text = cli.here("card", "p.portrait", "--address", "hf://org/harbour@v1").out
    assert "\n# harbour\n" in text
    assert "portrait query hf://org/harbour@v1 " in text


def test_a_models_card_gets_a_section(cli: Cli) -> None:
    page = Path("README.md")
    page.write_text("# My model\n")
    assert cli.here("card", "p.portrait", "--for-model", "org/model", "-o", page) == (0, "", "")
    once = page.read_text()
    assert once.startswith("# My model\n\n<!-- portrait:model begin")
    assert "hf://org/model/p.portrait" in once
    assert cli.here("card", "p.portrait", "--for-model", "org/model", "-o", page).code == 0
    assert page.read_text() == once
    assert cli.here("card", "p.portrait", "--for-model", "org/model").out in once
    assert "not a model's repository" in message_of(cli.here("card", "p.portrait", "--for-model", "model"))


def test_a_croissant_description_is_json(cli: Cli) -> None:
    content = json.loads(cli.here("card", "p.portrait", "--croissant", "--address", "hf://org/p").out)
    assert content["name"]
    files = {one["name"] for one in content["distribution"]}
    assert "portrait.json" in files


@pytest.mark.parametrize("name", ["training-summary.md", "training-summary.json"])
def test_a_training_summary_keeps_what_people_filled_in(cli: Cli, name: str) -> None:
    as_json = ["--json"] if name.endswith(".json") else []
    out = cli.here("card", "p.portrait", "--training-summary", *as_json).out
    assert "tales" in out
    assert cli.here("card", "p.portrait", "--training-summary", "-o", name).code == 0
    assert Path(name).read_text() == out
    assert cli.here("card", "p.portrait", "--training-summary", "-o", name).code == 0
    assert Path(name).read_text() == out


def test_files_of_somebody_else_are_not_replaced(cli: Cli) -> None:
    theirs = Path("theirs.md")
    theirs.write_text("# Theirs\n")
    for options in (["--training-summary"], ["--croissant"], []):
        assert "choose another name" in message_of(cli.here("card", "p.portrait", *options, "-o", theirs))
    assert theirs.read_text() == "# Theirs\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--croissant", "--training-summary"], "exclude each other"),
        (["--croissant", "--for-model", "a/b"], "exclude each other"),
        (["--training-summary", "--json", "-o", "s.md"], "s.md: is Markdown by its name"),
        (["--json"], "--json belongs to --training-summary"),
        (["--training-summary", "--address", "hf://a/b"], "--address has no use here"),
        (["--address", "somewhere"], "somewhere: not an address of a repository"),
        (["--for-model", "model"], "model: not a model's repository, such as ORG/NAME (--for-model)"),
        (["-o", "missing/card.md"], "missing/card.md: "),
        (["-o", "."], ".: cannot write: is a directory"),
    ],
)
def test_options_that_contradict_each_other_are_refused(cli: Cli, options: list[str], message: str) -> None:
    assert message in message_of(cli.here("card", "p.portrait", *options))


def test_marks_that_do_not_pair_up_name_the_page(cli: Cli) -> None:
    Path("page.md").write_text("<!-- portrait:model end -->\n")
    message = message_of(cli.here("card", "p.portrait", "--for-model", "org/model", "-o", "page.md"))
    assert message.startswith("page.md: has marks of the section")


def test_a_summary_of_another_form_is_named(cli: Cli) -> None:
    Path("s.md").write_text(cli.here("card", "p.portrait", "--training-summary", "--json").out)
    message = message_of(cli.here("card", "p.portrait", "--training-summary", "-o", "s.md"))
    assert message.startswith("s.md: is not a training summary")


def test_what_is_no_portrait_has_no_card(cli: Cli) -> None:
    assert message_of(cli.here("card", "nothing")) == "nothing: no such file or directory"
