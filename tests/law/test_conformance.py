"""Conformance vectors: the slow reference, the kernel and the second reader agree on them.

After an intended change of the format, write the files again, see what changes, and review it:

    PYTHONPATH=tests python tests/law/test_conformance.py
"""

from __future__ import annotations

import difflib
import itertools
import json
import struct
from typing import TYPE_CHECKING, Any, Literal

import pytest
from support import conformance, filter_vectors, oracle, samples, second_reader, slow_filters
from support.conformance import cases
from support.filter_vectors import Case, key_text
from support.places import DOCS

import portrait
from portrait._native import Filter as NativeFilter
from portrait._native import Keys, Scanner, Windows, build_ribbon
from portrait.filters.bloom import Bloom, BloomBuilder
from portrait.filters.bloom import key_range as bloom_range
from portrait.filters.ribbon import Ribbon
from portrait.filters.ribbon import key_range as ribbon_range
from portrait.portraits import pybloom
from portrait.spec import FILTER_KINDS, NORMALIZERS, UNITS

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Buffer


def packed(keys: list[str]) -> bytes:
    """Return keys as the kernel takes them."""
    return b"".join(int(key, 16).to_bytes(8, "little") for key in keys)


def range_of(first_key: int, last_key: int) -> tuple[str, str]:
    """Return a shard's range as in a manifest."""
    return key_text(first_key), key_text(last_key)


def answers_of(case: Case) -> tuple[list[str], list[bool]]:
    """Return the keys or windows that a case asks about, and the answers."""
    asked, answers = zip(*case["answers"], strict=True)
    assert len({*answers}) == 2, "some are in the filter, others are not"
    return list(asked), list(answers)


