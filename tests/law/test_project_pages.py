"""SECURITY.md, CONTRIBUTING.md, CHANGELOG.md and CITATION.cff stay true: what they name exists."""

from __future__ import annotations

import re

import pytest
from support.places import ROOT

import portrait

PAGES = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
RECIPES = set(
    re.findall(
        r"^(\w[\w-]*)(?: [^:\n]*)?:(?!=)", (ROOT / "justfile").read_text(encoding="utf-8"), re.MULTILINE
    )
)


def read(name: str) -> str:
    """Return the text of a file in the root of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_recipes_are_read_from_the_justfile() -> None:
    assert {"default", "test", "check", "vectors", "audit", "mutate", "mutate-kernel", "bench"} <= RECIPES


@pytest.mark.parametrize("page", PAGES)
def test_every_recipe_that_a_page_names_exists(page: str) -> None:
    assert set(re.findall(r"`just ([a-z][\w-]*)", read(page))) <= RECIPES


def test_contributors_are_told_about_every_recipe() -> None:
    text = read("CONTRIBUTING.md")
    assert [name for name in sorted(RECIPES - {"default"}) if f"`just {name}" not in text] == []


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_every_file_that_a_page_links_to_exists(page: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(page))
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    paths = re.findall(r"`((?:\.ci|tests|native|portrait|server|docs|benchmarks)/[\w./]*)`", read(page))
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_threat_model_covers_everyone_who_hands_something_in() -> None:
    table = read("SECURITY.md").partition("## Who trusts whom")[2].partition("\n## ")[0]
    rows = [row.split("|")[1].strip() for row in table.splitlines() if row.startswith("|")]
    for party in ("a bundle", "a `.bf`", "a corpus", "a client", "a proxy"):
        assert any(row.startswith(party) for row in rows), party


def test_the_minimum_versions_are_those_of_the_packages() -> None:
    text = read("CONTRIBUTING.md")
    (python,) = re.findall(r'requires-python = ">=([\d.]+)"', read("pyproject.toml"))
    (rust,) = re.findall(r'rust-version = "([\d.]+)"', read("native/Cargo.toml"))
    assert f"Python {python} or later and Rust {rust} or later" in text


def test_the_changelog_begins_with_what_is_unreleased_and_names_the_version() -> None:
    headings = re.findall(r"^## \[?([^\]\n]+)", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert portrait.__version__ in read("CHANGELOG.md")


def test_the_citation_is_of_this_version_and_licence_and_refers_to_the_paper() -> None:
    text = read("CITATION.cff")
    assert re.findall(r"^version: (.+)$", text, re.MULTILINE) == [portrait.__version__]
    (licence,) = re.findall(r'^license = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    assert re.findall(r"^license: (.+)$", text, re.MULTILINE) == [licence]
    assert "Data Portraits: Recording Foundation Model Training Data" in text.partition("references:")[2]
