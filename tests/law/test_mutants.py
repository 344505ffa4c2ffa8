"""The list of accepted mutants holds only lines that exist, and test files that exist, with a reason each."""

from __future__ import annotations

from support import survivors
from support.places import ROOT


def test_every_line_of_which_a_mutant_is_accepted_still_exists() -> None:
    assert survivors.read().stale() == []


def test_every_accepted_mutant_has_a_reason_and_differs_from_its_line() -> None:
    known = survivors.read()
    assert all(map(str.strip, [*known.reasons.values(), *known.whole_lines.values()]))
    assert [change for change in known.reasons if change.line == change.mutant] == []


def test_every_test_file_that_the_list_adds_exists() -> None:
    for place, paths in survivors.read().more_tests.items():
        assert (ROOT / place).exists(), place
        assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_a_module_s_tests_are_those_of_its_name_and_those_that_the_list_adds() -> None:
    known = survivors.read()
    assert known.tests_of("portrait/spec.py") == ["tests/test_spec.py"]
    assert known.tests_of("portrait/keys/runs.py") == ["tests/keys/test_runs.py"]
    assert known.tests_of("server/portrait_server/access/keys.py") == ["tests/server/access/test_keys.py"]
    assert known.tests_of("portrait/corpus/formats/arrow.py") == [
        "tests/corpus/formats/test_arrow.py",
        "tests/corpus/test_shards.py",
        "tests/corpus/formats/test_all_formats.py",
    ]


def test_a_line_that_is_gone_is_reported() -> None:
    change = survivors.Change("portrait/spec.py", "no such line", "another")
    assert survivors.Survivors({change: "because"}, {}, {}).stale() == [change]
    assert survivors.Survivors({change: "because"}, {}, {}).accepts(change)
