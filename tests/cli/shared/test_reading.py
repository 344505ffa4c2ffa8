"""Options that say what to read, and what the commands receive."""

from __future__ import annotations

from typing import Any

import click
import pytest

from portrait.cli.shared.reading import column_option, corpus_options, names_of


def parse(decorate: Any, *arguments: str) -> dict[str, Any]:
    """Return what a command with these options receives."""

    def command(**options: Any) -> dict[str, Any]:
        return options

    result: dict[str, Any] = click.command("read")(decorate(command)).main(
        list(arguments), standalone_mode=False
    )
    return result


@pytest.mark.parametrize(
    ("values", "names"), [([], []), (["a"], ["a"]), (["a, b", "c"], ["a", "b", "c"]), (["a,"], ["a", ""])]
)
def test_names_come_from_comma_separated_and_repeated_options(values: list[str], names: list[str]) -> None:
    assert names_of(values) == names


def test_the_default_column_is_text() -> None:
    assert parse(column_option()) == {"columns": ["text"]}
    assert parse(column_option(), "--column", "question,answer") == {"columns": ["question", "answer"]}
    assert parse(column_option("--columns", default=())) == {"columns": []}
    assert parse(column_option("--columns", default=()), "--columns", "a", "--column", "b") == {
        "columns": ["a", "b"]
    }


def test_the_defaults_are_format_by_suffix_and_failure_on_errors() -> None:
    assert parse(corpus_options) == {
        "columns": ["text"],
        "format_": "auto",
        "source_column": None,
        "on_error": "fail",
        "max_document_bytes": 1_000_000_000,
    }
    options = parse(
        corpus_options,
        "--source-column",
        "meta.set",
        "--on-error",
        "skip",
        "--format",
        "jsonl",
        "--max-document",
        "5kB",
    )
    assert options == {
        "columns": ["text"],
        "format_": "jsonl",
        "source_column": "meta.set",
        "on_error": "skip",
        "max_document_bytes": 5_000,
    }
