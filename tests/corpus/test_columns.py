"""Columns: their names, their places in a row, and errors about missing columns."""

from __future__ import annotations

from typing import Any

import pytest

from portrait.corpus.columns import Columns, locate, names
from portrait.errors import BadRowError, CorpusError, SpecError


def test_names_become_text_columns_and_columns_stay_as_they_are() -> None:
    assert Columns.of("body") == Columns(("body",))
    assert Columns.of(["title", "body"]) == Columns(("title", "body"))
    columns = Columns(("body",), ("id",))
    assert Columns.of(columns) is columns


def test_every_name_is_counted_once() -> None:
    columns = Columns(("a", "b"), ("b", "c"))
    assert columns.all == ("a", "b", "c")


@pytest.mark.parametrize(("name", "plain"), [("text", True), ("meta.text", False)])
def test_a_name_with_a_dot_can_be_a_path(name: str, plain: bool) -> None:
    assert Columns((name,)).plain is plain
    assert Columns(("x",), (name,)).plain is plain


@pytest.mark.parametrize(
    ("text", "keep", "message", "parameter"),
    [
        ((), (), "no column holds the text", "column"),
        (("",), (), "a column's name is empty", "column"),
        (("x", "x"), (), "column 'x' is named twice", "column"),
        (("x",), ("",), "a column's name is empty", "source_column"),
        (("x",), ("y", "y"), "column 'y' is named twice", "source_column"),
    ],
)
def test_invalid_column_names_are_refused(
    text: tuple[str, ...], keep: tuple[str, ...], message: str, parameter: str
) -> None:
    with pytest.raises(SpecError, match=message) as error:
        Columns(text, keep, "source_column")
    assert error.value.parameter == parameter


def test_the_error_about_a_missing_column_lists_those_that_exist() -> None:
    columns = Columns(("body",), ("url",))
    error = columns.missing("body", ["text", "id"], "a.jsonl, line 1", BadRowError)
    assert (type(error), error.parameter) == (BadRowError, "column")
    assert str(error) == "a.jsonl, line 1: no column 'body', only text, id: choose another"
    error = columns.missing("url", [], "a.csv")
    assert (type(error), error.parameter) == (CorpusError, "keep")
    assert str(error) == "a.csv: no column 'url', and no other column: choose others"


def test_the_error_lists_at_most_twenty_columns() -> None:
    message = str(Columns().missing("text", [f"c{i}" for i in range(21)], "a.csv"))
    assert "c19, …: choose" in message
    assert "c20" not in message


ROW: dict[str, Any] = {
    "text": "x",
    "meta": {"text": "y", "inner": {"a.b": 1}},
    "meta.flat": 2,
    "hole": None,
    "leaf": 3,
}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("text", ("text",)),
        ("meta", ("meta",)),
        ("meta.text", ("meta", "text")),
        ("meta.inner.a.b", ("meta", "inner", "a.b")),
        ("meta.flat", ("meta.flat",)),
        ("hole.any.thing", ("hole",)),
        ("leaf.text", None),
        ("meta.nowhere", None),
        ("nowhere", None),
    ],
)
def test_a_name_leads_to_a_column(name: str, path: tuple[str, ...] | None) -> None:
    assert locate(name, ROW) == path


def test_members_of_structs_are_named_by_their_paths() -> None:
    assert list(names(ROW)) == ["text", "meta.text", "meta.inner.a.b", "meta.flat", "hole", "leaf"]
    assert list(names({"empty": {}})) == ["empty"]
