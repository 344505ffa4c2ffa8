"""``wrap``: filters of other software get a manifest, and their files stay as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pybloom_live import BloomFilter
from support.places import GOLDEN

import portrait
from portrait import (
    DamagedBundleError,
    OutputError,
    OutputExistsError,
    SpecError,
    Stride,
    UnsupportedBundleError,
    WindowSpec,
)

REDISBLOOM = GOLDEN / "redisbloom"
NAMES = ["words.50-50.bf", "words-quip.25-1.bf", "words-scaling.50-25.bf", "words-legacy.50-50.bf"]
TEXT = "The keeper of the lower bridge writes down every barge that passes, and what it carries, and to whom."


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, holding filters of the original library and one of pybloom-live."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(REDISBLOOM, "theirs")
    bloom = BloomFilter(1000, 0.001)
    for i in range(0, len(TEXT) - 49, 10):
        bloom.add(TEXT[i : i + 50])
    Path("live").mkdir()
    with Path("live/barges.pybloom").open("wb") as file:
        bloom.tofile(file)
    return tmp_path


def sample_texts() -> list[str]:
    """Return texts that the filters hold in part."""
    lines = (REDISBLOOM / "corpus.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"][:400] for line in lines[:20]]


def inodes(folder: str) -> dict[str, int]:
    """Return the inode of every file in a directory."""
    return {path.name: path.stat().st_ino for path in Path(folder).iterdir()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("out", ["theirs", "new"])
def test_a_wrapped_dump_answers_as_before_and_no_file_is_copied(name: str, out: str) -> None:
    before, inodes_before = portrait.open(f"theirs/{name}"), inodes("theirs")
    wrapped = portrait.wrap(f"theirs/{name}", out)
    assert wrapped.is_bundle
    for text in sample_texts():
        assert wrapped.query(text).layers[0].hits == before.query(text).layers[0].hits > 0
        assert list(wrapped.hits(text).values()) == list(before.hits(text).values())
    shards = {shard.file for shard in wrapped.manifest.layers[0].shards}
    assert {inodes(out)[file] for file in shards} == {inodes_before[file] for file in shards}
    assert inodes("theirs").items() >= inodes_before.items()
    assert portrait.verify(out).id == wrapped.manifest.id
    assert wrapped.spec == before.spec
    assert portrait.open(out).query(sample_texts()[0]).verdict == "found"


def test_unknown_counts_are_recorded_as_unknown() -> None:
    layer = portrait.wrap("theirs/words.50-50.bf", "new", source="words").manifest.layers[0]
    assert (layer.documents, layer.short_documents, layer.windows, layer.text_bytes) == (None,) * 4
    assert (layer.source, layer.distinct_keys, layer.fpr_target) == ("words", 12756, 0.001)
    assert layer.test_vectors.present == ()
    assert len(layer.test_vectors.absent) == 16
    assert "| words | unknown | unknown | 12,756 |" in Path("new/README.md").read_text()


def test_the_id_does_not_depend_on_the_output() -> None:
    ids = {portrait.wrap("theirs/words.50-50.bf", out).manifest.id for out in ("new", "theirs", "other")}
    assert len(ids) == 1


def test_an_existing_readme_is_kept() -> None:
    Path("theirs/README.md").write_text("About the model.")
    portrait.wrap("theirs/words.50-50.bf", "theirs")
    assert Path("theirs/README.md").read_text() == "About the model."


def test_a_file_of_pybloom_live_is_wrapped() -> None:
    spec = WindowSpec(50, Stride(10), normalizer="none")
    wrapped = portrait.wrap("live/barges.pybloom", "live", windows=spec)
    assert wrapped.query(TEXT).verdict == "found"
    assert wrapped.query(TEXT[::-1]).verdict != "found"
    assert wrapped.sources == ("barges",)
    assert wrapped.manifest.layers[0].distinct_keys == len(range(0, len(TEXT) - 49, 10))
    assert portrait.verify("live").files == 2


@pytest.mark.parametrize("file", ["theirs/words.50-50.bf.part0.bin", "new/words.50-50.bf.part0.bin"])
def test_any_changed_bit_is_detected(file: str) -> None:
    portrait.wrap("theirs/words.50-50.bf", "new")
    data = bytearray(Path(file).read_bytes())
    for offset in (0, 40, 100, len(data) - 1):
        data[offset] ^= 1
        Path(file).write_bytes(data)
        with pytest.raises(DamagedBundleError, match=r"part0\.bin"):
            portrait.verify("new")
        data[offset] ^= 1


def test_opening_detects_a_truncated_file() -> None:
    portrait.wrap("theirs/words.50-50.bf", "new")
    os.truncate("new/words.50-50.bf.part0.bin", 20000)
    with pytest.raises(DamagedBundleError, match="20,000 bytes instead of 23,009"):
        portrait.open("new")


def test_a_manifest_of_another_filter_is_refused() -> None:
    portrait.wrap("theirs/words.50-50.bf", "new")
    portrait.wrap("theirs/words-scaling.50-25.bf", "other")
    # The files of one filter under the manifest of the other: each is undamaged, but they do not match.
    record = portrait.open("other").manifest.layers[0]
    (shard,) = record.shards
    Path("other", shard.file).unlink()
    data = Path("new/words.50-50.bf.part0.bin").read_bytes()
    Path("other", shard.file).write_bytes(data + bytes(shard.bytes - len(data)))
    with pytest.raises(DamagedBundleError, match="the header announces"):
        portrait.open("other")


def test_a_manifest_is_replaced_only_on_demand() -> None:
    first = portrait.wrap("theirs/words.50-50.bf", "theirs")
    with pytest.raises(OutputExistsError, match="already exists"):
        portrait.wrap("theirs/words-quip.25-1.bf", "theirs")
    assert portrait.open("theirs").manifest == first.manifest
    portrait.wrap("theirs/words-quip.25-1.bf", "theirs", overwrite=True)
    assert portrait.open("theirs").spec.sampling == Stride(1)


def test_symbolic_links_are_resolved_in_another_directory_and_followed_in_place() -> None:
    Path("cache").mkdir()
    before = inodes("theirs")
    for name in ("words.50-50.bf", "words.50-50.bf.part0.bin"):
        Path("cache", name).symlink_to(Path("theirs", name).resolve())
    portrait.wrap("cache/words.50-50.bf", "cache")
    assert Path("cache/words.50-50.bf.part0.bin").is_symlink()
    assert portrait.verify("cache").unexpected == ("words.50-50.bf",)
    assert inodes("theirs") == before
    portrait.wrap("cache/words.50-50.bf", "new")
    assert not Path("new/words.50-50.bf.part0.bin").is_symlink()
    portrait.verify("new")


def test_another_file_system_is_refused_and_the_alternative_named(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system to write to")
    out = elsewhere / f"portrait-test-{os.getpid()}"
    with pytest.raises(OutputError, match="wrap it in place, by giving theirs as the output"):
        portrait.wrap("theirs/words.50-50.bf", out)
    assert not out.exists()


def test_files_that_cannot_be_wrapped_are_refused() -> None:
    with pytest.raises(SpecError, match="does not say how its windows were cut"):
        portrait.wrap("live/barges.pybloom", "new")
    with pytest.raises(SpecError, match="give the stride only"):
        portrait.wrap("theirs/words.50-50.bf", "new", windows=WindowSpec())
    with pytest.raises(SpecError, match="not a filter of a known format"):
        portrait.wrap("theirs/corpus.jsonl", "new")
    with pytest.raises(SpecError, match="windows of bytes"):
        portrait.wrap("live/barges.pybloom", "new", windows=WindowSpec(unit="byte"))
    assert not Path("new").exists()


def test_a_wrapped_layer_cannot_be_divided_into_other_shards() -> None:
    portrait.wrap("theirs/words.50-50.bf", "new")
    with pytest.raises(SpecError, match="keeps the files it came in"):
        portrait.convert("new", "cut")
    assert not Path("cut").exists()


def test_a_manifest_with_an_unknown_kind_is_refused() -> None:
    portrait.wrap("theirs/words.50-50.bf", "new")
    text = Path("new/portrait.json").read_text()
    Path("new/portrait.json").write_text(text.replace('"redisbloom"', '"redisbloop"'))
    with pytest.raises((DamagedBundleError, UnsupportedBundleError)):
        portrait.open("new")


def convert(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``portrait convert`` in a process."""
    command = [sys.executable, "-m", "portrait", "convert", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_line_wraps() -> None:
    result = convert("theirs/words.50-50.bf", "theirs", "--source", "words")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "theirs: 1 shard, 23 kB\n"
    info = [sys.executable, "-m", "portrait", "info", "theirs"]
    table = subprocess.run(info, capture_output=True, text=True, check=True).stdout
    assert table.splitlines()[-1].split()[:4] == ["words", "redisbloom", "unknown", "unknown"]
    result = convert("live/barges.pybloom", "new", "--width", "50", "--stride", "10")
    assert (result.returncode, result.stderr) == (0, "")
    assert portrait.open("new").spec == WindowSpec(50, Stride(10), normalizer="none")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["live/barges.pybloom", "new"], "give --width, and --stride or --span"),
        (["theirs/words.50-50.bf", "new", "--width", "50"], "--width is for .pybloom files"),
        (["theirs/words.50-50.bf", "new", "--max-shard-size", "1GB"], "--max-shard-size has no use here"),
        (["theirs", "new", "--stride", "5"], "--stride has no use here"),
        (["theirs", "new", "--source", "x"], "--source has no use here"),
    ],
)
def test_options_without_effect_are_refused(arguments: list[str], message: str) -> None:
    result = convert(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not Path("new").exists()
