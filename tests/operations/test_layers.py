"""Layers in and out: what stays is what was there, to the byte and by the same file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.places import GOLDEN

import portrait
from portrait import CorpusError, DamagedBundleError, FilterSpec, OutputExistsError, SpecError, WindowSpec

if TYPE_CHECKING:
    from conftest import Cli

TALES = {name: f"{name}: the tale of the {name} begins where the last one ends. " * 9 for name in "abcd"}
SPEC = WindowSpec(20, 10)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, tale in TALES.items():
        Path(f"{name}.txt").write_text(tale)
    portrait.build({"a": "a.txt", "b": "b.txt"}, "ab", windows=SPEC, license="CC0-1.0", trained_models=["m"])
    return tmp_path


def shards(path: str) -> dict[str, int]:
    return {one.name: one.stat().st_ino for one in Path(path).glob("*.safetensors")}


def test_a_portrait_built_in_steps_is_the_one_built_at_once() -> None:
    before = shards("ab")
    portrait.add("ab", {"c": "c.txt"})
    assert shards("ab").items() > before.items()
    whole = portrait.build({name: f"{name}.txt" for name in "abc"}, "abc", windows=SPEC)
    stepped = portrait.open("ab")
    assert stepped.manifest.id == whole.manifest.id
    assert stepped.manifest.layers == whole.manifest.layers
    assert stepped.manifest.corpus == whole.manifest.corpus
    assert (stepped.manifest.license, stepped.manifest.trained_models) == ("CC0-1.0", ("m",))
    portrait.verify("ab")
    assert {layer.source for layer, _ in stepped.query(TALES["c"]).matches} == {"c"}
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_what_is_dropped_is_gone() -> None:
    portrait.add("ab", {"c": "c.txt"})
    portrait.drop("ab", ["a", "c"])
    only = portrait.build({"b": "b.txt"}, "b", windows=SPEC)
    assert portrait.open("ab").manifest.id == only.manifest.id
    assert set(portrait.open("ab").manifest.corpus) == {"b"}
    assert len(shards("ab")) == 1
    assert portrait.open("ab").query(TALES["a"]).verdict == "not_found"
    portrait.verify("ab")


def test_merging_is_building_at_once() -> None:
    other = portrait.build(
        {"c": "c.txt", "d": "d.txt"}, "cd", windows=SPEC, license="CC0-1.0", trained_models=["n", "m"]
    )
    there = {**shards("ab"), **shards("cd")}
    merged = portrait.merge(["cd", "ab"], "all")
    whole = portrait.build({name: f"{name}.txt" for name in "abcd"}, "abcd", windows=SPEC)
    assert merged.manifest.id == whole.manifest.id
    assert merged.manifest.corpus == whole.manifest.corpus
    assert (merged.manifest.license, merged.manifest.trained_models) == ("CC0-1.0", ("n", "m"))
    assert shards("all") == there
    assert portrait.open("cd").manifest == other.manifest
    portrait.verify("all")


def test_filters_of_several_kinds_stand_side_by_side() -> None:
    portrait.add("ab", {"c": "c.txt"}, filter=FilterSpec("fuse", 0.001))
    kinds = [layer.filter["kind"] for layer in portrait.open("ab").manifest.layers]
    assert kinds == ["bloom", "bloom", "fuse"]
    portrait.verify("ab")


def test_several_columns_are_one_text() -> None:
    Path("rows.jsonl").write_text(json.dumps({"meta": {"q": TALES["c"]}, "answer": "and so it was"}) + "\n")
    portrait.add("ab", {"rows": "rows.jsonl"}, column=["meta.q", "answer"])
    assert portrait.open("ab").query(f"{TALES['c']}\nand so it was").exact_document


def test_names_of_files_that_are_taken_are_changed() -> None:
    portrait.build({"A": "c.txt"}, "upper", windows=SPEC)
    merged = portrait.merge(["ab", "upper"], "all")
    files = [shard.file for layer in merged.manifest.layers for shard in layer.shards]
    assert len({file.casefold() for file in files}) == 3
    portrait.verify("all")


@pytest.mark.parametrize("missing", ["link", "nothing"])
def test_where_there_are_no_hard_links_shards_are_copied(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "link":

        def refuse(*_: object, **__: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", refuse)
    portrait.build({"c": "c.txt"}, "c", windows=SPEC)
    portrait.merge(["ab", "c"], "all")
    assert (shards("all").items() >= shards("ab").items()) == (missing == "nothing")
    portrait.verify("all")


def test_what_cannot_be_done_changes_nothing() -> None:
    before = {path: path.read_bytes() for path in Path("ab").iterdir()}
    portrait.build({"c": "c.txt"}, "wide", windows=WindowSpec(30, 10))
    portrait.build({"a": "c.txt"}, "same", windows=SPEC)
    with pytest.raises(SpecError, match="already holds a source 'a'"):
        portrait.add("ab", {"a": "c.txt"})
    with pytest.raises(CorpusError, match=r"nothing\.txt"):
        portrait.add("ab", {"c": "nothing.txt"})
    with pytest.raises(SpecError, match="no source 'x': choose one of a, b"):
        portrait.drop("ab", ["x"])
    with pytest.raises(SpecError, match="no layer would be left"):
        portrait.drop("ab", ["a", "b"])
    with pytest.raises(SpecError, match="cuts texts into other windows"):
        portrait.merge(["ab", "wide"], "out")
    with pytest.raises(SpecError, match="holds a source 'a', and so does ab"):
        portrait.merge(["ab", "same"], "out")
    with pytest.raises(SpecError, match="two portraits or more"):
        portrait.merge(["ab"], "out")
    portrait.build({"c": "c.txt"}, "c", windows=SPEC)
    with pytest.raises(OutputExistsError):
        portrait.merge(["ab", "c"], "same")
    assert {path: path.read_bytes() for path in Path("ab").iterdir()} == before
    assert not Path("out").exists()


def test_a_shard_that_is_missing_is_noticed() -> None:
    next(Path("ab").glob("a-*.safetensors")).unlink()
    with pytest.raises(DamagedBundleError, match="the shard is missing"):
        portrait.add("ab", {"c": "c.txt"})


def test_a_filter_of_theirs_is_not_built() -> None:
    golden = GOLDEN / "redisbloom"
    portrait.wrap(golden / "words.50-50.bf", "theirs") if golden.stat().st_dev == Path().stat().st_dev else (
        pytest.skip("the tests stand on another file system than temporary files")
    )
    with pytest.raises(SpecError, match="layers of kind redisbloom cannot be built"):
        portrait.add("theirs", {"c": "c.txt"})


def test_the_command_line(cli: Cli) -> None:
    done = cli("add", "ab", "c=c.txt")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ab: 3 layers (a, b, c), ")
    assert cli("drop", "ab", "a", "c").out.startswith("ab: 1 layer (b), ")
    portrait.build({"d": "d.txt"}, "d", windows=SPEC)
    assert cli("merge", "ab", "d", "-o", "bd").out.startswith("bd: 2 layers (b, d), ")
    assert portrait.open("bd").sources == ("b", "d")
    refused = cli("drop", "bd", "x")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "portrait: error: bd: no source 'x': choose one of b, d\n"
