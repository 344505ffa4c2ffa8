"""The list of mutants that no test can or should kill, each with the reason: ``tests/mutants.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from support.places import ROOT, TESTS

LIST = TESTS / "mutants.toml"


@dataclass(frozen=True)
class Change:
    """A mutant: a module, the text of the changed lines, and what stands there instead."""

    module: str
    line: str
    mutant: str


@dataclass(frozen=True)
class Survivors:
    """The list's contents."""

    reasons: dict[Change, str]
    #: Lines of which every mutant is accepted: (module, line).
    whole_lines: dict[tuple[str, str], str]
    #: For a module or a package, the test files that belong to it beside those of its name.
    more_tests: dict[str, list[str]]

    def stale(self) -> list[Change]:
        """Return the entries whose line no longer stands in the module."""
        entries = [*self.reasons, *(Change(module, line, "") for module, line in self.whole_lines)]
        return [entry for entry in entries if entry.line not in lines(entry.module)]

    def accepts(self, change: Change) -> bool:
        """Return whether a mutant is in the list, itself or with all mutants of its line."""
        return change in self.reasons or (change.module, change.line) in self.whole_lines

    def tests_of(self, module: str) -> list[str]:
        """Return the test files of a module: the one of its name, and those that the list adds."""
        parts = module.removesuffix(".py").split("/")
        folder = ["server", *parts[2:]] if parts[0] == "server" else parts[1:]
        own = "/".join(["tests", *folder[:-1], f"test_{folder[-1]}.py"])
        more = [
            path for place, paths in self.more_tests.items() if module.startswith(place) for path in paths
        ]
        return list(dict.fromkeys(path for path in [own, *more] if (ROOT / path).is_file()))


def one_line(text: str) -> str:
    """Return source text as one line, with one space for each run of white space."""
    return " ".join(text.split())


def lines(module: str) -> str:
    """Return a module's source as one line."""
    path = ROOT / module
    return one_line(path.read_text(encoding="utf-8")) if path.is_file() else ""


def read() -> Survivors:
    """Return the contents of ``tests/mutants.toml``."""
    data = tomllib.loads(LIST.read_text(encoding="utf-8"))
    reasons: dict[Change, str] = {}
    whole_lines: dict[tuple[str, str], str] = {}
    for module, entries in data.get("accepted", {}).items():
        for entry in entries:
            if "mutant" in entry:
                reasons[Change(module, entry["line"], entry["mutant"])] = entry["reason"]
            else:
                whole_lines[module, entry["line"]] = entry["reason"]
    return Survivors(reasons, whole_lines, data.get("tests", {}))
