"""pybloom-live's filters in Python: conversion from and to the package's, and queries."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pybloom_live import BloomFilter
from support.forge import shard_path
from support.pybloom_files import TEXT, WINDOWS, build, documents, saved, stored_windows, write_corpus

import portrait
from portrait.filters.bloom import Bloom
from portrait.portraits import pybloom

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents of :mod:`support.pybloom_files` as JSON Lines."""
    return write_corpus(tmp_path_factory.mktemp("pybloom") / "corpus.jsonl")


def test_a_layer_becomes_a_filter_of_the_package_that_can_grow(corpus: Path, tmp_path: Path) -> None:
    built = build(corpus, tmp_path / "out")
    bloom = pybloom.to_pybloom(built.filter("main"))
    assert isinstance(bloom, BloomFilter)
    assert saved(bloom) == shard_path(built.path).read_bytes()
    bloom.add("something new")
    assert built.path.exists()
    assert saved(bloom) != shard_path(built.path).read_bytes()
    # This would fail for a filter that the package itself reads: it keeps the spare bits of the last byte.
    union = bloom | BloomFilter(bloom.capacity, bloom.error_rate)
    assert union.bitarray == bloom.bitarray


def test_only_pybloom_filters_become_filters_of_the_package(corpus: Path, tmp_path: Path) -> None:
    built = portrait.build(corpus, tmp_path / "out")
    assert isinstance(built.filter("main"), Bloom)
    with pytest.raises(portrait.SpecError, match="build the portrait with a pybloom filter"):
        pybloom.to_pybloom(built.filter("main"))
    with pytest.raises(portrait.SpecError, match="no source 'web'"):
        built.filter("web")


def test_a_missing_package_is_named(corpus: Path, tmp_path: Path) -> None:
    build(corpus, tmp_path / "out")
    code = (
        "import sys\n"
        "sys.modules['pybloom_live'] = None\n"
        "import portrait\n"
        "from portrait.portraits import pybloom\n"
        "opened = portrait.open('out')\n"
        "try: pybloom.to_pybloom(opened.filter('main'))\n"
        "except portrait.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "pip install 'data-portrait[pybloom]'" in done.stdout


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_filter_of_the_package_is_queried_like_a_layer(in_memory: bool, tmp_path: Path) -> None:
    text = " ".join(documents()[0].split())
    bloom = BloomFilter(1000, 0.001)
    for window in stored_windows(text):
        bloom.add(window)
    if in_memory:
        filter = pybloom.from_pybloom(bloom)  # noqa: A001
    else:
        with (tmp_path / "theirs.bloom").open("wb") as file:
            bloom.tofile(file)
        filter = pybloom.read(tmp_path / "theirs.bloom")  # noqa: A001
    layer = pybloom.PyBloomLayer(filter, WINDOWS, source="theirs")
    answer = layer.query(f"Somebody said: {text[10:250]} or so.")
    assert answer.verdict == "found"
    assert answer.layers[0].source == "theirs"
    assert answer.layers[0].fpr == filter.rate()
    assert layer.query("".join(random.Random(9).choices("abcdefgh ", k=400))).verdict == "not_found"
    windows = [text[i : i + WINDOWS.width] for i in range(len(text) - WINDOWS.width + 1)]
    assert layer.hits(text) == bytes(window in bloom for window in windows)


def test_a_converted_filter_is_independent_of_the_original() -> None:
    bloom = BloomFilter(10)
    copy = pybloom.from_pybloom(bloom)
    bloom.add("later")
    assert copy.contains_windows(["later"]) == b"\x00"


def test_keys_and_broken_text_are_refused() -> None:
    read = pybloom.from_pybloom(BloomFilter(10))
    with pytest.raises(ValueError, match="windows, not keys"):
        read.contains(bytes(8))
    with pytest.raises(portrait.TextError, match="U\\+D800 at character 1"):
        read.contains_windows(["a\ud800"])
    layer = pybloom.PyBloomLayer(read, WINDOWS)
    with pytest.raises(portrait.TextError):
        layer.query("\ud800")
    with pytest.raises(portrait.SpecError):
        layer.query(TEXT, evalue=0)
    with pytest.raises(TypeError, match="bytes"):
        layer.query(b"text")  # type: ignore[arg-type]  # the mistake under test


def test_an_inconsistent_filter_of_the_package_is_refused() -> None:
    bloom = BloomFilter(100)
    bloom.num_slices = -1
    with pytest.raises(portrait.DamagedBundleError, match="BloomFilter"):
        pybloom.from_pybloom(bloom)
    bloom = BloomFilter(100)
    bloom.bits_per_slice += 8
    with pytest.raises(portrait.DamagedBundleError, match="BloomFilter"):
        pybloom.from_pybloom(bloom)


def test_windows_of_bytes_are_refused() -> None:
    filter = pybloom.from_pybloom(BloomFilter(5))  # noqa: A001
    with pytest.raises(portrait.SpecError, match="count in characters or words"):
        pybloom.PyBloomLayer(filter, portrait.WindowSpec(unit="byte"))


def test_a_threshold_decides_which_chains_count() -> None:
    text = " ".join(documents()[0].split())
    windows = stored_windows(text)
    bloom = BloomFilter(len(windows), 0.001)
    for window in windows:
        bloom.add(window)
    layer = pybloom.PyBloomLayer(pybloom.from_pybloom(bloom), WINDOWS)
    assert layer.query(text[:100]).verdict == "found"
    assert layer.query(text[:100], evalue=1e-30).verdict == "inconclusive"
