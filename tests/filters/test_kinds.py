"""The table of filter kinds: opening, test vectors, layouts, and what each kind refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pybloom_live import BloomFilter

import portrait
from portrait.bundle import reader as bundles
from portrait.errors import SpecError, UnsupportedBundleError
from portrait.filters import kinds, pybloom, redisbloom
from portrait.filters.bloom import Bloom, BloomBuilder
from portrait.filters.pybloom import PyBloom
from portrait.filters.ribbon import Ribbon
from portrait.portraits.pybloom import from_pybloom
from portrait.spec import FILTER_KINDS, FilterSpec, WindowSpec

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer
    from portrait.bundle.reader import Bundle

CLASSES = {"bloom": Bloom, "ribbon": Ribbon, "pybloom": PyBloom}
TEXT = "The net loft above the boatyard was let to a piano tuner, who paid in tuned pianos. " * 3


@pytest.fixture(scope="module", params=FILTER_KINDS)
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of one layer, for each kind that can be built."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "a.txt").write_text(TEXT)
    built = portrait.build(folder / "a.txt", folder / "a.portrait", filter=portrait.FilterSpec(request.param))
    return bundles.read(built.path)


def layer_of(bundle: Bundle) -> Layer:
    (layer,) = bundle.manifest.layers
    return layer


def kind_of(bundle: Bundle) -> str:
    return str(layer_of(bundle).filter["kind"])


def test_a_layer_is_opened_as_a_filter_of_its_kind(bundle: Bundle) -> None:
    assert isinstance(kinds.open_layer(bundle, layer_of(bundle)), CLASSES[kind_of(bundle)])


@pytest.mark.parametrize("kind", ["cuckoo", 7, None])
def test_an_unknown_kind_is_named(kind: object, bundle: Bundle) -> None:
    layer = replace(layer_of(bundle), filter={"kind": kind})
    (shard,) = layer.shards
    message = f"layer 'main' has an unknown filter {kind!r}: upgrade portrait"
    for call in (
        lambda: kinds.open_layer(bundle, layer),
        lambda: kinds.tensor_sizes(bundle, layer, shard),
        lambda: kinds.contains_vectors(bundle, layer, BloomBuilder(1).finish(), ()),
    ):
        with pytest.raises(UnsupportedBundleError, match=message):
            call()


def test_tensors_are_at_the_end_of_a_shard_s_file(bundle: Bundle) -> None:
    layer = layer_of(bundle)
    (shard,) = layer.shards
    sizes = dict(kinds.tensor_sizes(bundle, layer, shard))
    assert sizes.keys() == layer.tensors.keys()
    n_bytes = Path(bundle.path, shard.file).stat().st_size
    if kind_of(bundle) == "pybloom":
        assert sizes == {"bits": n_bytes}
    else:
        assert 0 < sum(sizes.values()) < n_bytes


def test_test_vectors_are_windows_or_keys_depending_on_the_kind(bundle: Bundle) -> None:
    layer = layer_of(bundle)
    opened = kinds.open_layer(bundle, layer)
    vectors = layer.test_vectors
    assert set(kinds.contains_vectors(bundle, layer, opened, vectors.present)) <= {1}
    assert set(kinds.contains_vectors(bundle, layer, opened, vectors.absent)) == {0}
    wrong, message = (
        ("\ud800", "is not a window: .* U\\+D800")
        if kind_of(bundle) == "pybloom"
        else ("ferry", "is not a key of 16 hexadecimal digits")
    )
    with pytest.raises(ValueError, match=message):
        kinds.contains_vectors(bundle, layer, opened, (wrong,))


@pytest.mark.parametrize("key", ["", "-1", "1" + "0" * 16])
def test_a_key_is_a_number_of_64_bits(key: str, bundle: Bundle) -> None:
    if kind_of(bundle) != "pybloom":
        with pytest.raises(ValueError, match="is not a key"):
            kinds.contains_vectors(bundle, layer_of(bundle), BloomBuilder(1).finish(), (key,))


def test_only_some_kinds_are_built_from_keys() -> None:
    assert kinds.layout(FilterSpec("bloom"), 1000).parameters["kind"] == "bloom"
    assert kinds.layout(FilterSpec("ribbon"), 1000).parameters["kind"] == "ribbon"
    with pytest.raises(SpecError, match="a pybloom filter is built from windows, not from keys") as caught:
        kinds.layout(FilterSpec("pybloom"), 1000)
    assert caught.value.parameter == "filter"


@pytest.mark.parametrize("kind", FILTER_KINDS)
def test_a_filter_s_size_and_rate_are_known_before_it_is_built(kind: str) -> None:
    n_bytes, fpr = kinds.expected(FilterSpec(kind), 100_000)  # type: ignore[arg-type]
    assert 80_000 < n_bytes < 200_000
    assert 0.005 <= fpr <= 0.01


def test_a_kind_that_is_only_read_has_no_expected_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.KINDS, "bloom", kinds.KINDS["redisbloom"])
    with pytest.raises(SpecError, match="a bloom filter can only be read, not built"):
        kinds.expected(FilterSpec("bloom"), 10)


def test_only_pybloom_refuses_windows_of_bytes() -> None:
    for kind in ("bloom", "ribbon", "redisbloom"):
        kinds.require_windows(kind, WindowSpec(unit="byte"))
    kinds.require_windows("pybloom", WindowSpec())
    with pytest.raises(SpecError, match="windows of bytes"):
        kinds.require_windows("pybloom", WindowSpec(unit="byte"))


def test_a_filter_of_windows_refuses_keys() -> None:
    with pytest.raises(ValueError, match="windows, not keys"):
        from_pybloom(BloomFilter(10)).contains(bytes(8))


def test_every_kind_that_can_be_specified_can_be_built() -> None:
    assert set(kinds.KINDS) == {*FILTER_KINDS, redisbloom.KIND}  # redisbloom is only read
    for kind in FILTER_KINDS:
        spec = FilterSpec(kind)  # type: ignore[arg-type]
        if kind == pybloom.KIND:  # built from windows, not from keys
            with pytest.raises(SpecError, match="windows"):
                kinds.layout(spec, 10)
        else:
            assert kinds.layout(spec, 10).parameters["kind"] == kind
