"""The import law: who may import whom, read off the source, and what an import loads."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.places import ROOT

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The folder of each package, by the name it is imported under.
PACKAGES = {"portrait": ROOT / "portrait", "portrait_server": ROOT / "server" / "portrait_server"}


def sources() -> dict[str, Path]:
    """The modules of the house, by their full names."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join([package, *parts])
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = sources()
#: Also what is no Python source: the kernel.
KNOWN = {*MODULES, "portrait._native"}


def nodes(tree: ast.AST, inside: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes, each with whether it is inside a function."""
    for child in ast.iter_child_nodes(tree):
        yield child, inside
        yield from nodes(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def imports(module: str) -> Iterator[tuple[str, str, bool]]:
    """What a module imports: module, name in it (or nothing), and whether only when called."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node, inside in nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, "", inside
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            target = importlib.util.resolve_name(name, package)
            for alias in node.names:
                if f"{target}.{alias.name}" in KNOWN:
                    yield f"{target}.{alias.name}", "", inside
                else:
                    yield target, alias.name, inside


def imported(module: str) -> set[str]:
    """The modules that a module imports anywhere."""
    return {name for name, _, _ in imports(module)}


def ours(module: str) -> set[str]:
    """Those of them that are of the house."""
    return {name for name in imported(module) if name.partition(".")[0] in PACKAGES}


def top_levels(module: str) -> set[str]:
    """The packages that a module imports from."""
    return {name.partition(".")[0] for name in imported(module)}


def below(*packages: str) -> list[str]:
    """The modules of some packages, the packages themselves among them."""
    return [name for name in MODULES if name in packages or name.startswith(tuple(f"{p}." for p in packages))]


def test_the_law_is_read_off_real_modules() -> None:
    assert {"portrait", "portrait.errors", "portrait.filters.bloom", "portrait.corpus.formats.jsonl"} < set(
        MODULES
    )
    assert "portrait.errors" in ours("portrait.spec")
    assert "portrait._native" in ours("portrait.keys.maker")
    assert ("portrait.corpus.formats.plain", "PlainShard", True) in imports("portrait.corpus")
    assert "mmap" in imported("portrait.bundle.tensors")


@pytest.mark.parametrize(
    "package", ["portrait.cli", "portrait_server", "portrait.engines", "portrait.filters", "portrait.readers"]
)
def test_every_package_has_modules(package: str) -> None:
    assert package in MODULES, f"no {package} package yet"


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("portrait.errors", set()),
        ("portrait.version", set()),
        ("portrait.answers.scan", set()),
        ("portrait.spec", {"errors"}),
        ("portrait.sizing", {"errors"}),
        ("portrait.extras", {"errors"}),
        ("portrait.progress", set()),
        (
            "portrait.planning.sample",
            {"corpus", "errors", "extras", "filters.pybloom", "keymaker", "reading", "spec"},
        ),
        ("portrait.corpus.columns", {"errors"}),
        ("portrait.engines.pool", {"errors"}),
        ("portrait.storage.lock", set()),
        ("portrait.storage.journal", {"errors", "locks"}),
        ("portrait.answers.record", {"answer"}),
        ("portrait.engines.task", {"errors"}),
        ("portrait.engines.worker", {"engines.base"}),
        ("portrait.engines.local", {"engines.base", "engines.worker", "workers"}),
        ("portrait.engines.ray", {"engines.base", "engines.ray", "errors", "extras", "version"}),
        (
            "portrait.engines.execution",
            {"engines.base", "engines.local", "engines.ray", "errors", "keymaker", "workers"},
        ),
        ("portrait.storage.workdir", {"errors", "locks"}),
        ("portrait.keys.runs", {"errors", "keymaker"}),
        ("portrait.corpus.provenance", {"corpus"}),
        (
            "portrait.building.reader",
            {"corpus", "engines.base", "errors", "extras", "keymaker", "spec", "spool"},
        ),
        ("portrait.corpus.rows", {"columns", "corpus", "errors"}),
        ("portrait.bundle.tensors", {"errors"}),
        ("portrait.bundle.manifest", {"errors", "spec"}),
        ("portrait.bundle", {"errors", "manifest", "tensors"}),
        ("portrait.operations.verify", {"bundle", "errors", "filters", "manifest", "progress"}),
        ("portrait.answers.answer", {"errors", "sizing", "spec", "scan", "reports.snippet"}),
        ("portrait.reports.statistics", set()),
        ("portrait.markup.elements", set()),
        ("portrait.reports.report", {"answer", "spec", "reports.statistics", "reports.page"}),
        ("portrait.reports.tally", {"answer", "errors", "sizing", "reports.report", "reports.statistics"}),
    ],
)
def test_the_foundations_import_only_what_lies_below_them(module: str, allowed: set[str]) -> None:
    assert ours(module) <= {f"portrait.{name}" for name in allowed}


