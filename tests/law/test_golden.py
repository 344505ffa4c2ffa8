"""Golden bundles: the same corpus and specs give the same bytes, release after release.

Otherwise nobody could reproduce portraits that are already published. If a change is intended, and the
format or a normaliser has a new version, write the new files with

    PYTHONPATH=tests python tests/law/test_golden.py

and review the changes in tests/golden before committing them.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from support.forge import seal
from support.places import GOLDEN

import portrait
from portrait import FilterSpec, Stride, WindowSpec

PROSE = """\
The bakery on the corner opens at five. By six the street smells of rye and caraway, and the first
trams carry the smell away to the harbour, where nobody has had breakfast yet.

Am Hafen wird gehämmert: drei Männer flicken ein Boot, das älter ist als sie alle zusammen\u2009—\u2009
und dichter hält als jedes neue, sagt der älteste, außer bei Ostwind.
"""

NOTES = [
    "Tide table: high water 04:12 and 16:40, low water 10:25 and 22:51; add an hour in summer.",
    "港の朝は早い。パン屋が店を開けるころには、もう船が三隻も出ていった。残った船は修理を待っている。",
    "Cafe\u0301 and café are one; so are Ångström and A\u030angstro\u0308m, once they are composed. 🦀⚓️",
    "too short",
    "",
]

BUILDS: dict[str, dict[str, Any]] = {
    "defaults": {"sources": ["corpus"]},
    "two_sources": {
        "sources": {"prose": "corpus/prose.txt", "notes": "corpus/notes.jsonl"},
        "windows": WindowSpec(width=12, sampling=Stride(5), unit="byte", normalizer="none"),
        "filter": FilterSpec(fpr=0.0005),
        "license": "CC0-1.0",
        "trained_models": ["example/harbour-7b"],
        "short_documents": True,
    },
    "loose_words": {
        "sources": ["corpus"],
        "windows": WindowSpec(width=4, unit="word", normalizer="loose"),
        "filter": FilterSpec("ribbon"),
    },
}


def build(name: str, out: Path) -> None:
    """Build one of the portraits in a temporary directory, so that the corpus always has the same paths."""
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
        Path("corpus").mkdir()
        Path("corpus/prose.txt").write_bytes(PROSE.encode())
        rows = (json.dumps({"text": text}) + "\n" for text in NOTES)
        Path("corpus/notes.jsonl").write_bytes("".join(rows).encode())
        portrait.build(out=out, **BUILDS[name])


def files(bundle: Path) -> dict[str, bytes]:
    """Return the contents of the manifest and shards by name, without the version that built them."""
    contents = {path.name: path.read_bytes() for path in bundle.iterdir() if path.name != "README.md"}
    version = f'"tool": "portrait {portrait.__version__}"'.encode()
    contents["portrait.json"] = seal(
        contents["portrait.json"].replace(version, b'"tool": "portrait VERSION"')
    )
    return contents


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_gives_the_golden_bytes(name: str, tmp_path: Path) -> None:
    build(name, tmp_path / "out")
    expected = {path.name: path.read_bytes() for path in (GOLDEN / name).iterdir()}
    actual = files(tmp_path / "out")
    hint = "if this is intended, run PYTHONPATH=tests python tests/law/test_golden.py"
    assert actual["portrait.json"].decode() == expected["portrait.json"].decode(), hint
    assert actual == expected, hint


@pytest.mark.parametrize("name", BUILDS)
def test_a_golden_bundle_opens_and_recognises_its_corpus(name: str) -> None:
    opened = portrait.open(GOLDEN / name)
    assert opened.spec == BUILDS[name].get("windows", WindowSpec())
    assert opened.query(PROSE[:150]).verdict == "found"
    assert opened.query(PROSE).exact_document
    keyed = BUILDS[name].get("short_documents", False)
    for answer in opened.query(NOTES):
        assert answer.exact_document is (True if keyed or answer.layers[0].windows else None)
    verdict = "found" if opened.spec.normalizer == "loose" else "not_found"
    assert opened.query(PROSE.swapcase()).verdict == verdict


def test_every_golden_bundle_belongs_to_a_build() -> None:
    bundles = {path.parent.name for path in GOLDEN.glob("*/portrait.json")}
    assert bundles == set(BUILDS)


def regenerate() -> None:
    """Write all golden files, replacing the old ones."""
    for name in BUILDS:
        shutil.rmtree(GOLDEN / name, ignore_errors=True)
        (GOLDEN / name).mkdir(parents=True)
        with tempfile.TemporaryDirectory() as directory:
            build(name, Path(directory, "out"))
            for file, data in files(Path(directory, "out")).items():
                (GOLDEN / name / file).write_bytes(data)


if __name__ == "__main__":
    regenerate()
