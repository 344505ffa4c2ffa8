"""``compare``: real portraits whose differences and overlap are known."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import oracle
from support.forge import change_manifest
from support.places import GOLDEN

import portrait
from portrait import DamagedBundleError, FilterSpec, Minimizer, NotAPortraitError, Stride, WindowSpec
from portrait.bundle.pieces import MAX_SKETCH_KEYS

if TYPE_CHECKING:
    from portrait.operations.comparison import SourceComparison
    from portrait.operations.estimates import KeyOverlap, OverlapEstimate

SPEC = WindowSpec(20, Stride(10))
ORACLE = oracle.Spec(20, stride=10)


def texts(name: str, n: int, n_chars: int = 300) -> list[str]:
    """Return documents that share no window with those of another name."""
    dice = random.Random(name)
    return [f"{name} {i} " + "".join(dice.choices("abcdefghij ", k=n_chars)) for i in range(n)]


def write(name: str, documents: list[str]) -> str:
    path = Path(f"{name}.jsonl")
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents))
    return str(path)


def build(out: str, windows: WindowSpec = SPEC, /, **options: Any) -> str:
    """Build a portrait of some sources, by their names, and return its path."""
    names = {"filter", "license", "trained_models"} & options.keys()
    build_options = {name: options.pop(name) for name in names}
    sources = {source: write(f"{out}-{source}", documents) for source, documents in options.items()}
    return str(portrait.build(sources, out, windows=windows, **build_options).path)


OLD, NEW, OTHER = texts("old", 6), texts("new", 4), texts("other", 5)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def numbers(found: KeyOverlap | None) -> dict[str, float | None]:
    assert found is not None
    assert found.exact
    return {name: getattr(found, name).value for name in ("shared", "only_a", "only_b", "a_in_b", "b_in_a")}


def by_source(compared: portrait.Comparison) -> dict[str, SourceComparison]:
    return {one.source: one for one in compared.sources}


def test_a_portrait_has_no_difference_from_itself() -> None:
    path = build("a", web=OLD)
    compared = portrait.compare(path, Path(path))
    assert compared.same_id
    assert compared.differences == ()
    assert [(one.presence, one.differences) for one in compared.sources] == [("identical", ())]
    assert compared.a == compared.b
    layer = portrait.open(path).manifest.layers[0]
    assert (compared.a.documents, compared.a.text_bytes) == (layer.documents, layer.text_bytes)
    assert (compared.a.distinct_keys, compared.a.bytes) == (layer.distinct_keys, layer.shards[0].bytes)
    found = numbers(compared.overlap)
    assert found == {"shared": layer.distinct_keys, "only_a": 0, "only_b": 0, "a_in_b": 1, "b_in_a": 1}
    assert [(pair.a, pair.b) for pair in compared.layers] == [("web", "web")]


def test_the_overlap_of_small_portraits_is_the_one_of_their_keys() -> None:
    a, b = build("a", web=OLD, code=OTHER[:2]), build("b", web=[*OLD[:3], *NEW], more=OTHER)
    compared = portrait.compare(a, b)
    keys_a, keys_b = (
        oracle.portrait(documents, ORACLE) for documents in ([*OLD, *OTHER[:2]], [*OLD[:3], *NEW, *OTHER])
    )
    assert numbers(compared.overlap) == {
        "shared": len(keys_a & keys_b),
        "only_a": len(keys_a - keys_b),
        "only_b": len(keys_b - keys_a),
        "a_in_b": len(keys_a & keys_b) / len(keys_a),
        "b_in_a": len(keys_a & keys_b) / len(keys_b),
    }
    assert {name: one.presence for name, one in by_source(compared).items()} == {
        "code": "dropped",
        "more": "added",
        "web": "changed",
    }
    # All of the source that was dropped is in another one of B.
    assert [(pair.a, pair.b) for pair in compared.layers] == [("code", "more"), ("web", "web")]
    assert numbers(compared.layers[0].overlap)["a_in_b"] == 1


def test_many_keys_are_estimated() -> None:
    shared, only_a, only_b = texts("shared", 400, 400), texts("only a", 300, 400), texts("only b", 200, 400)
    a, b = build("a", web=[*shared, *only_a]), build("b", web=[*shared, *only_b], filter=FilterSpec("ribbon"))
    compared = portrait.compare(a, b)
    found = compared.overlap
    assert found is not None
    assert not found.exact
    assert min(found.sampled_a, found.sampled_b) < MAX_SKETCH_KEYS
    # No document shares a key with another one.
    both, n_a, n_b = (
        portrait.compare(build(f"part{i}", web=part), a).a.distinct_keys
        for i, part in enumerate((shared, only_a, only_b))
    )
    truths = {
        "a_in_b": both / (both + n_a),
        "b_in_a": both / (both + n_b),
        "jaccard": both / (both + n_a + n_b),
        "shared": both,
        "only_a": n_a,
        "only_b": n_b,
    }
    for name, truth in truths.items():
        estimate: OverlapEstimate = getattr(found, name)
        assert estimate.value is not None
        assert estimate.standard_error
        assert abs(estimate.value - truth) < 4 * estimate.standard_error
        assert estimate.standard_error < 0.01 * max(truth, 1.0)
    assert found == compared.layers[0].overlap


def test_what_differs_is_named_with_both_values() -> None:
    a = build("a", web=OLD, license="MIT", trained_models=["m", "n"])
    b = build("b", web=[*OLD, "short"], filter=FilterSpec("ribbon", 2**-9), trained_models=["n", "m"])
    compared = portrait.compare(a, b)
    assert [(one.field, one.a, one.b) for one in compared.differences] == [("license", "MIT", None)]
    (web,) = compared.sources
    changes = {one.field: (one.a, one.b) for one in web.differences}
    assert changes["filter"][0]["kind"] == "bloom"
    assert changes["filter"][1]["kind"] == "ribbon"
    assert changes["fpr_target"] == (0.01, 2**-9)
    assert changes["documents"] == (6, 7)
    assert changes["short_documents"] == (0, 1)
    assert "distinct_keys" not in changes
    assert numbers(compared.overlap)["only_b"] == 0


OTHER_WINDOWS = {
    "width": (WindowSpec(30, Stride(10)), {"width"}),
    "stride": (WindowSpec(20, Stride(5)), {"stride"}),
    "sampling": (WindowSpec(20, Minimizer(12)), {"sampling", "stride", "span"}),
    "unit": (WindowSpec(20, Stride(10), unit="byte"), {"unit"}),
    "normalizer": (WindowSpec(20, Stride(10), normalizer="loose"), {"normalizer"}),
}


@pytest.mark.parametrize("kind", OTHER_WINDOWS)
def test_keys_of_other_windows_are_not_compared(kind: str) -> None:
    windows, fields = OTHER_WINDOWS[kind]
    compared = portrait.compare(build("a", web=OLD), build("b", windows, web=OLD))
    assert {one.field for one in compared.differences} == fields
    assert compared.reason is not None
    assert compared.reason.startswith("A and B cut texts into other windows (")
    assert all(field in compared.reason for field in fields)
    assert (compared.overlap, compared.layers) == (None, ())


def test_a_layer_without_a_sketch_leaves_the_others_comparable() -> None:
    a = build("a", web=OLD)
    b = build("b", web=OLD[:2])
    portrait.add(b, {"bits": write("bits", NEW)}, filter=FilterSpec("pybloom"))
    compared = portrait.compare(a, b)
    assert compared.overlap is None
    assert compared.reason == (
        "layer 'bits' of B has no sketch: its filter does not hold keys of this format"
    )
    (pair,) = compared.layers
    assert numbers(pair.overlap)["b_in_a"] == 1


def test_a_wrapped_filter_is_compared_by_its_manifest_alone() -> None:
    shutil.copytree(GOLDEN / "redisbloom", "theirs")
    wrapped = portrait.wrap("theirs/words.50-50.bf", "theirs")
    compared = portrait.compare(wrapped.path, wrapped.path)
    assert (compared.same_id, compared.overlap, compared.a.documents) == (True, None, None)
    assert compared.reason is not None
    assert "has no sketch" in compared.reason


def test_filters_are_not_read() -> None:
    a, b = build("a", web=OLD), build("b", web=NEW)
    for shard in Path(a).glob("*-of-*.safetensors"):
        shard.unlink()
    compared = portrait.compare(a, b)
    assert numbers(compared.overlap)["shared"] == 0
    assert len(compared.layers) == 1


def test_what_is_damaged_or_missing_is_named() -> None:
    a = build("a", web=OLD)
    with pytest.raises(NotAPortraitError, match="nowhere: no such file or directory"):
        portrait.compare(a, "nowhere")
    sketch = Path(a, "web-sketch.safetensors")
    data = bytearray(sketch.read_bytes())
    data[-1] ^= 1
    sketch.write_bytes(data)
    with pytest.raises(DamagedBundleError, match=r"web-sketch\.safetensors: its digest is not the "):
        portrait.compare(a, build("b", web=OLD))


def test_models_and_unicode_versions_are_compared() -> None:
    a = build("a", web=OLD, trained_models=["m"])
    b = Path(shutil.copytree(a, "b"))
    change_manifest(b, lambda manifest: manifest["normalizer"].update(unicode="1.0"))
    change_manifest(b, lambda manifest: manifest.update(trained_models=["m", "n"]))
    compared = portrait.compare(a, b)
    assert compared.same_id
    assert {one.field: one.b for one in compared.differences} == {
        "unicode": "1.0",
        "trained_models": ["m", "n"],
    }
    assert replace(compared.a, path="b", name="b") == compared.b
