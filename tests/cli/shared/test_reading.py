"""Options of what to read: lists of columns, and what the commands get of them."""

from __future__ import annotations

from typing import Any

import click
import pytest

from portrait.cli.shared.reading import column_option, corpus_options, names_of


def parsed(decorate: Any, *arguments: str) -> dict[str, Any]:
    """What a command with these options gets."""

    def given(**options: Any) -> dict[str, Any]:
        return options

    command = click.command("read")(decorate(given))
    result: dict[str, Any] = command.main(list(arguments), standalone_mode=False)
    return result


@pytest.mark.parametrize(
    ("values", "names"), [([], []), (["a"], ["a"]), (["a, b", "c"], ["a", "b", "c"]), (["a,"], ["a", ""])]
)
def test_names_are_separated_by_commas_and_options(values: list[str], names: list[str]) -> None:
    assert names_of(values) == names


def test_the_text_is_in_the_column_text_unless_named() -> None:
    assert parsed(column_option()) == {"columns": ["text"]}
    assert parsed(column_option(), "--column", "question,answer") == {"columns": ["question", "answer"]}
    assert parsed(column_option("--columns", default=())) == {"columns": []}
    assert parsed(column_option("--columns", default=()), "--columns", "a", "--column", "b") == {
        "columns": ["a", "b"]
    }


def test_a_corpus_is_read_by_suffix_and_to_its_first_error() -> None:
    assert parsed(corpus_options) == {
        "columns": ["text"],
        "format_": "auto",
        "source_column": None,
        "on_error": "fail",
    }
    given = parsed(corpus_options, "--source-column", "meta.set", "--on-error", "skip", "--format", "jsonl")
    assert given == {"columns": ["text"], "format_": "jsonl", "source_column": "meta.set", "on_error": "skip"}
