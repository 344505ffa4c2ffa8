"""The import rules: which module may import which, checked on the source, and what an import loads."""

from __future__ import annotations

import ast
import graphlib
import importlib.util
import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.places import ROOT

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The folder of each package, by its import name.
PACKAGES = {"portrait": ROOT / "portrait", "portrait_server": ROOT / "server" / "portrait_server"}


def sources() -> dict[str, Path]:
    """Return the path of each module of the project, by its full name."""
    paths = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join([package, *parts])
            paths[name.removesuffix(".__init__")] = path
    return paths


MODULES = sources()
#: All modules, including the kernel, which has no Python source.
KNOWN = {*MODULES, "portrait._native"}


def nodes(tree: ast.AST, inside: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield all nodes of a tree, each with whether it is inside a function."""
    for child in ast.iter_child_nodes(tree):
        yield child, inside
        yield from nodes(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def imports(module: str) -> Iterator[tuple[str, str, bool]]:
    """Yield each import of a module: its target, the name in it or "", and whether in a function."""
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
    """Return the modules that a module imports anywhere."""
    return {name for name, _, _ in imports(module)}


def project_imports(module: str) -> set[str]:
    """Return the modules of the project that a module imports."""
    return {name for name in imported(module) if name.partition(".")[0] in PACKAGES}


def top_levels(module: str) -> set[str]:
    """Return the top-level packages that a module imports from."""
    return {name.partition(".")[0] for name in imported(module)}


def below(*packages: str) -> list[str]:
    """Return the modules of some packages, including the packages themselves."""
    return [name for name in MODULES if name in packages or name.startswith(tuple(f"{p}." for p in packages))]


#: The order of components, which are the packages and modules directly below ``portrait``. A module imports
#: only from components of lower ranks or from its own; components of one rank do not import each other.
#: ``__init__`` is the public interface.
ORDER: tuple[tuple[str, ...], ...] = (
    ("errors", "version", "progress", "markup", "strict_json"),
    ("extras", "spec", "sizing", "storage"),
    ("evidence",),
    ("presets", "disclosure", "corpus", "answers", "bundle"),
    ("cards", "signing"),
    ("hub",),
    ("keys",),
    ("filters", "engines"),
    ("portraits",),
    ("building", "scanning", "reports"),
    ("planning", "operations"),
    ("__init__",),
    ("cli", "server"),
    ("__main__",),
)
RANKS = {name: rank for rank, names in enumerate(ORDER) for name in names}

#: The order inside ``corpus``.
CORPUS_ORDER: tuple[tuple[str, ...], ...] = (
    ("columns",),
    ("shards",),
    ("files",),
    ("formats",),
    ("datasets",),
    ("locations",),
    ("resolve",),
    ("rows", "provenance"),
)

#: The order inside the service.
SERVICE_ORDER: tuple[tuple[str, ...], ...] = (
    ("messages", "errors", "counters", "orphans", "examples"),
    ("files",),
    ("settings", "metrics", "shelf", "access"),
    ("state",),
    ("http",),
    ("api",),
    ("page",),
    ("gate",),
    ("__init__",),
    ("serve", "wsgi"),
)

#: The components that may import the kernel.
KERNEL_USERS = {"keys", "filters", "portraits", "storage"}

#: A package with more modules should be split; ``cli`` is exempt, since it has a module for each command.
MOST_MODULES = 12


def component(module: str) -> str:
    """Return the component of a module: a package or module below ``portrait``, or ``server``."""
    package, _, rest = module.partition(".")
    if package == "portrait_server":
        return "server"
    return rest.partition(".")[0] or "__init__"


def edges() -> Iterator[tuple[str, str]]:
    """Yield each import of one project module by another, including those in functions and for types only."""
    for module in MODULES:
        for target in project_imports(module) - {module, "portrait._native"}:
            yield module, target


def test_imports_are_read_from_the_source() -> None:
    assert {"portrait", "portrait.errors", "portrait.filters.bloom", "portrait.corpus.formats.jsonl"} < set(
        MODULES
    )
    assert "portrait.errors" in project_imports("portrait.spec")
    assert "portrait._native" in project_imports("portrait.keys.maker")
    assert ("portrait.corpus.formats.arrow", "ArrowShard", True) in set(imports("portrait.corpus.locations"))
    assert "mmap" in imported("portrait.storage.mapping")


def test_every_component_has_a_rank() -> None:
    assert {component(module) for module in MODULES} - {*RANKS} == set()


def test_imports_run_down_the_order() -> None:
    upward = {
        (module, target)
        for module, target in edges()
        if component(module) != component(target) and RANKS[component(target)] >= RANKS[component(module)]
    }
    assert upward == set()


@pytest.mark.parametrize(
    ("package", "order"), [("portrait.corpus", CORPUS_ORDER), ("portrait_server", SERVICE_ORDER)]
)
def test_imports_run_down_the_order_inside_a_package(
    package: str, order: tuple[tuple[str, ...], ...]
) -> None:
    ranks = {name: rank for rank, names in enumerate(order) for name in names}

    def inner(module: str) -> str:
        return module.removeprefix(package).lstrip(".").partition(".")[0] or "__init__"

    modules = {name for name in below(package) if name != package or package in PACKAGES}
    assert {inner(module) for module in modules} == set(ranks)
    assert [
        (module, target)
        for module, target in edges()
        if {module, target} <= modules
        and inner(module) != inner(target)
        and ranks[inner(target)] >= ranks[inner(module)]
    ] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, target in edges():
        graph[module].add(target)
    sorter = graphlib.TopologicalSorter(graph)
    sorter.prepare()  # raises CycleError, which names the circle


def test_the_init_of_a_package_holds_only_a_docstring() -> None:
    for module, path in MODULES.items():
        if path.name == "__init__.py" and module not in PACKAGES:
            (only,) = ast.parse(path.read_text(encoding="utf-8")).body
            assert isinstance(only, ast.Expr), f"{module} holds more than a docstring"
            assert isinstance(only.value, ast.Constant), f"{module} holds more than a docstring"


def test_no_package_has_too_many_modules() -> None:
    for module, path in MODULES.items():
        if path.name == "__init__.py" and module != "portrait.cli":
            own = [one for one in path.parent.glob("*.py") if not one.name.startswith("__")]
            assert len(own) <= MOST_MODULES, f"{module} has {len(own)} modules"


def test_no_component_has_the_name_of_a_public_function() -> None:
    functions = {name for name in portrait.__all__ if inspect.isfunction(getattr(portrait, name))}
    assert {"build", "open", "plan", "report", "verify"} <= functions
    components = {path.stem for path in PACKAGES["portrait"].iterdir()}
    assert components & functions == set()


def test_no_two_classes_have_the_same_name() -> None:
    homes: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, set()).add(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_only_some_components_import_the_kernel() -> None:
    users = {module for module in MODULES if "portrait._native" in imported(module)}
    assert {component(module) for module in users} == KERNEL_USERS
    for module in users:
        assert ("portrait", "_native") not in {(target, name) for target, name, _ in imports(module)}
        assert "from portrait import _native" not in MODULES[module].read_text(encoding="utf-8")


def test_an_engine_is_imported_only_when_it_is_started() -> None:
    for module in MODULES:
        for target, _, inside in imports(module):
            if target not in {"portrait.engines.local", "portrait.engines.ray"}:
                continue
            assert component(module) == "engines", (
                f"{module} imports {target}: only the execution starts engines"
            )
            if module.endswith("execution"):
                assert inside, f"{module} imports {target} outside a function"


@pytest.mark.parametrize(
    "module", [*below("portrait.answers"), "portrait.evidence", "portrait.sizing", "portrait.spec"]
)
def test_pure_modules_touch_no_files(module: str) -> None:
    pure = {"__future__", "collections", "dataclasses", "functools", "importlib", "math"}
    pure |= {"portrait", "typing"}
    assert top_levels(module) <= pure


def test_only_the_command_line_imports_click() -> None:
    cli = below("portrait.cli")
    assert any("click" in top_levels(module) for module in cli), "no command line yet"
    assert [module for module in MODULES if module not in cli and "click" in top_levels(module)] == []


def test_only_the_service_imports_flask() -> None:
    web = {"flask", "werkzeug", "jinja2"}
    assert [module for module in below("portrait") if web & top_levels(module)] == []
    assert any("flask" in top_levels(module) for module in below("portrait_server")), "no service yet"


def attributes(module: str, of: str) -> set[str]:
    """Return the attributes of a name that a module uses, such as ``open`` in ``portrait.open``."""
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


#: Packages that take long to import, or that are optional.
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
#: Packages that modules may import for their types only.
HEAVY_WITH_TYPES = ["cryptography"]


def test_no_module_imports_a_heavy_package_at_its_top_level() -> None:
    for module in below("portrait"):
        for target, _, inside in imports(module):
            assert inside or target.partition(".")[0] not in HEAVY, f"{module} imports {target}"


def test_opening_and_querying_loads_no_heavy_package(tmp_path: Path) -> None:
    text = "Loading a library to answer a question about a sentence takes longer than the answer. " * 3
    (tmp_path / "a.txt").write_text(text)
    portrait.build(tmp_path / "a.txt", tmp_path / "out")
    code = (
        "import sys, portrait\n"
        f"assert portrait.open('out').query({text!r}).verdict == 'found'\n"
        f"print(sorted(set({[*HEAVY, *HEAVY_WITH_TYPES]!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
