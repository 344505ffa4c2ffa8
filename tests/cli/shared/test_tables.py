"""Facts and tables as lines of text."""

from __future__ import annotations

from portrait.cli.shared.tables import listed, table


def test_facts_are_aligned_in_two_columns() -> None:
    facts = {"id": "1f", "guarantee": "all \x1b[2J of it"}
    assert list(listed(facts)) == ["id         1f", "guarantee  all \\x1b[2J of it"]


def test_names_are_aligned_left_and_numbers_right() -> None:
    rows = [("source", "filter", "rows"), ("a", "bloom", "7"), ("longest", "", "1,234")]
    assert list(table(rows)) == [
        "source   filter   rows",
        "a        bloom       7",
        "longest          1,234",
    ]
    assert list(table([row[::2] for row in rows], 1)) == [
        "source    rows",
        "a            7",
        "longest  1,234",
    ]


def test_no_line_ends_in_spaces() -> None:
    assert list(table([("a", "b"), ("c", "")])) == ["a  b", "c"]
