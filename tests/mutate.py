"""Mutation testing: change one token of a module at a time, and see whether the tests of the module notice.

    python tests/mutate.py                         the modules that differ from the main branch
    python tests/mutate.py portrait/spec.py …      these modules, or all modules of these packages
    python tests/mutate.py portrait/keys --sample 30
    python tests/mutate.py portrait/spec.py:95     the mutants of one line

Tests run in a copy of the project, never in the working tree. A mutant that the tests let live is printed; it
needs a test, or an entry in tests/mutants.toml that says why there can be none. The exit code is 1 if fewer
than 90 % of the other mutants are killed, or an entry of the list no longer applies.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import survivors
from support.mutants import Mutant, mutants
from support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The virtual environment in the copy of the project.
ENVIRONMENT = ".mutants-env"
PACKAGES = ("portrait", "server/portrait_server")
OPTIONS = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
#: Plugins of pytest come with what is imported here.
OPTIONS += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("modules", nargs="*", help="paths of modules or packages")
    parser.add_argument(
        "--against", default="main", help="the revision whose changed modules are the default"
    )
    parser.add_argument("--sample", type=int, help="at most so many mutants of each module, at random")
    parser.add_argument("--seed", type=int, default=0, help="chooses the sample")
    parser.add_argument("--least", type=float, default=0.9, help="the share that must be killed")
    return parser.parse_args()


def modules(names: Iterable[str], against: str) -> dict[str, set[int]]:
    """Return the modules to mutate, by their paths from the root, and their lines: none for all."""
    if not names:
        command = ["git", "diff", "--name-only", "--diff-filter=d", against, "--", *PACKAGES]
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    chosen: dict[str, set[int]] = {}
    for name in names:
        place, _, line = name.partition(":")
        path = ROOT / place
        if not path.exists():
            raise SystemExit(f"{place}: no such module or package")
        if line:
            chosen.setdefault(place, set()).add(int(line))
        for module in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if module.suffix == ".py" and not module.name.startswith("__"):
                chosen.setdefault(module.relative_to(ROOT).as_posix(), set())
    return chosen


def copy_project(to: Path) -> None:
    """Copy the project's files and the compiled kernel."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    done = subprocess.run(
        [sys.executable, "-c", "import portrait._native as kernel; print(kernel.__file__)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    shutil.copy2(done.stdout.strip(), to / "portrait")
    # Tests that start processes with an environment of their own find the copy in this one.
    venv.create(to / ENVIRONMENT, symlinks=True)
    (packages,) = (to / ENVIRONMENT).glob("lib/python*/site-packages")
    others = [path for path in sys.path if path and Path(path).name in ("site-packages", "dist-packages")]
    (packages / "copy.pth").write_text("\n".join([str(to), str(to / "server"), *others]), encoding="utf-8")


def warm_up() -> None:
    """Import what tests import, so that no fork has to: it takes longer than most tests."""
    for name in ("datasets", "playwright.sync_api", "pyarrow.parquet", "flask", "pydantic"):
        importlib.import_module(name)
    for plugin in importlib.metadata.entry_points(group="pytest11"):
        plugin.load()


def run_tests(project: Path, tests: list[str]) -> None:
    """Run test files of a copy of the project in this process, a fork, and end it with pytest's exit code."""
    os.setsid()
    with (project / "output.log").open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.chdir(project)
    # Nothing of the original may be imported, neither by this process nor by those that tests start.
    sys.dont_write_bytecode = True
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    for name, file in files.items():
        if name == "support" or (name != "__main__" and is_below(file, ROOT)):
            del sys.modules[name]
    places = [str(project), str(project / "server")]
    sys.path[:] = places + [path for path in sys.path if not is_below(path, ROOT)]
    sys.executable = str(project / ENVIRONMENT / "bin" / "python")
    multiprocessing.set_executable(sys.executable)
    os.environ |= {"PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    code = 1
    try:
        code = pytest.main([*OPTIONS, *tests])
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def is_below(path: str | None, folder: Path) -> bool:
    """Return whether a path is in a folder of the project that holds code, or is the project itself."""
    if path is None:
        return False
    parents = [Path(path), *Path(path).parents]
    return Path(path) == folder or any(folder / name in parents for name in ("portrait", "server", "tests"))


def outcome(project: Path, tests: list[str], seconds: float) -> str:
    """Return "survived", "killed" or "timed out": what the tests say within a time."""
    child = os.fork()
    if child == 0:
        run_tests(project, tests)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
            time.sleep(0.02)
    finally:
        # Servers that tests started die with them.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timed out"


def check_module(
    project: Path,
    module: str,
    only: set[int],
    known: survivors.Survivors,
    options: argparse.Namespace,
) -> tuple[int, list[Mutant]]:
    """Test the mutants of a module; return how many there were except the accepted, and the survivors."""
    everything = list(mutants(module))
    present = {one.change for one in everything}
    for change in known.reasons:
        if change.module == module and change not in present:
            print(f"{module}: accepted, but no longer a mutant: {change.line} -> {change.mutant}", flush=True)
            options.stale = True
    chosen = [one for one in everything if not known.accepts(one.change)]
    n_accepted, n_all = len(everything) - len(chosen), len(chosen)
    if only:
        chosen = [one for one in chosen if one.at in only]
    if options.sample is not None and len(chosen) > options.sample:
        chosen = random.Random(f"{options.seed} {module}").sample(chosen, options.sample)
    tests = known.tests_of(module)
    if not chosen or not tests:
        print(f"{module}: {n_all} mutants, {len(tests)} test files: nothing to do", flush=True)
        return 0, []
    start = time.monotonic()
    if outcome(project, tests, 600) != "survived":
        log = (project / "output.log").read_text(encoding="utf-8", errors="replace")
        raise SystemExit(f"{' '.join(tests)} fail without any mutation:\n{log[-4000:]}")
    # A mutant that never ends takes the time of the tests several times over.
    seconds = 4 * (time.monotonic() - start) + 10
    path, original = project / module, (project / module).read_bytes()
    alive = []
    for one in chosen:
        path.write_text(one.source, encoding="utf-8")
        if outcome(project, tests, seconds) == "survived":
            alive.append(one)
            print(f"{module}:{one.at}: {one.change.line} -> {one.change.mutant}", flush=True)
    path.write_bytes(original)
    print(
        f"{module}: {len(chosen) - len(alive)} of {len(chosen)} killed"
        f" ({n_all} mutants, {n_accepted} accepted) in {time.monotonic() - start:.0f} s",
        flush=True,
    )
    return len(chosen), alive


def main() -> int:
    """Test the mutants of all modules that the command line names."""
    options = arguments()
    known = survivors.read()
    warm_up()
    options.stale = False
    for change in known.stale():
        print(f"{change.module}: accepted, but the line is gone: {change.line}")
        options.stale = True
    n_mutants = n_alive = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        copy_project(Path(directory))
        for module, only in modules(options.modules, options.against).items():
            n, alive = check_module(Path(directory), module, only, known, options)
            n_mutants += n
            n_alive += len(alive)
    if not n_mutants:
        print("no mutants: nothing to test")
        return int(options.stale)
    share = 1 - n_alive / n_mutants
    print(f"{n_mutants - n_alive} of {n_mutants} killed: {share:.1%}, at least {options.least:.0%} wanted")
    return int(share < options.least or options.stale)


if __name__ == "__main__":
    sys.exit(main())
