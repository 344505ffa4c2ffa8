"""Layers from keys: the summary that lays out a filter, and what the manifest says of the result."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest

from portrait import FilterSpec, WindowSpec, _native
from portrait.building.layer import build_layer, store_layer, summarise
from portrait.building.request import Request
from portrait.bundle.writer import BundleWriter
from portrait.keys.maker import Counts
from portrait.keys.runs import KeysInMemory
from portrait.sizing import SKETCH_KEYS, keys_to_hold

if TYPE_CHECKING:
    from pathlib import Path

DICE = random.Random("keys")
KEYS = [DICE.getrandbits(64) for _ in range(3000)]
COUNTS = Counts(documents=7, short_documents=2, windows=4000, text_bytes=99)


def keys_of(numbers: list[int]) -> KeysInMemory:
    keys = _native.Keys()
    keys.extend(struct.pack(f"<{len(numbers)}Q", *numbers))
    return KeysInMemory(keys)


def test_few_keys_are_counted_exactly_and_the_smallest_are_the_test_vectors() -> None:
    summary = summarise(keys_of([5, 3, 5, 1 << 63]))
    assert summary.n_distinct == 3
    assert [int(key, 16) for key in summary.first_keys] == [3, 5, 1 << 63]
    assert summarise(keys_of([])).n_distinct == 0


def test_many_keys_are_estimated_and_the_layout_has_room_for_them() -> None:
    dice = random.Random("many")
    n_keys = SKETCH_KEYS * 2
    summary = summarise(keys_of([dice.getrandbits(64) for _ in range(n_keys)]))
    assert summary.n_distinct == pytest.approx(n_keys, rel=4 * SKETCH_KEYS**-0.5)
    assert keys_to_hold(summary.n_distinct) > summary.n_distinct
    assert len(summary.first_keys) == 16


def test_the_record_of_a_layer_has_its_counts_its_rate_and_its_files(tmp_path: Path) -> None:
    request = Request.of(WindowSpec(), FilterSpec("bloom", 0.01))
    with BundleWriter(tmp_path / "out") as writer:
        layer = build_layer("web", COUNTS, keys_of(KEYS), request, writer)
    assert (layer.source, layer.documents, layer.short_documents) == ("web", 7, 2)
    assert (layer.windows, layer.text_bytes, layer.distinct_keys) == (4000, 99, len(set(KEYS)))
    assert layer.fpr_target == 0.01
    assert 0 < layer.fpr < 0.015
    assert layer.test_vectors.present == summarise(keys_of(KEYS)).first_keys
    assert len(layer.shards) == 1
    assert layer.filter["kind"] == "bloom"


def test_a_layer_of_parts_is_the_layer_built_at_once(tmp_path: Path) -> None:
    for kind in ("bloom", "fuse"):
        request = Request.of(WindowSpec(), FilterSpec(kind), max_shard_bytes=5000)
        keys = keys_of(KEYS)
        summary = summarise(keys)
        layout = summary.layout(request.filter)
        parts = [layout.build(keys.within(one.first_key, one.last_key), one) for one in layout.ranges(5)]
        with BundleWriter(tmp_path / "out") as writer:
            at_once = build_layer("web", COUNTS, keys, request, writer)
        with BundleWriter(tmp_path / "out") as writer:
            in_parts = store_layer("web", COUNTS, summary, parts, request, writer)
        assert in_parts == at_once
        assert all(shard.bytes <= 5000 for shard in at_once.shards)
