"""Options that say what to write: the output, its licence, and the size of its shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from portrait.bundle.writer import DEFAULT_SHARD_BYTES
from portrait.cli.shared.writing import (
    license_option,
    max_shard_size_option,
    note_missing_card,
    out_option,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command("write")
@out_option
@license_option
@max_shard_size_option
def write(**options: Any) -> dict[str, Any]:
    return options


def test_the_default_size_is_the_library_s() -> None:
    options = write.main(["-o", "out"], standalone_mode=False)
    assert options == {"out": "out", "license_": None, "max_shard_bytes": DEFAULT_SHARD_BYTES}


def test_options_are_passed_on() -> None:
    options = write.main(
        ["--out", "o", "--license", "CC0", "--max-shard-size", "64MB"], standalone_mode=False
    )
    assert options == {"out": "o", "license_": "CC0", "max_shard_bytes": 64_000_000}


def test_an_output_is_required_and_a_size_must_be_valid() -> None:
    with pytest.raises(click.MissingParameter):
        write.main([], standalone_mode=False)
    with pytest.raises(click.BadParameter, match="'big' is not a size"):
        write.main(["-o", "out", "--max-shard-size", "big"], standalone_mode=False)


def test_a_page_of_somebody_else_s_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "README.md"
    page.write_text("<!-- portrait:begin -->\n<!-- portrait:end -->\n")
    note_missing_card(tmp_path)
    assert capsys.readouterr() == ("", "")
    page.write_text("A model's page.")
    note_missing_card(tmp_path)
    note = f"portrait: note: {page} is not the portrait's card and stays: none was written\n"
    assert capsys.readouterr() == ("", note)
