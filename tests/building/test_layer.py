"""Layers from keys: the summary that determines a filter's layout, and the layer's record."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from support.packed_keys import key_list, pack

from portrait import FilterSpec, WindowSpec
from portrait.building.layer import build_layer, store_layer, summarise
from portrait.building.request import Request
from portrait.bundle.pieces import MAX_SKETCH_KEYS
from portrait.bundle.writer import BundleWriter
from portrait.keys.maker import Counts
from portrait.keys.runs import KeysInMemory, KeysInRuns, Run, write_run
from portrait.sizing import SKETCH_KEYS, keys_to_hold

if TYPE_CHECKING:
    from pathlib import Path

DICE = random.Random("keys")
KEYS = [DICE.getrandbits(64) for _ in range(3000)]
COUNTS = Counts(documents=7, short_documents=2, windows=4000, text_bytes=99)


def in_memory(keys: list[int]) -> KeysInMemory:
    return KeysInMemory(key_list(keys))


def test_few_keys_are_counted_exactly_and_the_smallest_are_the_test_vectors() -> None:
    summary = summarise(in_memory([5, 3, 5, 1 << 63]))
    assert summary.n_distinct == 3
    assert [int(key, 16) for key in summary.first_keys] == [3, 5, 1 << 63]
    assert summarise(in_memory([])).n_distinct == 0


def test_the_number_of_many_keys_is_estimated_and_the_layout_has_room_for_them() -> None:
    dice = random.Random("many")
    n_keys = SKETCH_KEYS * 2
    summary = summarise(in_memory([dice.getrandbits(64) for _ in range(n_keys)]))
    assert summary.n_distinct == pytest.approx(n_keys, rel=4 * SKETCH_KEYS**-0.5)
    assert keys_to_hold(summary.n_distinct) > summary.n_distinct
    assert len(summary.first_keys) == 16


def test_the_record_of_a_layer_has_its_counts_its_rate_and_its_files(tmp_path: Path) -> None:
    request = Request.of(WindowSpec(), FilterSpec("bloom", 0.01))
    with BundleWriter(tmp_path / "out") as writer:
        layer = build_layer("web", COUNTS, in_memory(KEYS), request, writer)
    assert (layer.source, layer.documents, layer.short_documents) == ("web", 7, 2)
    assert (layer.windows, layer.text_bytes, layer.distinct_keys) == (4000, 99, len(set(KEYS)))
    assert layer.fpr_target == 0.01
    assert 0 < layer.fpr < 0.015
    assert layer.test_vectors.present == summarise(in_memory(KEYS)).first_keys
    assert len(layer.shards) == 1
    assert layer.filter["kind"] == "bloom"


def test_a_layer_built_in_parts_equals_the_layer_built_at_once(tmp_path: Path) -> None:
    for kind in ("bloom", "ribbon"):
        request = Request.of(WindowSpec(), FilterSpec(kind), max_shard_bytes=5000)
        keys = in_memory(KEYS)
        summary = summarise(keys)
        layout = summary.layout(request.filter)
        ranges = layout.ranges(5)
        parts = [layout.build(keys.within(part.first_key, part.last_key), part) for part in ranges]
        with BundleWriter(tmp_path / "out") as writer:
            at_once = build_layer("web", COUNTS, keys, request, writer)
        with BundleWriter(tmp_path / "out") as writer:
            in_parts = store_layer("web", COUNTS, summary, parts, request, writer)
        assert in_parts == at_once
        assert all(shard.bytes <= 5000 for shard in at_once.shards)


def test_the_sketch_holds_the_smallest_keys_of_many_and_all_of_few(tmp_path: Path) -> None:
    dice = random.Random("sketch")
    keys = [dice.getrandbits(64) for _ in range(MAX_SKETCH_KEYS + 1000)]
    keys += keys[:500]
    expected = sorted(set(keys))[:MAX_SKETCH_KEYS]
    assert list(summarise(in_memory(keys)).sketch) == expected
    runs = []
    for number, start in enumerate(range(0, len(keys), 5000)):
        some = sorted(keys[start : start + 5000])
        counts = [sum(key * 8 >> 64 == partition for key in some) for partition in range(8)]
        write_run(tmp_path / f"{number}.run", pack(some), counts)
        runs.append(Run(f"{number}.run", len(some), "a.txt"))
    assert list(summarise(KeysInRuns(tmp_path, runs, 8)).sketch) == expected
    assert list(summarise(in_memory(KEYS)).sketch) == sorted(KEYS)

    request = Request.of(WindowSpec(), FilterSpec("ribbon"))
    with BundleWriter(tmp_path / "out") as writer:
        layer = build_layer("web", COUNTS, in_memory(keys), request, writer)
    assert layer.sketch is not None
    assert (layer.sketch.n_keys, layer.distinct_keys) == (MAX_SKETCH_KEYS, len(set(keys)))
