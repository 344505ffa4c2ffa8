"""``add``, ``drop`` and ``merge``: the other layers keep their files, byte for byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.places import GOLDEN

import portrait
from portrait import (
    CorpusError,
    DamagedBundleError,
    FilterSpec,
    OutputError,
    OutputExistsError,
    SpecError,
    Stride,
    WindowSpec,
)
from portrait.bundle.manifest import MAX_MANIFEST_VALUES

if TYPE_CHECKING:
    from conftest import Cli

TALES = {name: f"{name}: the tale of the {name} begins where the last one ends. " * 9 for name in "abcd"}
SPEC = WindowSpec(20, Stride(10))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, holding four texts and a portrait of two of them, ``ab``."""
    monkeypatch.chdir(tmp_path)
    for name, tale in TALES.items():
        Path(f"{name}.txt").write_text(tale)
    portrait.build({"a": "a.txt", "b": "b.txt"}, "ab", windows=SPEC, license="CC0-1.0", trained_models=["m"])
    return tmp_path


def shards(path: str) -> dict[str, int]:
    """Return the inode of every shard and sketch of a bundle."""
    return {one.name: one.stat().st_ino for one in Path(path).glob("*.safetensors")}


def test_a_portrait_built_in_steps_is_the_one_built_at_once() -> None:
    before = shards("ab")
    portrait.add("ab", {"c": "c.txt"})
    assert shards("ab").items() > before.items()
    whole = portrait.build({name: f"{name}.txt" for name in "abc"}, "abc", windows=SPEC)
    extended = portrait.open("ab")
    assert extended.manifest.id == whole.manifest.id
    assert extended.manifest.layers == whole.manifest.layers
    assert extended.manifest.corpus == whole.manifest.corpus
    assert (extended.manifest.license, extended.manifest.trained_models) == ("CC0-1.0", ("m",))
    portrait.verify("ab")
    assert {layer.source for layer, _ in extended.query(TALES["c"]).matches} == {"c"}
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_a_dropped_layer_is_gone() -> None:
    portrait.add("ab", {"c": "c.txt"})
    portrait.drop("ab", ["a", "c"])
    only = portrait.build({"b": "b.txt"}, "b", windows=SPEC)
    assert portrait.open("ab").manifest.id == only.manifest.id
    assert set(portrait.open("ab").manifest.corpus) == {"b"}
    assert {*shards("ab")} == {"b-00001-of-00001.safetensors", "b-sketch.safetensors"}
    assert portrait.open("ab").query(TALES["a"]).verdict == "not_found"
    portrait.verify("ab")


def test_merging_equals_building_at_once() -> None:
    other = portrait.build(
        {"c": "c.txt", "d": "d.txt"}, "cd", windows=SPEC, license="CC0-1.0", trained_models=["n", "m"]
    )
    inodes = {**shards("ab"), **shards("cd")}
    merged = portrait.merge(["cd", "ab"], "all")
    whole = portrait.build({name: f"{name}.txt" for name in "abcd"}, "abcd", windows=SPEC)
    assert merged.manifest.id == whole.manifest.id
    assert merged.manifest.corpus == whole.manifest.corpus
    assert (merged.manifest.license, merged.manifest.trained_models) == ("CC0-1.0", ("n", "m"))
    assert shards("all") == inodes
    assert portrait.open("cd").manifest == other.manifest
    portrait.verify("all")


def test_layers_may_have_filters_of_different_kinds() -> None:
    portrait.add("ab", {"c": "c.txt"}, filter=FilterSpec("ribbon", 0.001))
    kinds = [layer.filter["kind"] for layer in portrait.open("ab").manifest.layers]
    assert kinds == ["bloom", "bloom", "ribbon"]
    portrait.verify("ab")


def test_several_columns_are_one_text() -> None:
    Path("rows.jsonl").write_text(json.dumps({"meta": {"q": TALES["c"]}, "answer": "and so it was"}) + "\n")
    portrait.add("ab", {"rows": "rows.jsonl"}, column=["meta.q", "answer"])
    assert portrait.open("ab").query(f"{TALES['c']}\nand so it was").exact_document


