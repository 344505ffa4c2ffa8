"""What a card says of the corpus, of how to ask, and of the files."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt
from support.places import GOLDEN

from portrait.bundle.manifest_reader import parse
from portrait.bundle.readme.section import commands, detectable, section

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DATASET = "hf://datasets/org/tales?config=en&split=train"


@pytest.fixture
def manifest() -> Manifest:
    """A manifest of one source, ``main``."""
    path = GOLDEN / "defaults" / "portrait.json"
    return parse(path.read_bytes(), str(path))


def corpus_of(manifest: Manifest, record: Any) -> str:
    """Return the section about the corpus, whose record of ``main`` is another."""
    text = section(replace(manifest, corpus={"main": record}), "x", None)
    return text.partition("## The corpus\n\n")[2].partition("\n\n## ")[0]


def test_a_dataset_is_linked_at_its_revision(manifest: Manifest) -> None:
    revision = {"commit": COMMIT, "config": "en", "split": "train", "date": "2026-03-05T08:30:00Z"}
    record = {"location": [DATASET], "revision": {DATASET: revision}, "files": []}
    line = corpus_of(manifest, record)
    assert f"[org/tales](<https://huggingface.co/datasets/org/tales/tree/{COMMIT}>)" in line
    assert f"commit `{COMMIT}`" in line
    assert "config en" in line
    assert "split train" in line
    assert "2026" in line


def test_files_and_rows_left_out_are_counted(manifest: Manifest) -> None:
    files = [{"path": "a", "skipped_rows": 2}, {"path": "b"}]
    listed = corpus_of(manifest, {"location": ["texts"], "revision": None, "files": files, "skipped_rows": 1})
    assert listed == "- main: texts: 2 files, 3 rows left out"
    unlisted = {"files": 200_000, "skipped_rows": 1}
    together = corpus_of(
        manifest, {"location": ["texts"], "revision": None, "files": [], "unlisted": unlisted}
    )
    assert together == "- main: texts: 200,000 files, 1 row left out"


@pytest.mark.parametrize(
    "record",
    [None, [], {}, {"location": 3, "files": "x", "revision": [], "unlisted": 7}, {"location": [None]}],
)
def test_a_record_that_says_nothing_is_no_error(manifest: Manifest, record: Any) -> None:
    assert corpus_of(manifest, record) == "- main: not recorded"


def test_numbers_that_are_none_are_not_counted(manifest: Manifest) -> None:
    files = [{"path": "a", "skipped_rows": True}, {"path": "b", "skipped_rows": -5}]
    assert corpus_of(manifest, {"location": ["t"], "files": files}) == "- main: t: 2 files"


def test_a_page_stays_a_page(manifest: Manifest) -> None:
    (layer,) = manifest.layers
    layers = tuple(replace(layer, source=f"s{i}") for i in range(60))
    record = {"location": [f"part-{i}" for i in range(12)], "revision": None, "files": []}
    many = replace(manifest, layers=layers, corpus={one.source: record for one in layers})
    text = section(many, "x", None)
    assert "- s49: " in text
    assert "- s50: " not in text
    assert "- and 10 more sources\n" in text
    assert "part-9, 2 more" in text
    assert "and 20 more, in portrait.json" in text


def test_every_file_has_its_digest(manifest: Manifest) -> None:
    text = section(manifest, "x", None)
    for record in manifest.layers[0].files:
        assert f"{record.sha256}  {record.file}\n" in text
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert html.count("<details>") == html.count("</details>") == 1


def test_three_lines_say_how_to_ask() -> None:
    local = commands("harbour.portrait", None).splitlines()
    assert local == [
        "pip install data-portrait",
        "portrait verify harbour.portrait",
        'portrait query harbour.portrait "a passage of the text in question"',
    ]
    published = commands("x", "hf://org/name").splitlines()
    assert published[0] == "pip install 'data-portrait[hub]'"
    assert published[2].startswith("portrait query hf://org/name ")
    assert "portrait verify './-x y'" in commands("-x y", None)


def test_sizes_are_for_people_and_exact(manifest: Manifest) -> None:
    layer = replace(manifest.layers[0], text_bytes=1_234_567)
    assert "| 1.23 MB (1,234,567 bytes) |" in section(replace(manifest, layers=(layer,)), "x", None)


def test_the_detectable_length_depends_on_the_text(manifest: Manifest) -> None:
    def length(n_units: int) -> int:
        return int((detectable(manifest, n_units) or "").partition(" ")[0].replace(",", ""))

    assert manifest.windows.width < length(2000) <= length(200_000)


def test_no_length_is_detectable_where_every_window_hits(manifest: Manifest) -> None:
    layer = replace(manifest.layers[0], fpr=1.0)
    assert detectable(replace(manifest, layers=(layer,))) is None


@pytest.mark.parametrize(
    "text", ["<b>|`*[x](y)", "</details>", "a\n- b", "<!-- portrait:end -->", "> x", "caf\udce9"]
)
def test_what_people_name_is_no_markup(manifest: Manifest, text: str) -> None:
    def tags(name: str) -> list[str]:
        dataset = f"hf://datasets/org/{name.replace('/', '_')}"
        revision = {"commit": name, "config": name, "split": name, "date": name}
        record = {
            "location": [name, dataset, f"https://example.org/{name}"],
            "revision": {dataset: revision},
            "files": [{"path": name}],
        }
        shard = replace(manifest.layers[0].shards[0], file=name)
        layer = replace(manifest.layers[0], shards=(shard,))
        written = section(replace(manifest, layers=(layer,), corpus={"main": record}), "x", None)
        html = MarkdownIt("gfm-like", {"linkify": False}).render(written)
        return re.findall(r"<(?!/?code)[^ >]*", html)

    assert tags(text) == tags("x")
