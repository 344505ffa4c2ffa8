"""Answers in a terminal: what is marked, folded, coloured and named."""

from __future__ import annotations

import click
import pytest

from portrait.cli.shared.show import ColoredSpan, excerpt, wants_color


def show(text: str, *spans: tuple[int, int], color: bool = False) -> str:
    """Return the excerpt of ``text`` in which these spans are marked."""
    return "\n".join(excerpt(text, [ColoredSpan(start, end, "red") for start, end in spans], color=color))


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(4, 9)], "  the »quick« brown fox"),
        ([(4, 9), (10, 15)], "  the »quick« »brown« fox"),
        ([(10, 15), (4, 9)], "  the »quick« »brown« fox"),
        ([(4, 12), (9, 15)], "  the »quick brown« fox"),
        ([(4, 9), (9, 15)], "  the »quick brown« fox"),
        ([(0, 19)], "  »the quick brown fox«"),
        ([], "  the quick brown fox"),
    ],
)
def test_spans_are_marked_once(spans: list[tuple[int, int]], expected: str) -> None:
    assert show("the quick brown fox", *spans) == expected


def test_text_far_from_a_span_is_folded() -> None:
    text = "a" * 100 + " match " + "b" * 300 + " match " + "c" * 100
    first, second = text.index("match"), text.rindex("match")
    line = show(text, (first, first + 5), (second, second + 5))
    assert line == f"  […] {'a' * 59} »match« {'b' * 59} […] {'b' * 59} »match« {'c' * 59} […]"


def test_a_colour_ends_with_its_line() -> None:
    lines = show("a\n\nb", (0, 4), color=True).splitlines()
    assert lines[1] == ""
    assert [click.unstyle(line) for line in lines] == ["  a", "", "  b"]
    assert all(line.endswith("\x1b[0m") for line in (lines[0], lines[2]))


def test_control_characters_are_escaped() -> None:
    assert show("\x1b[2J match \x07", (5, 10)) == "  \\x1b[2J »match« \\x07"


def test_colour_is_chosen_or_left_to_the_terminal() -> None:
    # Stdout is not a terminal in a test run.
    assert [wants_color(choice) for choice in ("always", "never", "auto")] == [True, False, False]