def test_file_names_that_collide_are_changed() -> None:
    portrait.build({"A": "c.txt"}, "upper", windows=SPEC)
    merged = portrait.merge(["ab", "upper"], "all")
    files = [one.file for layer in merged.manifest.layers for one in layer.files]
    assert len({file.casefold() for file in files}) == 6
    portrait.verify("all")


@pytest.mark.parametrize("missing", ["link", "nothing"])
def test_shards_are_copied_where_hard_links_are_not_supported(
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


def test_a_refused_operation_changes_nothing() -> None:
    before = {path: path.read_bytes() for path in Path("ab").iterdir()}
    portrait.build({"c": "c.txt"}, "wide", windows=WindowSpec(30, Stride(10)))
    portrait.build({"a": "c.txt"}, "same", windows=SPEC)
    with pytest.raises(SpecError, match="already holds a source 'a'"):
        portrait.add("ab", {"a": "c.txt"})
    with pytest.raises(CorpusError, match=r"nothing\.txt"):
        portrait.add("ab", {"c": "nothing.txt"})
    with pytest.raises(SpecError, match="no source 'x': choose one of a, b"):
        portrait.drop("ab", ["x"])
    with pytest.raises(SpecError, match="no layer would be left"):
        portrait.drop("ab", ["a", "b"])
    with pytest.raises(SpecError, match=r"other windows \(30 characters, every 10, normaliser spaces\)"):
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


@pytest.mark.parametrize(("name", "what"), [("a-00001-of-00001", "shard"), ("a-sketch", "sketch")])
def test_a_missing_file_is_detected(name: str, what: str) -> None:
    Path(f"ab/{name}.safetensors").unlink()
    with pytest.raises(DamagedBundleError, match=f"{name}.safetensors: the {what} is missing"):
        portrait.add("ab", {"c": "c.txt"})


def test_a_layer_cannot_be_added_to_a_wrapped_filter() -> None:
    golden = GOLDEN / "redisbloom"
    if golden.stat().st_dev != Path().stat().st_dev:
        pytest.skip("the tests and the temporary files are on different file systems")
    portrait.wrap(golden / "words.50-50.bf", "theirs")
    with pytest.raises(SpecError, match="layers of kind redisbloom cannot be built"):
        portrait.add("theirs", {"c": "c.txt"})


def test_the_command_line_adds_drops_and_merges(cli: Cli) -> None:
    result = cli("add", "ab", "c=c.txt")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("ab: 3 layers (a, b, c), ")
    assert cli("drop", "ab", "a", "c").out.startswith("ab: 1 layer (b), ")
    portrait.build({"d": "d.txt"}, "d", windows=SPEC)
    assert cli("merge", "ab", "d", "-o", "bd").out.startswith("bd: 2 layers (b, d), ")
    assert portrait.open("bd").sources == ("b", "d")
    refusal = cli("drop", "bd", "x")
    assert (refusal.code, refusal.out) == (2, "")
    assert refusal.err == "portrait: error: bd: no source 'x': choose one of b, d\n"


def test_manifests_that_are_too_large_together_are_not_united() -> None:
    half = "," * (MAX_MANIFEST_VALUES // 2)
    portrait.build({"c": "c.txt"}, "c", windows=SPEC, trained_models=["c" + half])
    portrait.build({"d": "d.txt"}, "d", windows=SPEC, trained_models=["d" + half])
    with pytest.raises(OutputError, match="the manifest would have"):
        portrait.merge(["c", "d"], "out")
    assert not Path("out").exists()


def test_a_manifest_that_would_be_too_large_is_noticed_before_a_layer_is_read() -> None:
    portrait.build({"c": "c.txt"}, "c", windows=SPEC, license="," * (MAX_MANIFEST_VALUES - 10_000))
    names = [f"{',' * 200}{i}.txt" for i in range(100)]
    for name in names:
        Path(name).write_bytes(b"\xff")
    with pytest.raises(OutputError, match="the manifest would have"):
        portrait.add("c", {"d": names})
