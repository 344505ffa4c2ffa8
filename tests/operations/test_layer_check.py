"""``check_layer``: a layer that differs from its record in any byte is refused, and the file named."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forge import change_manifest, opens_or_is_refused, replace, shard_path

import portrait
from portrait import BundleError, DamagedBundleError
from portrait.bundle.pieces import MAX_SKETCH_KEYS
from portrait.bundle.reader import read
from portrait.bundle.sketches import write_sketch
from portrait.bundle.tensors import map_tensors
from portrait.operations.layer_check import check_layer
from portrait.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = "The lamplighter knew every street by the sound of its cats. "


def refusal(bundle: Path) -> str:
    """Return the message with which ``verify`` refuses a bundle."""
    with pytest.raises(DamagedBundleError) as caught:
        portrait.verify(bundle)
    assert str(caught.value).isprintable()
    return str(caught.value)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_changed_byte_of_any_file_is_detected(whole: Path, scratch: Path, data: st.DataObject) -> None:
    names = sorted(path.name for path in whole.glob("*.safetensors"))
    path = scratch / data.draw(st.sampled_from(names))
    original = (whole / path.name).read_bytes()
    # Half of the examples change the header, which is a small part of the file.
    end = data.draw(st.sampled_from([192, len(original)]))
    changed = bytearray(original)
    changed[data.draw(st.integers(0, end - 1))] ^= data.draw(st.integers(1, 255))
    replace(path, bytes(changed))
    try:
        with pytest.raises(BundleError) as caught:
            portrait.verify(scratch)
        assert path.name in str(caught.value)
        opens_or_is_refused(scratch, TEXT * 3)
    finally:
        replace(path, original)


def test_a_wrong_record_with_correct_digests_is_detected(bundle: Path) -> None:
    path = shard_path(bundle)
    vectors = {name: ["0" * 16] for name in ("present", "absent")}
    absent = json.loads((bundle / "portrait.json").read_bytes())["layers"][0]["test_vectors"]["absent"]
    cases: dict[str, dict[str, Any]] = {
        "does not hold the test key": {"test_vectors": {"present": absent, "absent": []}},
        "the filter's rate is": {"fpr": 0.5},
        "is not a key": {"test_vectors": vectors | {"present": ["x"]}},
        "its tensors are not those": {"tensors": {"blocks": "0" * 64}},
    }
    original = (bundle / "portrait.json").read_bytes()
    for reason, fields in cases.items():
        replace(bundle / "portrait.json", original)
        change_manifest(bundle, lambda manifest, fields=fields: manifest["layers"][0].update(fields))  # type: ignore[misc]
        message = refusal(bundle)
        assert reason in message
        assert message.startswith((f"{path}: ", f"{bundle / 'portrait.json'}: "))


@pytest.mark.parametrize("name", ["sha256", "xxh3_128"])
def test_both_digests_are_checked(name: str, bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: flip(manifest["layers"][0]["shards"][0], name))
    assert refusal(bundle).startswith(f"{shard_path(bundle)}: its digest is not the recorded one")


def flip(record: dict[str, str], name: str) -> None:
    """Change the last hexadecimal digit of a digest."""
    record[name] = record[name][:-1] + ("0" if record[name][-1] != "0" else "1")


def shards_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of the first layer's shards."""
    records: list[dict[str, Any]] = manifest["layers"][0]["shards"]
    return records


def swap(manifest: dict[str, Any]) -> None:
    """Exchange two files of equal size, so that only the bits of the filter are wrong."""
    one, two = shards_of(manifest)[:2]
    for name in ("file", "sha256", "xxh3_128", "bytes"):
        one[name], two[name] = two[name], one[name]


def test_verify_detects_exchanged_shards(bundle: Path) -> None:
    change_manifest(bundle, swap)
    portrait.open(bundle)
    with pytest.raises(DamagedBundleError, match="its tensors are not those"):
        portrait.verify(bundle)


