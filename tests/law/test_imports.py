"""The import law: who may import whom, read off the source, and what an import loads."""

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
    """Return the modules of the house that a module imports."""
    return {name for name in imported(module) if name.partition(".")[0] in PACKAGES}


def top_levels(module: str) -> set[str]:
    """The packages that a module imports from."""
    return {name.partition(".")[0] for name in imported(module)}


def below(*packages: str) -> list[str]:
    """The modules of some packages, the packages themselves among them."""
    return [name for name in MODULES if name in packages or name.startswith(tuple(f"{p}." for p in packages))]


#: The law. A module imports only from rooms of lower ranks, or from its own room; rooms of one rank do not
#: know each other. ``__init__`` is the public face.
ORDER: tuple[tuple[str, ...], ...] = (
    ("errors", "version", "progress", "markup"),
    ("extras", "spec", "sizing", "evidence", "storage"),
    ("presets", "corpus", "answers", "bundle"),
    ("keys",),
    ("filters", "engines"),
    ("portraits",),
    ("building", "scanning", "reports"),
    ("planning", "operations", "hub"),
    ("__init__",),
    ("cli", "server"),
    ("__main__",),
)
RANKS = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}

#: The same law inside of ``corpus``.
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

#: The service's own law.
SERVICE_ORDER: tuple[tuple[str, ...], ...] = (
    ("messages", "errors"),
    ("settings", "metrics", "shelf", "access"),
    ("state",),
    ("http",),
    ("api",),
    ("page",),
    ("gate",),
    ("__init__",),
    ("serve", "wsgi"),
)

#: Who may import the kernel.
KERNEL_ROOMS = {"keys", "filters", "portraits"}

#: A package of more modules than this is two packages; in ``cli`` a module is a verb.
MOST_MODULES = 12


def room(module: str) -> str:
    """The room of a module: the package below ``portrait`` or the module there; ``server`` is a room, too."""
    package, _, rest = module.partition(".")
    if package == "portrait_server":
        return "server"
    return rest.partition(".")[0] or "__init__"


def edges() -> Iterator[tuple[str, str]]:
    """Each import of one module of the house by another, also those inside functions and for types only."""
    for module in MODULES:
        for target in ours(module) - {module, "portrait._native"}:
            yield module, target


def test_the_law_is_read_off_real_modules() -> None:
    assert {"portrait", "portrait.errors", "portrait.filters.bloom", "portrait.corpus.formats.jsonl"} < set(
        MODULES
    )
    assert "portrait.errors" in ours("portrait.spec")
    assert "portrait._native" in ours("portrait.keys.maker")
    assert ("portrait.corpus.formats.arrow", "ArrowShard", True) in set(imports("portrait.corpus.locations"))
    assert "mmap" in imported("portrait.bundle.tensors")


def test_every_room_has_its_rank() -> None:
    assert {room(module) for module in MODULES} - {*RANKS} == set()


def test_imports_run_down_the_order() -> None:
    upward = {
        (module, target)
        for module, target in edges()
        if room(module) != room(target) and RANKS[room(target)] >= RANKS[room(module)]
    }
    assert upward == set()


@pytest.mark.parametrize(
    ("package", "order"), [("portrait.corpus", CORPUS_ORDER), ("portrait_server", SERVICE_ORDER)]
)
def test_imports_run_down_the_order_inside_of_a_room(
    package: str, order: tuple[tuple[str, ...], ...]
) -> None:
    ranks = {room: rank for rank, rooms in enumerate(order) for room in rooms}

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
    # A package's own module is imported with each of its parts, and holds nothing of theirs.
    sorter = graphlib.TopologicalSorter(graph)
    sorter.prepare()  # raises CycleError, which names the circle


def test_a_package_is_a_docstring() -> None:
    for module, path in MODULES.items():
        if path.name == "__init__.py" and module not in PACKAGES:
            (only,) = ast.parse(path.read_text(encoding="utf-8")).body
            assert isinstance(only, ast.Expr), f"{module} holds more than a docstring"
            assert isinstance(only.value, ast.Constant), f"{module} holds more than a docstring"


def test_no_package_has_more_modules_than_a_reader_can_hold_in_mind() -> None:
    for module, path in MODULES.items():
        if path.name == "__init__.py" and module != "portrait.cli":
            own = [one for one in path.parent.glob("*.py") if not one.name.startswith("__")]
            assert len(own) <= MOST_MODULES, f"{module} has {len(own)} modules"


def test_no_module_of_the_face_has_the_name_of_a_public_function() -> None:
    functions = {name for name in portrait.__all__ if inspect.isfunction(getattr(portrait, name))}
    assert {"build", "open", "plan", "report", "verify"} <= functions
    rooms = {path.stem for path in PACKAGES["portrait"].iterdir()}
    assert rooms & functions == set()


def test_no_two_classes_have_the_same_name() -> None:
    homes: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, set()).add(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_only_these_rooms_import_the_kernel() -> None:
    users = {module for module in MODULES if "portrait._native" in imported(module)}
    assert {room(module) for module in users} == KERNEL_ROOMS
    for module in users:
        assert ("portrait", "_native") not in {(target, name) for target, name, _ in imports(module)}
        assert "from portrait import _native" not in MODULES[module].read_text(encoding="utf-8")


def test_engines_are_loaded_when_they_are_started() -> None:
    for module in MODULES:
        for target, _, inside in imports(module):
            if target in {"portrait.engines.local", "portrait.engines.ray"} and room(module) != "engines":
                pytest.fail(f"{module} imports {target}: engines are started by the execution")
            if target in {"portrait.engines.local", "portrait.engines.ray"} and module.endswith("execution"):
                assert inside, f"{module} imports {target} where it is imported itself"


@pytest.mark.parametrize(
    "module", [*below("portrait.answers"), "portrait.evidence", "portrait.sizing", "portrait.spec"]
)
def test_pure_modules_touch_no_files(module: str) -> None:
    pure = {"__future__", "collections", "dataclasses", "importlib", "math", "portrait", "typing"}
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