def test_the_halves_of_a_build_do_not_know_each_other() -> None:
    assert not {name for name in ours("portrait.building.reader") if name.startswith("portrait.filters")}
    text = {
        "portrait.corpus",
        "portrait.corpus.columns",
        "portrait.building.reader",
        "portrait.corpus.provenance",
    }
    assert not text & ours("portrait.building.layer")
    # Each is done by any process; only what puts them together knows directories, engines and both.
    for module in ("portrait.building.reader", "portrait.building.layer"):
        assert not {
            "portrait.engines.execution",
            "portrait.storage.workdir",
            "portrait.building.on_disk",
        } & ours(module)
    assert {"portrait.building.reader", "portrait.building.layer", "portrait.storage.workdir"} <= ours(
        "portrait.building.on_disk"
    )
    # In memory or on disk: neither needs what the other has of its own.
    assert not {"portrait.storage.workdir", "portrait.engines.task", "portrait.engines.execution"} & ours(
        "portrait.building.in_memory"
    )


def test_engines_are_started_by_the_execution_and_loaded_when_they_are() -> None:
    engines = set(below("portrait.engines"))
    for module in MODULES:
        if module in engines:
            continue
        for target, _, inside in imports(module):
            if target in engines - {"portrait.engines.task"}:
                assert module == "portrait.engines.execution", f"{module} imports {target}"
                assert inside, f"{module} imports {target} where it is imported itself"


@pytest.mark.parametrize(
    "module", ["portrait.answers.answer", "portrait.sizing", "portrait.spec", "portrait.answers.scan"]
)
def test_pure_modules_touch_no_files(module: str) -> None:
    pure = {"__future__", "collections", "dataclasses", "math", "portrait", "typing"}
    assert top_levels(module) <= pure


def test_only_filters_and_the_key_maker_import_the_kernel() -> None:
    users = {module for module in MODULES if "portrait._native" in imported(module)}
    assert users <= {*below("portrait.filters"), "portrait.keys.maker"}
    assert "portrait.keys.maker" in users


def test_bytes_do_not_know_filters() -> None:
    for module in ("portrait.bundle", "portrait.bundle.manifest", "portrait.bundle.tensors"):
        assert not any(name.startswith("portrait.filters") for name in imported(module))


def test_only_the_command_line_imports_click() -> None:
    cli = below("portrait.cli")
    assert any("click" in top_levels(module) for module in cli), "no command line yet"
    assert [module for module in MODULES if module not in cli and "click" in top_levels(module)] == []


def test_only_the_service_imports_flask() -> None:
    web = {"flask", "werkzeug", "jinja2"}
    assert [module for module in below("portrait") if web & top_levels(module)] == []
    assert any("flask" in top_levels(module) for module in below("portrait_server")), "no service yet"


def test_the_library_does_not_know_the_service() -> None:
    library = [module for module in below("portrait") if module not in below("portrait.cli")]
    assert [module for module in library if "portrait_server" in top_levels(module)] == []


def attributes(module: str, of: str) -> set[str]:
    """Attributes that a module takes of a name, as in ``portrait.open``."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == of
    }


def test_the_service_uses_public_names_only() -> None:
    service = below("portrait_server")
    assert service, "no service yet"
    for module in service:
        for target, name, _ in imports(module):
            if target.partition(".")[0] == "portrait":
                assert target == "portrait", f"{module} imports {target}"
                assert name == "" or name in portrait.__all__, f"{module} imports {name}"
        if ("portrait", "") in {(target, name) for target, name, _ in imports(module)}:
            assert attributes(module, "portrait") <= set(portrait.__all__)


def test_only_the_corpus_imports_readers_and_only_when_it_needs_them() -> None:
    readers = below("portrait.readers")
    for module in MODULES:
        if module in readers:
            continue
        for target, _, inside in imports(module):
            if target in readers:
                assert module == "portrait.corpus", f"{module} imports {target}"
                assert inside, f"{module} imports {target} where it is imported itself"


HEAVY = [
    "datasets",
    "dill",
    "pyarrow",
    "pandas",
    "flask",
    "ray",
    "huggingface_hub",
    "numpy",
    "isal",
    "tqdm",
    "fsspec",
    "aiohttp",
]


def test_heavy_packages_are_never_imported_when_a_module_is() -> None:
    for module in below("portrait"):
        for target, _, inside in imports(module):
            assert inside or target.partition(".")[0] not in HEAVY, f"{module} imports {target}"


def test_opening_and_asking_loads_nothing_heavy(tmp_path: Path) -> None:
    text = "Loading a library to answer a question about a sentence takes longer than the answer. " * 3
    (tmp_path / "a.txt").write_text(text)
    portrait.build(tmp_path / "a.txt", tmp_path / "out")
    code = (
        "import sys, portrait\n"
        f"assert portrait.open('out').query({text!r}).verdict == 'found'\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