def test_every_layer_is_checked_separately(bundle: Path) -> None:
    opened = read(bundle)
    first, second = opened.manifest.layers
    (shard,) = second.shards
    data = (bundle / shard.file).read_bytes()
    replace(bundle / shard.file, data[:-1] + bytes([data[-1] ^ 1]))
    check_layer(opened, first, Silent())
    with pytest.raises(DamagedBundleError) as caught:
        check_layer(opened, second, Silent())
    assert str(caught.value) == (
        f"{bundle / shard.file}: its digest is not the recorded one: fetch the bundle again"
    )


def test_a_missing_shard_is_named(bundle: Path) -> None:
    opened = read(bundle)
    shard_path(bundle).unlink()
    with pytest.raises(DamagedBundleError, match="the shard is missing"):
        check_layer(opened, opened.manifest.layers[0], Silent())


def test_a_shard_that_disappears_during_the_check_is_named(bundle: Path) -> None:
    opened = read(bundle)
    layer = opened.manifest.layers[0]
    last = bundle / layer.shards[-1].file

    class ShardRemover(Silent):
        """A progress callback that removes the last shard once the first has been read."""

        def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
            last.unlink(missing_ok=True)

    with pytest.raises(DamagedBundleError, match=r"the shard is missing|No such file") as caught:
        check_layer(opened, layer, ShardRemover())
    assert str(caught.value).startswith(f"{last}: ")


def layer_record(bundle: Path) -> dict[str, Any]:
    """Return the record of the first layer."""
    record: dict[str, Any] = json.loads((bundle / "portrait.json").read_bytes())["layers"][0]
    return record


def sketch_changed(bundle: Path, change: Callable[[list[int]], list[int]], **layer_fields: object) -> Path:
    """Change the keys of the first layer's sketch, and its record with them; return its path."""
    path = bundle / str(layer_record(bundle)["sketch"]["file"])
    keys = change(list(map_tensors(path)["keys"][1].cast("Q")))
    path.unlink()
    written = write_sketch(path, keys, "a")
    change_manifest(
        bundle, lambda manifest: manifest["layers"][0].update(sketch=asdict(written), **layer_fields)
    )
    return path


def test_a_sketch_with_a_key_that_the_filter_does_not_hold_is_detected(bundle: Path) -> None:
    absent = int(layer_record(bundle)["test_vectors"]["absent"][0], 16)
    path = sketch_changed(bundle, lambda keys: sorted([*keys[1:], absent]))
    assert refusal(bundle) == f"{path}: the filter does not hold its key {absent:016x}"


def test_a_sketch_whose_keys_are_too_far_apart_for_the_layer_s_number_of_keys_is_detected(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.txt").write_text("".join(random.Random(7).choices("abcdef ", k=500_000)))
    bundle = portrait.build({"a": tmp_path / "a.txt"}, tmp_path / "out").path
    n_keys = layer_record(bundle)["distinct_keys"]
    assert n_keys > MAX_SKETCH_KEYS
    path = sketch_changed(bundle, lambda keys: keys, distinct_keys=2 * n_keys)
    message = refusal(bundle)
    assert message.startswith(f"{path}: its keys are not the smallest of {2 * n_keys:,}, but of about ")
    sketch_changed(bundle, lambda keys: keys, distinct_keys=round(1.01 * n_keys))
    portrait.verify(bundle)


def test_a_sketch_beside_a_filter_that_takes_no_keys_is_detected(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    built = portrait.build(tmp_path / "a.txt", tmp_path / "out", filter=portrait.FilterSpec("pybloom"))
    (layer,) = built.manifest.layers
    assert layer.sketch is None
    path = built.path / "a-sketch.safetensors"
    keys = range(layer.distinct_keys)
    written = write_sketch(path, keys, "main")
    change_manifest(built.path, lambda manifest: manifest["layers"][0].update(sketch=asdict(written)))
    assert refusal(built.path) == f"{path}: the filter of its layer takes no keys"


def test_a_layer_without_a_sketch_is_intact(bundle: Path) -> None:
    (sketch,) = bundle.glob("a-sketch.safetensors")
    sketch.unlink()
    change_manifest(bundle, lambda manifest: manifest["layers"][0].update(sketch=None))
    portrait.verify(bundle)