@pytest.mark.parametrize("name", conformance.FILES)
def test_the_files_hold_what_the_slow_reference_computes(name: str) -> None:
    written = (conformance.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    hint = "if this is intended, run PYTHONPATH=tests python tests/law/test_conformance.py"
    assert json.loads(written) == json.loads(conformance.text_of(name)), hint


def test_the_vectors_cover_every_normaliser_sampling_unit_and_filter() -> None:
    assert {case["normalizer"] for case in cases("normalizers")} == {*NORMALIZERS}
    specs = {
        (case["windows"]["sampling"], case["windows"]["unit"], case["normalizer"])
        for case in cases("windows")
    }
    assert specs == {*itertools.product(("minimizer", "stride"), UNITS, NORMALIZERS)}
    assert {case["unit"] for case in cases("orders")} == {*UNITS}
    kinds = {*FILTER_KINDS, "redisbloom"}
    assert {case["filter"]["kind"] for kind in kinds for case in cases(kind)} == kinds
    assert {case["filter"]["hash"] for case in cases("redisbloom")} == {"murmur64a", "murmur2"}
    assert [len(case["shards"]) for case in cases("bloom")] == [1, 2, 3, 1]
    assert [len(case["shards"]) for case in cases("ribbon")] == [1, 2, 2, 1]
    assert {len(cases(name)) for name in kinds} == {4}
    assert len(cases("portraits")) == len(conformance.PORTRAITS)


def test_the_format_names_every_file_of_vectors() -> None:
    text = (DOCS / "FORMAT.md").read_text(encoding="utf-8")
    files = sorted(path.name for path in conformance.FOLDER.iterdir())
    assert files == sorted(f"{name}.json" for name in conformance.FILES)
    assert [name for name in files if f"`{name}`" not in text] == []


def test_the_kernel_normalises_alike() -> None:
    for case in cases("normalizers"):
        windows = Windows(case["normalizer"], "char", 1, "stride", 1)
        normalized, origins = windows.normalize(case["text"])
        assert normalized == case["normalized"], case
        assert [*map(list, origins)] == case["origins"], case


def test_the_second_reader_normalises_alike() -> None:
    reader = second_reader.Reader.__new__(second_reader.Reader)
    for case in cases("normalizers"):
        if case["normalizer"] != "data-portraits":  # the second reader reads bundles only
            reader.normalizer = case["normalizer"]
            assert reader.normalize(case["text"]) == case["normalized"], case


def windows_of(case: Case) -> Windows:
    """Return the kernel's form of a case's windows and normaliser."""
    windows = case["windows"]
    name = windows["sampling"]
    gap = windows["span" if name == "minimizer" else "stride"]
    return Windows(case["normalizer"], windows["unit"], windows["width"], name, gap)


def spec_of(case: Case) -> portrait.WindowSpec:
    """Return the spec of a case's windows and normaliser."""
    windows = case["windows"]
    strided = windows["sampling"] == "stride"
    sampling = portrait.Stride(windows["stride"]) if strided else portrait.Minimizer(windows["span"])
    return portrait.WindowSpec(windows["width"], sampling, windows["unit"], case["normalizer"])


def kernel_keys(case: Case, documents: Literal["all", "long"] = "long") -> list[str]:
    """Return the different keys that the kernel stores for a case's text, in ascending order."""
    keys = Keys(documents=documents)
    keys.add_text(windows_of(case), case["text"])
    numbers = struct.unpack(f"<{len(keys)}Q", bytes(memoryview(keys)))
    return sorted({*map(key_text, numbers)})


def test_the_kernel_stores_and_asks_the_same_windows() -> None:
    for case in cases("windows"):
        windows = windows_of(case)
        assert windows.stored(case["text"]) == case["stored_offsets"], case
        assert windows.asked(case["text"]) == case["asked_offsets"], case
        assert kernel_keys(case) == case["stored_keys"], case
        assert kernel_keys(case, "all") == case["stored_keys_with_short_documents"], case


def test_the_second_reader_stores_and_asks_the_same_windows() -> None:
    for case in cases("windows"):
        windows = second_reader.Windows(case["windows"])
        parts = windows.parts(case["normalized"])
        assert len(parts) == case["n_units"], case
        assert windows.stored(parts) == case["stored_offsets"], case
        assert windows.asked(parts) == case["asked_offsets"], case
        keys = [key_text(windows.key(parts, at)) for at in windows.asked(parts)]
        assert keys == [key for _, key in case["asked_windows"]], case


def test_the_second_reader_orders_groups_alike() -> None:
    for case in cases("orders"):
        least = 2 if case["unit"] == "word" else 8
        size = len(case["group"])
        # Of windows as wide as the group, with a span that is wider, a group is the whole window.
        record = {"width": size, "sampling": "minimizer", "span": size - least + 1, "unit": case["unit"]}
        windows = second_reader.Windows(record)
        assert windows.group == size
        parts: second_reader.Parts = case["group"]
        if case["unit"] == "byte":
            parts = bytes.fromhex("".join(case["group"]))
        elif case["unit"] == "char":
            parts = "".join(case["group"])
        assert [f"{order:08x}" for order in windows.orders(parts).tolist()] == [case["order"]], case


@pytest.mark.parametrize("i", range(4))
def test_the_kernel_fills_cuts_and_asks_bloom_filters_alike(i: int) -> None:
    case = cases("bloom")[i]
    n_blocks = case["filter"]["n_blocks"]
    builder = BloomBuilder(n_blocks)
    builder.insert(packed(case["keys"]))
    shards = [bytes.fromhex(shard["blocks"]) for shard in case["shards"]]
    assert bytes(memoryview(builder.data)) == b"".join(shards)
    pieces = [*builder.finish().pieces(len(shards[0]))]
    assert [b"".join(map(bytes, piece.buffers)) for piece in pieces] == shards
    ranges = [(shard["first_key"], shard["last_key"]) for shard in case["shards"]]
    assert [range_of(piece.first_key, piece.last_key) for piece in pieces] == ranges
    assert bloom_range(0, n_blocks, n_blocks) == (0, 2**64 - 1)
    opened = Bloom(*shards)
    assert opened.rate() == pytest.approx(case["rate"], rel=1e-12)
    asked, answers = answers_of(case)
    assert [*map(bool, opened.contains(packed(asked)))] == answers


@pytest.mark.parametrize("i", range(4))
def test_the_kernel_builds_cuts_and_asks_ribbon_filters_alike(i: int) -> None:
    case = cases("ribbon")[i]
    n_columns, n_partitions = case["filter"]["n_columns"], case["filter"]["n_partitions"]
    shards: list[tuple[Buffer, Buffer]] = [
        (bytes.fromhex(shard["columns"]), bytes.fromhex(shard["partitions"])) for shard in case["shards"]
    ]
    keys = Keys()
    keys.extend(packed(case["keys"]))
    keys.sort_unique()
    built = build_ribbon(keys, n_columns, n_partitions)
    assert [*map(bytes, built)] == [b"".join(map(bytes, parts)) for parts in zip(*shards, strict=True)]
    opened = Ribbon(shards, n_columns)
    assert opened.rate() == pytest.approx(case["rate"], rel=1e-12)
    asked, answers = answers_of(case)
    assert [*map(bool, opened.contains(packed(asked)))] == answers
    first = 0
    for shard in case["shards"]:
        after = first + len(shard["partitions"]) // 16
        own = ribbon_range(first, after, n_partitions)
        assert range_of(*own) == (shard["first_key"], shard["last_key"])
        first = after


@pytest.mark.parametrize("i", range(4))
def test_the_kernel_asks_pybloom_filters_alike(i: int, tmp_path: Path) -> None:
    case = cases("pybloom")[i]
    path = tmp_path / "one.pybloom"
    path.write_bytes(bytes.fromhex(case["file"]))
    opened = pybloom.read(path)
    assert opened.parameters == case["filter"]
    assert set(opened.contains_windows(case["windows"])) == {1}
    asked, answers = answers_of(case)
    assert [*map(bool, opened.contains_windows(asked))] == answers


@pytest.mark.parametrize("i", range(4))
def test_the_kernel_asks_redisbloom_filters_alike(i: int) -> None:
    case = cases("redisbloom")[i]
    dump = bytes.fromhex(case["dump"])
    n_links = case["filter"]["n_links"]
    records = [struct.unpack_from("<QQQddIQB", dump, 20 + 53 * link) for link in range(n_links)]
    at = 20 + 53 * n_links
    links: list[tuple[list[Any], int, int]] = []
    for n_bytes, bits, _, _, _, hashes, _, log2_bits in records:
        links.append(([dump[at : at + n_bytes]], 1 << log2_bits if log2_bits else bits, hashes))
        at += n_bytes
    opened = NativeFilter.redisbloom(links, case["filter"]["hash"] == "murmur64a")
    assert set(opened.contains_windows(case["windows"])) == {1}
    asked, answers = answers_of(case)
    assert [*map(bool, opened.contains_windows(asked))] == answers


@pytest.mark.parametrize("i", range(len(conformance.PORTRAITS)))
def test_the_kernel_finds_the_same_hits_and_chains(i: int) -> None:
    case = cases("portraits")[i]
    builder = BloomBuilder(case["filter"]["n_blocks"])
    builder.insert(packed(case["keys"]))
    blocks = b"".join(bytes.fromhex(shard["blocks"]) for shard in case["shards"])
    assert bytes(memoryview(builder.data)) == blocks
    scanner = Scanner(windows_of(case), [(NativeFilter.bloom([blocks]), case["fpr"])])
    for question in case["questions"]:
        assert windows_of(case).asked(question["text"]) == question["asked_offsets"], question
        assert scanner.hits(question["text"]) == [bytes(map(int, question["hits"]))], question
        scan = scanner.scan(question["text"])
        assert [*map(list, scan.chains(0, 1))] == question["chains"], question
        assert scan.layers()[0][1] == bool(question["exact_document"]), question


@pytest.mark.parametrize("i", range(len(conformance.PORTRAITS)))
def test_a_bundle_of_the_documents_answers_as_the_vectors_say(i: int, tmp_path: Path) -> None:
    case = cases("portraits")[i]
    spec = spec_of(case)
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in case["documents"]))
    n_keys, n_blocks = len(case["keys"]), case["filter"]["n_blocks"]
    rates = (rate / 1000 for rate in range(1, 1000))
    fpr = next(rate for rate in rates if BloomBuilder.for_keys(n_keys, rate).n_blocks == n_blocks)
    built = portrait.build(corpus, tmp_path / "out", windows=spec, filter=portrait.FilterSpec(fpr=fpr))
    ((contains, rate),) = samples.sample(built).layers
    assert rate == pytest.approx(case["fpr"], rel=1e-12)
    assert all(contains(int(key, 16)) for key in case["keys"])
    for question in case["questions"]:
        answer = built.query(question["text"], evalue=case["threshold"])
        assert answer.verdict == question["verdict"], question
        assert answer.exact_document is question["exact_document"], question
        assert answer.detectable_length == question["detectable_length"], question
        assert (answer.evalue is None) == (question["evalue"] is None), question
        assert answer.evalue is None or answer.evalue == pytest.approx(question["evalue"], rel=1e-9)
        matches = [(one.start, one.end, one.windows) for _, one in answer.matches]
        assert matches == [(one["start"], one["end"], one["windows"]) for one in question["matches"]]
        (layer,) = answer.layers
        approximate, expected = layer.approximate, question["approximate"]
        assert (approximate is None) == (expected is None), question
        if approximate is not None:
            assert (approximate.start, approximate.end) == (expected["start"], expected["end"]), question
            assert (approximate.windows, approximate.hits) == (expected["windows"], expected["hits"])
            assert approximate.evalue == pytest.approx(expected["evalue"], rel=1e-9)


def test_the_vectors_are_made_without_the_library() -> None:
    for module in (conformance, filter_vectors, oracle, slow_filters):
        values = vars(module).values()
        assert not any(getattr(value, "__name__", "").startswith("portrait.") for value in values)


def regenerate() -> None:
    """Write all files of vectors, and print what changed in them."""
    conformance.FOLDER.mkdir(exist_ok=True)
    for name in conformance.FILES:
        path = conformance.FOLDER / f"{name}.json"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(conformance.text_of(name), encoding="utf-8")
        after = path.read_text(encoding="utf-8")
        for line in difflib.unified_diff(before.split("\n"), after.split("\n"), path.name, path.name, n=0):
            print(line if len(line) < 200 else f"{line[:200]}…")


if __name__ == "__main__":
    regenerate()
