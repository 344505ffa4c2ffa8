"""Tests mirror the packages: every module has a test file of its name, and tests use no private names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from support.places import ROOT, TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Modules without a test file of their own, with the reason.
UNTESTED = {
    "__main__": "one line, which every test of the command line runs",
    "version": "one constant, which the tests of the command line print",
    "filters/protocols": "interfaces only",
}

#: Names that begin with an underscore but are public, with the reason.
PUBLIC = {
    "_native": "the kernel, whose tests are in tests/native",
    "_replace": "a method of named tuples",
    "_asdict": "a method of named tuples",
    "_repr_html_": "what notebooks call",
    "_setup": "a method of pybloom-live, with which tests set the sizes of a filter",
    "_exit": "os._exit ends a process without its exit handlers",
}

MODULES = sorted(
    path.relative_to(ROOT / "portrait").with_suffix("").as_posix()
    for path in (ROOT / "portrait").rglob("*.py")
    if path.name != "__init__.py"
)
TEST_FILES = sorted(TESTS.rglob("*.py"))


def path_of(module: str) -> Path:
    """Return the path of the file that tests a module."""
    package, _, name = module.rpartition("/")
    return TESTS / package / f"test_{name}.py"


@pytest.mark.parametrize("module", [module for module in MODULES if module not in UNTESTED])
def test_every_module_has_a_test_file_of_its_name(module: str) -> None:
    assert path_of(module).is_file()


def test_every_module_listed_as_untested_exists_and_has_no_test_file() -> None:
    assert {*UNTESTED} <= {*MODULES}
    assert [module for module in UNTESTED if path_of(module).exists()] == []


def is_private(name: str) -> bool:
    """Return whether a name is private."""
    dunder = name.startswith("__") and name.endswith("__")
    return name.startswith("_") and not dunder and name not in PUBLIC


def own_names(tree: ast.Module) -> set[str]:
    """Return the names that a module gives to its functions, classes, variables and attributes."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return names


def private_names(path: Path) -> Iterator[str]:
    """Yield the private names of other modules that a file imports or uses as attributes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if any(map(is_private, name.split("."))))
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own and node.attr not in own:
                yield node.attr


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_a_test_uses_no_private_names(path: Path) -> None:
    assert set(private_names(path)) == set()


def test_private_names_are_detected(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(
        "from portrait.spec import _require_count\nfrom portrait._native import X\n"
        "import portrait\nportrait.spec._given\nclass A:\n"
        "    def f(self):\n        self._mine = self._yours\n"
    )
    assert set(private_names(path)) == {"portrait.spec._require_count", "_given"}
