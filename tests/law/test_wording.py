"""Wording: no message of the library names an option of the command line, and prose is plain English."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIBRARY = sorted(
    path
    for path in (ROOT / "portrait").rglob("*.py")
    if "cli" not in path.relative_to(ROOT / "portrait").parts
)
OPTION = re.compile(r"--[a-z]")

#: Archaic or unidiomatic phrases.
UNIDIOMATIC = re.compile(
    r"\b(?:gone on with|go on with it|anew|lest|(?:hears?|hear) of|(?:is|are) none that)\b", re.IGNORECASE
)
#: All files with prose, except this one, which lists the phrases.
PROSE = sorted(
    path
    for folder in ("portrait", "server", "tests", "docs", "benchmarks", "native/src", ".ci")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".pyi", ".md", ".rs", ".js", ".html", ".css", ".sh", ""}
    and path.is_file()
    and "golden" not in path.parts
    and path.name != "test_wording.py"
)
PROSE += [*ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "justfile"]


def strings(tree: ast.Module) -> Iterator[str]:
    """Yield the strings of a module that are not docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_message_of_the_library_names_no_option(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [text for text in strings(tree) if OPTION.search(text)] == []


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_prose_reads_as_english(path: Path) -> None:
    # Join wrapped lines and comments, because a phrase may continue on the next line.
    text = re.sub(r"\s*\n\s*(?:#:?|//[/!]?|\*)?\s*", " ", path.read_text(encoding="utf-8"))
    assert UNIDIOMATIC.findall(text) == []
